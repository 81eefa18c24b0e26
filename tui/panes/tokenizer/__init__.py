"""The tokenizer playground: its pages, its text editor and its threads."""
