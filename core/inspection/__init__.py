"""Inspect a model: configuration, weights, activations and attention."""
