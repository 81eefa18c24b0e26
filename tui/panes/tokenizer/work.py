"""What the playground does in threads: reading and measuring reviews, opening another tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.data.reviews import Review
from core.tokenization.length_stats import Measured, measure
from tui.panes.tokenizer.messages import OtherMeasured, OtherTokenizerReady, ReviewsMeasured, TokenizerReady
from tui.panes.tokenizer.state import Data
from tui.workers.latest import Latest

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Answer = TokenizerReady | OtherTokenizerReady | OtherMeasured | ReviewsMeasured
Post = Callable[[Answer], bool]
"""Returns False once nobody listens any more."""
EVERY = 4
"""Chunks between two reports of progress."""


def find_tokenizer(post: Post) -> None:
    """The default checkpoint's tokenizer, or the reason why there is none."""
    from core.config.schema import ModelConfig
    from core.sources.resolve import open_tokenizer

    try:
        tokenizer, origin = open_tokenizer(ModelConfig().checkpoint)
    except Exception as error:
        post(TokenizerReady(None, None, str(error)))
    else:
        post(TokenizerReady(tokenizer, origin, ""))


def measure_reviews(source: str, tokenizer: Tokenizer, post: Post) -> None:
    """Reads the data set and posts it, then posts how far it is measured until it is."""
    from core.config.schema import DataConfig
    from core.sources.resolve import open_reviews

    try:
        reviews, origin = open_reviews(source, DataConfig().dataset)
    except Exception as error:
        post(ReviewsMeasured(Data(error=str(error))))
        return
    held = tuple(reviews)
    measured: list[Measured] = []
    post(ReviewsMeasured(Data(held, origin.name)))
    for number, chunk in enumerate(measure(tokenizer, [review.text for review in held])):
        measured += chunk
        if number % EVERY == EVERY - 1 and not post(ReviewsMeasured(Data(held, origin.name, "", tuple(measured)))):
            return
    post(ReviewsMeasured(Data(held, origin.name, "", tuple(measured))))


def measure_with(other: Tokenizer, reviews: tuple[Review, ...], post: Post, worker: Latest) -> None:
    """Measures the reviews with another tokenizer, unless a newer one is asked for meanwhile."""
    measured: list[Measured] = []
    for chunk in measure(other, [review.text for review in reviews]):
        measured += chunk
        if worker.is_outdated or not post(OtherMeasured(other, tuple(measured))):
            return


def open_other(tokenizer: Tokenizer, name: str) -> OtherTokenizerReady:
    """The tokenizer to compare with: another one, or a copy with other settings."""
    from core.sources.resolve import open_any_tokenizer
    from core.tokenization.compare import SHORT, is_setting, with_settings

    try:
        if is_setting(name):
            return OtherTokenizerReady(name, with_settings(tokenizer, name), f"this one with {SHORT.get(name, name)}")
        other, origin = open_any_tokenizer(name)
    except Exception as error:
        return OtherTokenizerReady(name, None, f"✗ {error}")
    return OtherTokenizerReady(name, other, origin.words())
