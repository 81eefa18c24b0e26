"""Every use of a private name of Textual or plotext, one file per reason."""
