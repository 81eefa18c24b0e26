"""The messages that the playground's threads post to its pane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.panes.tokenizer.state import Data, Playground

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from core.sources.origin import Origin
    from core.tokenization.length_stats import Measured


@dataclass
class TokenizerReady(Message):
    """The playground's tokenizer; or ``error``, the reason why there is none."""

    tokenizer: Tokenizer | None
    origin: Origin | None
    error: str


@dataclass
class PlaygroundReady(Message):
    """A long text is encoded; ``number`` is that of its request, so that an outdated answer can be ignored."""

    playground: Playground
    number: int


@dataclass
class ReviewsMeasured(Message):
    """The data set is read, or more of it is measured."""

    data: Data


@dataclass
class OtherTokenizerReady(Message):
    """The tokenizer to compare with, and its origin; or None and the reason why there is none."""

    name: str
    tokenizer: Tokenizer | None
    note: str


@dataclass
class OtherMeasured(Message):
    """The reviews, as far as the other tokenizer has measured them."""

    tokenizer: Tokenizer
    measured: tuple[Measured, ...]
