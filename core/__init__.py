"""Everything in imdb-tui that is true without a screen.

The folder reads like the pipeline that one review passes through:
``sources`` finds reviews, tokenizer and weights, ``tokenization`` turns text into ids, ``data`` makes
batches of them, ``model`` turns a batch into logits, ``train`` turns logits into a loss and better weights,
``events`` says what happened, and ``runs`` keeps it.
"""

__version__ = "0.1.0"
