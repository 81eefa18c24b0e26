"""The tokenizer playground and its pages."""
