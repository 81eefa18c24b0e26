"""The classifier and its forward pass, padded and unpadded."""
