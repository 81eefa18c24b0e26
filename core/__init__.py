"""Everything in imdb-tui that needs no screen; scripts and notebooks can import it.

The packages follow the path of a review:
``sources`` finds reviews, tokenizer and weights, ``tokenization`` turns text into ids, ``data`` makes
batches of them, ``model`` computes logits for a batch, ``training`` computes the loss and updates the weights,
and ``runs`` stores what happened as events.
"""

__version__ = "0.1.0"
