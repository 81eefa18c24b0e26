"""Find tokenizer, weights and reviews: on the Hub, in its local cache, in files, or embedded in a package."""
