"""The run directory: events, the state folded from them, and everything that reads or writes them."""
