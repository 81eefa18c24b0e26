"""Everything in imdb-tui that needs no screen; scripts and notebooks can import it.

One package per task, listed so that each imports only packages above it:

``config``        the configuration of a run, and presets
``tokenization``  text to token ids and back
``data``          reviews, splits, and batches of token ids
``sources``       where reviews, tokenizer and weights come from: the Hub, files, or a package
``engine``        the choice of device, dtype and threads, and training in several processes
``model``         the classifier: from a batch to logits
``runs``          the run directory: events, and the state computed from them
``checkpoints``   saving, loading and exporting a model
``training``      the training loop: from logits to the loss and the updated weights
``inspection``    weights, activations and attention of a model
``analysis``      predictions of a trained model, and the comparison of runs
``cli``           the commands
"""

__version__ = "0.1.0"
