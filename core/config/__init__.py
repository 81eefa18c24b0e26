"""The configuration of a run: typed fields with limits, read from TOML and written to it, and the presets."""
