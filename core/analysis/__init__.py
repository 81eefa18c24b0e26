"""Predictions of a trained model, and the comparison of two runs."""
