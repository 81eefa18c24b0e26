"""Modal screens: questions, long texts and the help."""
