"""Save checkpoints while training continues, load them, and export them for transformers."""
