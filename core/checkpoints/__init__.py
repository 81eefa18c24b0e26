"""Checkpoints on disk, written beside the training, and exports for transformers."""
