"""Attribution of the words of a text by the model of a live run, which its training thread scores between two steps."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.analysis.attribution import Attribution
from core.analysis.occlusion import attribution_of, variants
from core.analysis.text_words import TextWord, words_of
from core.errors import InputError
from core.runs.directory import Run
from core.tokenization.encode import Encoding, encode
from core.training.control import Control

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MOST_WORDS = 64
"""Of a text with more words, a live run computes only the prediction: one forward pass per word would delay it."""


@dataclass(frozen=True, slots=True)
class LiveReader:
    """Encodes texts as a run does, with the tokenizer that is stored with it. It reads no weights."""

    tokenizer: Tokenizer
    add_special_tokens: bool
    max_length: int

    def encode(self, text: str) -> Encoding:
        specials = self.add_special_tokens
        return encode(self.tokenizer, text, add_special_tokens=specials, max_length=self.max_length)


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """A request to a live run; :meth:`attribution` of its answer is the result."""

    answer: Future[list[float]]
    """The logits of the text, and of the text without each of ``words``; see :meth:`Control.request_logits`."""
    encoding: Encoding
    words: list[TextWord]
    """Empty for a text with more than the most words."""
    is_complete: bool
    """Whether the effects of the words were asked for."""

    def attribution(self, logits: list[float]) -> Attribution:
        return attribution_of(self.encoding, self.words, logits[0], logits[1:])


def live_reader(run: Run) -> LiveReader:
    """Read the tokenizer of ``run``. Raises InputError if the run has not stored one yet."""
    from core.runs.stored_model import stored_model

    data = run.config().data  # training refuses a max_length that the model cannot read
    return LiveReader(stored_model(run).tokenizer, data.add_special_tokens, data.max_length)


def request_attribution(control: Control, reader: LiveReader, text: str, most_words: int = MOST_WORDS) -> LiveRequest:
    """Ask the run of ``control`` for the prediction of ``text`` and for the effects of its words, by occlusion.

    All logits are computed between the same two steps. Raises InputError for a text without words.
    """
    encoding = reader.encode(text)
    words = words_of(encoding)
    if not words:
        raise InputError("the text is empty; enter at least one word")
    complete = len(words) <= most_words
    rows = variants(reader.tokenizer, encoding, words if complete else [])
    return LiveRequest(control.request_logits(rows), encoding, words if complete else [], complete)
