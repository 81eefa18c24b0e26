"""``imdb-tui probes``: behavioural probes of a run's model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core import formatting
from core.cli.console import counting, err, out
from core.cli.options import AsJson, RunsDir
from core.runs.directory import runs_root
from core.training.preload import preload

if TYPE_CHECKING:
    from core.analysis.probes import ProbePair, ProbeResult


def probes(
    run: Annotated[
        str,
        typer.Argument(help="A run, the start of its name, `last`, RUN@step-300, or a folder.", metavar="RUN"),
    ],
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only this kind, such as negated-praise; lists its failed pairs.")
    ] = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Test a model with pairs of sentences whose predictions must agree, or differ in a known direction."""
    from core.analysis.probe_templates import find_kinds

    kinds = None if kind is None else [kind]
    find_kinds(kinds)
    preload()
    from core.analysis.probes import TOLERANCE, run_probes
    from core.analysis.scorer import load_scorer
    from core.inspection.target import find_target, resolve

    resolved = resolve(find_target(run, runs_root(runs_dir)))
    with counting("predicting") as on_progress:
        results = run_probes(load_scorer(resolved), kinds=kinds, on_progress=on_progress)
    if json:
        print(formatting.as_json([_as_dict(result) for result in results]))  # noqa: T201
    else:
        out.print(_table(results) if kind is None else _pairs_table(results[0]))
    failures, n = sum(result.failures for result in results), sum(result.n for result in results)
    err.print(f"{resolved.target.name}: {failures:,} of {formatting.counted(n, 'pair')} failed", soft_wrap=True)
    err.print(
        f"same: the label stays and P(positive) moves by at most {TOLERANCE}; lower, higher: it must move that way; "
        "negative, positive: and the changed sentence has that label",
        soft_wrap=True,
    )
    if truncated := sum(result.truncated for result in results):
        err.print(f"{formatting.counted(truncated, 'pair')} are longer than the model's max_length, and truncated")


def _as_dict(result: ProbeResult) -> dict[str, Any]:
    keys = ("kind", "test", "description", "expect", "n", "failures", "share", "interval", "truncated")
    examples = [
        {
            "first": pair.first,
            "second": pair.second,
            "first_probability": pair.first_probability,
            "second_probability": pair.second_probability,
        }
        for pair in result.examples
    ]
    return {**{key: getattr(result, key) for key in keys}, "examples": examples}


def _table(results: list[ProbeResult]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "expected", "pairs", "failed", "share", "95 % interval"):
        table.add_column(heading, justify="left" if heading in ("kind", "expected") else "right", no_wrap=True)
    for result in results:
        low, high = (formatting.percent(end) for end in result.interval)
        share = formatting.percent(result.share)
        table.add_row(result.kind, result.expect, f"{result.n:,}", f"{result.failures:,}", share, f"{low} to {high}")
    return table


def _pairs_table(result: ProbeResult) -> Table:
    """Two rows for each failed pair, with the sentence and the changed one."""
    table = Table(box=None, pad_edge=False, title=f"{result.kind}: {result.description}", title_justify="left")
    table.add_column("positive", justify="right", no_wrap=True)
    table.add_column("sentence", overflow="fold")
    for pair in result.examples:
        for probability, sentence in _rows(pair):
            table.add_row(formatting.percent(probability), Text(sentence))
    if not result.failures:
        table.add_row("", "no pair failed")
    return table


def _rows(pair: ProbePair) -> list[tuple[float, str]]:
    return [(pair.first_probability, pair.first), (pair.second_probability, pair.second)]
