"""Read or generate labelled reviews, split them, and encode them as batches."""
