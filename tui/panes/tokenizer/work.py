"""The threads of the playground: they find tokenizers, encode long texts, and read and measure reviews."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.data.reviews import Review
from core.tokenization.length_stats import Measured, measure
from tui.panes.tokenizer.messages import (
    OtherMeasured,
    OtherTokenizerReady,
    PlaygroundReady,
    ReviewsMeasured,
    TokenizerReady,
)
from tui.panes.tokenizer.state import Data, Playground
from tui.workers.latest import Latest

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Answer = TokenizerReady | PlaygroundReady | OtherTokenizerReady | OtherMeasured | ReviewsMeasured
Post = Callable[[Answer], bool]
"""Posts a message; returns False if the pane is closed."""
EVERY = 4
"""Chunks of reviews between two messages about progress."""


class PlaygroundThreads:
    """Starts the threads; their answers are posted as messages."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._encoder, self._other = Latest("encoder"), Latest("other tokenizer")
        self._has_read_reviews = False

    def find_tokenizer(self) -> None:
        """Find the default tokenizer."""
        threading.Thread(target=find_tokenizer, args=(self._post,), name="tokenizer", daemon=True).start()

    @property
    def is_encoding(self) -> bool:
        return self._encoder.is_busy

    def encode(self, number: int, analyse: Callable[[], Playground]) -> None:
        """Analyse a long text; only the newest request matters."""
        self._encoder.submit(lambda: self._post(PlaygroundReady(analyse(), number)))

    def read_reviews(self, source: str, tokenizer: Tokenizer) -> None:
        """Read and measure the data set, once."""
        if not self._has_read_reviews:
            self._has_read_reviews = True
            arguments = (source, tokenizer, self._post)
            threading.Thread(target=measure_reviews, args=arguments, name="reviews", daemon=True).start()

    def open_other(self, tokenizer: Tokenizer, name: str) -> None:
        """Open the tokenizer to compare with."""
        self._other.submit(lambda: self._post(open_other(tokenizer, name)))

    def measure_with(self, other: Tokenizer, reviews: tuple[Review, ...]) -> None:
        """Measure the reviews with the tokenizer to compare with."""
        self._other.submit(lambda: measure_with(other, reviews, self._post, self._other))


def find_tokenizer(post: Post) -> None:
    """Post the tokenizer of the default checkpoint, or the reason why there is none."""
    from core.config.schema import ModelConfig
    from core.sources.resolve import open_tokenizer

    try:
        tokenizer, origin = open_tokenizer(ModelConfig().checkpoint)
    except Exception as error:
        post(TokenizerReady(None, None, str(error)))
    else:
        post(TokenizerReady(tokenizer, origin, ""))


def measure_reviews(source: str, tokenizer: Tokenizer, post: Post) -> None:
    """Read the data set and post it, then measure it and post the progress."""
    from core.config.schema import DataConfig
    from core.sources.resolve import open_reviews

    try:
        reviews, origin = open_reviews(source, DataConfig().dataset)
    except Exception as error:
        post(ReviewsMeasured(Data(error=str(error))))
        return
    texts = tuple(reviews)
    measured: list[Measured] = []
    post(ReviewsMeasured(Data(texts, origin.name)))
    for number, chunk in enumerate(measure(tokenizer, [review.text for review in texts])):
        measured += chunk
        if number % EVERY == EVERY - 1 and not post(ReviewsMeasured(Data(texts, origin.name, "", tuple(measured)))):
            return
    post(ReviewsMeasured(Data(texts, origin.name, "", tuple(measured))))


def measure_with(other: Tokenizer, reviews: tuple[Review, ...], post: Post, worker: Latest) -> None:
    """Measure the reviews with another tokenizer and post the progress; stop if a newer one is requested."""
    measured: list[Measured] = []
    for chunk in measure(other, [review.text for review in reviews]):
        measured += chunk
        if worker.is_outdated or not post(OtherMeasured(other, tuple(measured))):
            return


def open_other(tokenizer: Tokenizer, name: str) -> OtherTokenizerReady:
    """Open the tokenizer to compare with: another one, or a copy with other settings."""
    from core.sources.resolve import open_any_tokenizer
    from core.tokenization.compare import SHORT, is_setting, with_settings

    try:
        if is_setting(name):
            return OtherTokenizerReady(name, with_settings(tokenizer, name), f"this one with {SHORT.get(name, name)}")
        other, origin = open_any_tokenizer(name)
    except Exception as error:
        return OtherTokenizerReady(name, None, f"✗ {error}")
    return OtherTokenizerReady(name, other, origin.describe())
