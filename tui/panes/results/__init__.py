"""Results: what the predictions of a run are worth, where they are wrong, and why."""
