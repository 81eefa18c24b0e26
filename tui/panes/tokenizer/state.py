"""What the pages of the playground show: a text, its settings, and its analysis by the tokenizer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.data.reviews import Review
from core.formatting import as_json, counted
from core.tokenization.compare import tokens_per_word, with_settings
from core.tokenization.encode import Encoding, encode
from core.tokenization.json_answers import encoding_answer
from core.tokenization.length_stats import Measured
from core.tokenization.padding import Side
from core.tokenization.stages import Stage, stages
from core.tokenization.text_warnings import TextWarning, text_warnings
from tui.widgets.tints import Tint

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SMALL = 4_000
"""Characters up to which a text is analysed at once, in a few milliseconds; longer ones are analysed in a thread."""
MOST_STAGED = 20_000
"""Characters of a text whose stages are shown; the rest has none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the tokenizer."""

    add_special_tokens: bool = True
    split_special_tokens: bool = False
    max_length: int | None = None
    side: Side = "right"


@dataclass(frozen=True, slots=True)
class Data:
    """The reviews of the data set, and the token counts of those that are measured."""

    reviews: tuple[Review, ...] = ()
    origin: str = ""
    error: str = ""
    measured: tuple[Measured, ...] = ()

    @property
    def is_measured(self) -> bool:
        return bool(self.reviews) and len(self.measured) == len(self.reviews)

    def status(self) -> str:
        """Describe in one line whether the reviews are read and measured."""
        if self.error:
            return f"no reviews: {self.error}"
        if not self.reviews:
            return "reading the reviews …"
        if not self.is_measured:
            return f"measuring {len(self.measured):,} of {counted(len(self.reviews), 'review')} …"
        return f"{counted(len(self.reviews), 'review')} from {self.origin}"


@dataclass(frozen=True, slots=True)
class Playground:
    """One text, analysed by one tokenizer. ``mark`` is the span of the selected token."""

    tokenizer: Tokenizer
    origin: str
    settings: Settings
    encoding: Encoding
    warnings: tuple[TextWarning, ...]
    stages: tuple[Stage, ...]
    tints: tuple[Tint, ...]
    mark: tuple[int, int] = (0, 0)
    stale: bool = False
    """Whether the stages are still those of the text before."""
    data: Data = field(default_factory=Data)

    def with_stages(self) -> Playground:
        """Add the stages of this text, which take longer than all the rest."""
        return replace(self, stages=_stages(self.tokenizer, self.encoding, self.settings), stale=False)

    def with_mark(self, start: int, end: int) -> Playground:
        return replace(self, mark=(start, end))

    def with_data(self, data: Data) -> Playground:
        return replace(self, data=data)

    def summary(self) -> list[str]:
        """Return the parts of the summary: the number of tokens and the settings."""
        encoding, settings = self.encoding, self.settings
        parts = [f"{len(encoding.tokens):,} tokens", f"{tokens_per_word(encoding):.2f} per word"]
        parts.append(f"^t special: {'on' if settings.add_special_tokens else 'off'}")
        if settings.split_special_tokens:
            parts.append("typed ones as text")
        if unknown := encoding.unknown:
            parts.append(f"{unknown:,} unknown")
        return parts

    def position_before(self, caret: int) -> int:
        """Return the position of the token before the caret, ignoring white space between them."""
        text = self.encoding.text
        while 0 < caret <= len(text) and text[caret - 1].isspace():
            caret -= 1
        return self.encoding.token_at(max(caret - 1, 0)) or 0

    def to_copy(self, what: str) -> str:
        """Return the ``ids`` or ``tokens`` separated by spaces, or the ``json`` answer of the command line."""
        if what == "ids":
            return " ".join(map(str, self.encoding.input_ids))
        if what == "tokens":
            return " ".join(token.token for token in self.encoding.tokens)
        return as_json(encoding_answer(self.tokenizer, self.encoding))

    @property
    def staged(self) -> int:
        """The number of characters that the stages show."""
        return min(len(self.encoding.text), MOST_STAGED)


def analyse(
    tokenizer: Tokenizer,
    origin: str,
    text: str,
    settings: Settings,
    data: Data,
    before: tuple[Stage, ...] | None = None,
) -> Playground:
    """Encode a text and find its warnings and stages. With ``before``, use those stages until with_stages is called."""
    used = with_settings(tokenizer, "plain-specials") if settings.split_special_tokens else tokenizer
    encoding = encode(used, text, add_special_tokens=settings.add_special_tokens, max_length=settings.max_length)
    warnings = tuple(text_warnings(used, encoding))
    found = _stages(used, encoding, settings) if before is None else before
    tints = _tints(encoding, warnings)
    return Playground(used, origin, settings, encoding, warnings, found, tints, stale=before is not None, data=data)


def _stages(tokenizer: Tokenizer, encoding: Encoding, settings: Settings) -> tuple[Stage, ...]:
    """Return the stages; of a long text, only those of its start."""
    return stages(
        tokenizer,
        encoding.text[:MOST_STAGED],
        add_special_tokens=settings.add_special_tokens,
        max_length=settings.max_length,
        final=encoding if len(encoding.text) <= MOST_STAGED else None,
    )


def _tints(encoding: Encoding, warnings: tuple[TextWarning, ...]) -> tuple[Tint, ...]:
    """Return the colours of the text: words alternate, and deleted and truncated parts are marked."""
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
    tints += [Tint(warning.start, warning.end, "lost") for warning in warnings if warning.kind == "deleted"]
    if encoding.cut_from is not None:
        tints.append(Tint(encoding.cut_from, len(encoding.text), "cut"))
    tints.sort()
    apart: list[Tint] = []
    for tint in tints:
        start = max(tint.start, apart[-1].end) if apart else tint.start
        if start < tint.end:
            apart.append(tint if start == tint.start else tint._replace(start=start))
    return tuple(apart)
