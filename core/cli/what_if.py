"""``imdb-tui what-if``: replace a word in all reviews, and see which predictions change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import counting, err, out
from core.cli.options import AsJson, EvaluationLabel, RunsDir
from core.errors import InputError
from core.runs.directory import runs_root
from core.training.preload import preload

if TYPE_CHECKING:
    from core.analysis.what_if import Change, WhatIf

LABELS = {0: "negative", 1: "positive"}
"""Other labels are those of reviews without one."""


def what_if(
    run: Annotated[str, typer.Argument(help="A run, the start of its name, `last`, or RUN@step-300.", metavar="RUN")],
    pattern: Annotated[
        str | None, typer.Argument(help="A word or phrase, or with --regex a pattern.", metavar="[PATTERN]")
    ] = None,
    replacement: Annotated[
        str | None, typer.Argument(help="Its replacement; '' removes it.", metavar="[REPLACEMENT]")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="Instead of a pattern: praise (great -> terrible), names, or negations."),
    ] = None,
    label: EvaluationLabel = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Search only the first N reviews.")] = None,
    top: Annotated[int, typer.Option("--top", min=0, help="Number of examples.")] = 10,
    regex: Annotated[bool, typer.Option("--regex", help="The pattern is a regular expression.")] = False,
    ignore_case: Annotated[bool, typer.Option("--ignore-case", help="Find all spellings, such as GREAT.")] = False,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Replace a word or a pattern in the reviews, and list those whose prediction changes most."""
    from core.analysis.replacements import PRESETS, Replacement, replaced

    if preset is not None:
        if pattern is not None or regex or ignore_case:
            raise InputError("--preset replaces a pattern of its own; give either --preset, or a pattern")
        if preset not in PRESETS:
            raise InputError(f"there is no preset {preset!r}; presets are {', '.join(PRESETS)}")
        asked = PRESETS[preset]
    elif pattern is None or replacement is None:
        raise InputError('give a pattern and its replacement, such as: imdb-tui what-if last "great" "terrible"')
    else:
        asked = Replacement(pattern, replacement, regex, ignore_case)
    replaced([], asked)  # refuses an invalid pattern before torch is imported
    preload()
    from core.analysis.predictions import VALIDATION
    from core.analysis.scorer import load_scorer
    from core.analysis.stored_evaluations import evaluation_predictions, texts_of
    from core.analysis.what_if import what_if as compute
    from core.inspection.target import find_target, resolve

    target = find_target(run, runs_root(runs_dir))
    if target.run is None:
        raise InputError(f"{run} is not a run; `imdb-tui runs` lists runs")
    predicted = evaluation_predictions(target.run, label or VALIDATION, labels_required=False)
    if limit is not None:
        predicted = predicted.take(range(min(limit, len(predicted))))
    ids = predicted.ids.tolist()
    with counting("predicting") as on_progress:
        found = compute(
            load_scorer(resolve(target)),
            texts_of(target.run, predicted),
            ids,
            asked.pattern,
            asked.replacement,
            regex=asked.regex,
            ignore_case=asked.ignore_case,
            on_progress=on_progress,
        )
    label_of = {id_: LABELS.get(label) for id_, label in zip(ids, predicted.labels.tolist(), strict=True)}
    if json:
        print(formatting.as_json(_as_dict(found, label_of, top)))  # noqa: T201
    else:
        out.print(_table(found, label_of, top))
    err.print(formatting.printable(f"{target.name}: {_sentence(found)}"), soft_wrap=True)


def _as_dict(found: WhatIf, label_of: dict[int, str | None], top: int) -> dict[str, Any]:
    examples = [
        {
            "id": one.id,
            "label": label_of[one.id],
            "flipped": one.flipped,
            "before_probability": one.before_probability,
            "after_probability": one.after_probability,
            "before_logit": one.before_logit,
            "after_logit": one.after_logit,
            "before": one.before,
            "after": one.after,
        }
        for one in found.examples[:top]
    ]
    keys = ("reviews", "n", "unseen", "flipped", "to_negative", "to_positive", "share", "interval", "mean_change")
    return {**{key: getattr(found, key) for key in keys}, "examples": examples}


def _table(found: WhatIf, label_of: dict[int, str | None], top: int) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "label", "before", "after", "flipped", "after the change"):
        left = heading in ("label", "after the change")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    for one in found.examples[:top]:
        table.add_row(
            str(one.id),
            label_of[one.id] or "–",
            formatting.percent(one.before_probability),
            formatting.percent(one.after_probability),
            "yes" if one.flipped else "",
            Text(_around(one)),
        )
    return table


def _around(one: Change, before: int = 12, most: int = 36) -> str:
    """Return a part of the changed review from some characters before the first change."""
    start = max(one.start - before, 0)
    return ("…" if start else "") + formatting.shortened(one.after[start : start + most + 1], most)


def _sentence(found: WhatIf) -> str:
    searched = formatting.counted(found.reviews, "review")
    if found.interval is None or found.share is None or found.mean_change is None:
        return f"none of {searched} contains the pattern"
    low, high = (formatting.percent(end) for end in found.interval)
    unseen = ""
    if found.unseen:
        unseen = f"; {found.unseen:,} of them have the same tokens as before, mostly since the change is cut off"
    return (
        f"{found.n:,} of {searched} contain the pattern{unseen}; {found.flipped:,} predictions flip, "
        f"{formatting.percent(found.share)} (95 % interval {low} to {high}): {found.to_negative:,} to negative, "
        f"{found.to_positive:,} to positive; the logit changes by {found.mean_change:+.2f} on average"
    )
