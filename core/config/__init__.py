"""What a run is configured by: typed fields with their limits, read from TOML, and the presets."""
