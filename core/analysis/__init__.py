"""What a trained model is worth: predictions, metrics, errors, explanations, and comparisons of runs."""
