"""What a trained model predicts, and how two runs compare."""
