"""Where tokenizer, weights and reviews come from: the Hub, its local cache, or embedded files."""
