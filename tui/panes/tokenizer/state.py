"""What the pages of the playground show: the tokenizer, the text, its settings, and what was worked out of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.data.reviews import Review
from core.formatting import as_json
from core.tokenization.compare import tokens_per_word, with_settings
from core.tokenization.encode import Encoding, encode
from core.tokenization.json_answers import encoding_answer
from core.tokenization.length_stats import Measured
from core.tokenization.padding import Side
from core.tokenization.stages import Stage, stages
from core.tokenization.text_warnings import Loss, losses
from tui.widgets.tints import Tint

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SMALL = 4_000
"""Characters up to which a text is worked out between two frames, a few milliseconds; longer ones go to a thread."""
MOST_STAGED = 20_000
"""Characters of a text whose stages are shown."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How texts are encoded."""

    add_special_tokens: bool = True
    split_special_tokens: bool = False
    max_length: int | None = None
    side: Side = "right"


@dataclass(frozen=True, slots=True)
class Data:
    """The current data set's reviews, and how far they are measured with the playground's settings."""

    reviews: tuple[Review, ...] = ()
    origin: str = ""
    error: str = ""
    measured: tuple[Measured, ...] = ()

    @property
    def is_measured(self) -> bool:
        return bool(self.reviews) and len(self.measured) == len(self.reviews)

    def words(self) -> str:
        """Where the reviews stand, in a line."""
        if self.error:
            return f"no reviews: {self.error}"
        if not self.reviews:
            return "reading the reviews …"
        if not self.is_measured:
            return f"measuring {len(self.measured):,} of {len(self.reviews):,} reviews …"
        return f"{len(self.reviews):,} reviews of {self.origin}"


@dataclass(frozen=True, slots=True)
class Playground:
    """One text under one tokenizer. ``mark`` is the span of the token under the cursor."""

    tokenizer: Tokenizer
    origin: str
    settings: Settings
    encoding: Encoding
    losses: tuple[Loss, ...]
    stages: tuple[Stage, ...]
    tints: tuple[Tint, ...]
    mark: tuple[int, int] = (0, 0)
    stale: bool = False
    """Whether the stages are those of the text before, because this one's are still to be worked out."""
    data: Data = field(default_factory=Data)

    def with_stages(self) -> Playground:
        """The stages of this text, which take longer than all the rest."""
        return replace(self, stages=_stages(self.tokenizer, self.encoding, self.settings), stale=False)

    def with_mark(self, start: int, end: int) -> Playground:
        return replace(self, mark=(start, end))

    def with_data(self, data: Data) -> Playground:
        return replace(self, data=data)

    def summary(self) -> list[str]:
        """The text in a few words each: how many tokens, under which settings."""
        encoding, settings = self.encoding, self.settings
        parts = [f"{len(encoding.tokens):,} tokens", f"{tokens_per_word(encoding):.2f} a word"]
        parts.append(f"^t specials {'on' if settings.add_special_tokens else 'off'}")
        if settings.split_special_tokens:
            parts.append("typed ones are text")
        if unknown := encoding.unknown:
            parts.append(f"{unknown:,} unknown")
        return parts

    def position_before(self, caret: int) -> int:
        """The position of the token that ends before the caret, white space between them left out."""
        text = self.encoding.text
        while 0 < caret <= len(text) and text[caret - 1].isspace():
            caret -= 1
        return self.encoding.token_at(max(caret - 1, 0)) or 0

    def to_copy(self, what: str) -> str:
        """The ``ids`` or ``tokens`` with spaces between, or everything as the command line's ``json``."""
        if what == "ids":
            return " ".join(map(str, self.encoding.input_ids))
        if what == "tokens":
            return " ".join(token.token for token in self.encoding.tokens)
        return as_json(encoding_answer(self.tokenizer, self.encoding))

    @property
    def staged(self) -> int:
        """How many characters of the text the stages show."""
        return min(len(self.encoding.text), MOST_STAGED)


def work_out(
    tokenizer: Tokenizer,
    origin: str,
    text: str,
    settings: Settings,
    data: Data,
    before: tuple[Stage, ...] | None = None,
) -> Playground:
    """Encodes a text and names its losses and its stages, unless those ``before`` are to stand for the moment."""
    used = with_settings(tokenizer, "plain-specials") if settings.split_special_tokens else tokenizer
    encoding = encode(used, text, add_special_tokens=settings.add_special_tokens, max_length=settings.max_length)
    lost = tuple(losses(used, encoding))
    found = _stages(used, encoding, settings) if before is None else before
    tints = _tints(encoding, lost)
    return Playground(used, origin, settings, encoding, lost, found, tints, stale=before is not None, data=data)


def _stages(tokenizer: Tokenizer, encoding: Encoding, settings: Settings) -> tuple[Stage, ...]:
    """Those of the beginning of a long text only."""
    return stages(
        tokenizer,
        encoding.text[:MOST_STAGED],
        add_special_tokens=settings.add_special_tokens,
        max_length=settings.max_length,
        final=encoding if len(encoding.text) <= MOST_STAGED else None,
    )


def _tints(encoding: Encoding, lost: tuple[Loss, ...]) -> tuple[Tint, ...]:
    """How the source is painted: words in turn, continuations like their word, and what no token shows."""
    tints, word = [], 0
    for token in encoding.tokens:
        if token.start >= token.end:
            continue
        if token.kind in ("special", "unknown"):
            look = str(token.kind)
            word += 1
        elif token.kind == "continuation":
            look = "odd-more" if word % 2 else "even-more"
        else:
            word += 1
            look = "odd" if word % 2 else "even"
        tints.append(Tint(token.start, token.end, look))
    tints += [Tint(loss.start, loss.end, "lost") for loss in lost if loss.kind == "deleted"]
    if encoding.cut_from is not None:
        tints.append(Tint(encoding.cut_from, len(encoding.text), "cut"))
    tints.sort()
    apart: list[Tint] = []
    for tint in tints:
        start = max(tint.start, apart[-1].end) if apart else tint.start
        if start < tint.end:
            apart.append(tint if start == tint.start else tint._replace(start=start))
    return tuple(apart)
