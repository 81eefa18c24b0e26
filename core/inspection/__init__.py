"""A model looked at: configuration, weights, activations and attention."""
