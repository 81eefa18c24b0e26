"""Everything a person sees. It holds no fact that core does not know."""
