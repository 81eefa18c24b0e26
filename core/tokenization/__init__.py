"""From text to ids and back, and every stage between them."""
