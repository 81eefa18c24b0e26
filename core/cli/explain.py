"""``imdb-tui explain``: the effect of each word of a text on its prediction."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import err, out
from core.cli.options import AsJson, RunsDir
from core.cli.stdin import read_texts
from core.errors import InputError
from core.runs.directory import runs_root
from core.training.preload import preload

if TYPE_CHECKING:
    from core.analysis.attribution import Attribution


def explain(
    run: Annotated[str, typer.Argument(help="A run, the start of its name, `last`, RUN@step-300, or a folder.")],
    texts: Annotated[list[str] | None, typer.Argument(help="The text; - or none reads stdin.", metavar="TEXT")] = None,
    method: Annotated[
        str, typer.Option("--method", help="occlusion (remove each word), mask, or integrated-gradients.")
    ] = "occlusion",
    top: Annotated[int, typer.Option("--top", min=0, help="Number of words in the table.")] = 12,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Show which words of a text make the model predict positive, and which negative."""
    from core.analysis.attribution import METHODS

    chosen = next((each for each in METHODS if each == method), None)
    if chosen is None:
        raise InputError(f"there is no method {method!r}; methods are {', '.join(METHODS)}")
    asked = read_texts(texts, lines=False, example='imdb-tui explain last "a warm film"')
    if len(asked) != 1:
        raise InputError(f"explain takes one text, not {len(asked)}; put it in quotes")
    preload()
    from core.analysis.attribution import attribute
    from core.analysis.scorer import load_scorer
    from core.inspection.target import find_target, resolve

    scorer = load_scorer(resolve(find_target(run, runs_root(runs_dir))))
    found = attribute(scorer, asked[0], chosen)
    if json:
        answer = {
            **asdict(found),
            "truncated": found.truncated,
            "model": scorer.name,
            "words": [asdict(word) for word in found.words],
        }
        print(formatting.as_json(answer))  # noqa: T201
        return
    out.print(marked(found), soft_wrap=True)
    out.print()
    out.print(_table(found, top))
    err.print(formatting.printable(f"{scorer.name}: {describe(found)}"), soft_wrap=True)


def marked(found: Attribution) -> Text:
    """The text with its strongest words marked: bold underlined for positive, reversed for negative, rest dim."""
    most = max((abs(word.effect) for word in found.words), default=0.0) or 1.0
    text = Text(formatting.printable(found.text[: found.cut_from]))
    for word in found.words:
        if abs(word.effect) >= most / 4:
            text.stylize("bold underline green" if word.effect > 0 else "bold reverse red", word.start, word.end)
    if found.cut_from is not None:
        text.append(" …", "dim")
    return text


def describe(found: Attribution) -> str:
    """The prediction, the method, and what was cut or lost, in one line."""
    label = "positive" if found.logit > 0 else "negative"
    parts = [f"{label}, P(positive) {formatting.percent(found.probability)}, logit {found.logit:+.2f}", found.method]
    if found.completeness_error is not None and found.base_logit is not None:
        parts.append(f"baseline logit {found.base_logit:+.2f}, completeness error {found.completeness_error:+.2g}")
    if found.cut_from is not None:
        parts.append(f"truncated: the model reads {found.tokens} of {found.full_length:,} tokens")
    return "; ".join(parts)


def _table(found: Attribution, top: int) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("word", no_wrap=True)
    table.add_column("effect on the logit", justify="right", no_wrap=True)
    table.add_column("")
    words = found.strongest(top)
    most = max((abs(word.effect) for word in words), default=0.0) or 1.0
    for word in words:
        bar = ("+" if word.effect > 0 else "-") * round(20 * abs(word.effect) / most)
        table.add_row(Text(formatting.shortened(word.text, 30)), f"{word.effect:+.3f}", bar)
    return table
