"""``imdb-tui evaluate``: how good a run is on reviews that it has not seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from core import formatting
from core.cli.console import err, out
from core.cli.options import INTERRUPTED, AsJson, RunsDir
from core.cli.stop_signals import stop_on_signals
from core.errors import InputError, Stopped
from core.runs.directory import Run, runs_root
from core.training.control import Control
from core.training.preload import preload

if TYPE_CHECKING:
    from core.analysis.evaluate_on import EvaluationProgress, EvaluationResult, OnProgress
    from core.analysis.mcnemar import Paired
    from core.analysis.metrics import Metrics

UNDEFINED = (
    "accuracy", "accuracy_interval", "loss", "loss_interval", "confusion", "precision", "recall", "f1", "roc_auc",
    "brier", "ece", "majority_label", "majority_accuracy", "per_class", "intervals",
)  # fmt: skip
"""Keys of the answer that are null for reviews without labels."""


def evaluate(
    run: Annotated[str, typer.Argument(help="A run, the start of its name, `last`, or RUN@step-300.")],
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="FILE|NAME|rest",
            help="A CSV or parquet file, a data set on the Hub, or rest: the reviews of the run's source that it "
            "neither trained nor validated on.",
        ),
    ] = "rest",
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Number of reviews, in a random order; without it, all of them."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name under which the evaluation is stored; from the data by default.")
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Compare with a bag of words, fitted on the run's training reviews.")
    ] = False,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> int:
    """Evaluate a run on reviews that it has not seen, and store the predictions with the run.

    Reviews with the text of a training review are left out. The order is random: ctrl+c stops with a valid estimate
    from the reviews so far, and the same command continues. What is stored is returned without computing it again.
    """
    from core.data.reviews import require_file

    if data.lower().endswith((".csv", ".parquet")):
        from core.analysis.evaluation_data import file_of

        path = file_of(data)
        assert path is not None
        require_file(path)  # before torch is imported
    preload()
    from core.analysis.evaluate_on import evaluate_on
    from core.analysis.stored_evaluations import baseline_of, store_baseline
    from core.inspection.target import find_target, resolve

    target = find_target(run, runs_root(runs_dir))
    if target.run is None:
        raise InputError(f"{run} is not a run; `imdb-tui runs` lists runs")
    control = Control()
    restore = stop_on_signals(control)
    try:
        with _progress() as on_progress:
            result = evaluate_on(
                resolve(target),
                data,
                limit=limit,
                label=name,
                on_progress=on_progress,
                stop=lambda: control.stop_requested,
            )
    except Stopped as stopped:
        err.print(f"{target.name}: {stopped}; nothing was stored", soft_wrap=True)
        return INTERRUPTED
    finally:
        restore()
    stopped_early = control.stop_requested and not result.stored.complete
    _explain(target.run, result, stopped_early)
    simple = None
    if result.stored.labelled:
        simple = baseline_of(target.run, result.predictions)
        if simple is None and baseline and not stopped_early:
            simple = store_baseline(target.run, result.stored.label)
    elif baseline:
        err.print("no baseline: it cannot be compared on reviews without labels")
    answer = _answer(target.run, result, simple)
    if json:
        print(formatting.as_json(answer))  # noqa: T201
    elif result.stored.labelled:
        _print(answer)
    return INTERRUPTED if stopped_early else 0


def _explain(run: Run, result: EvaluationResult, stopped: bool) -> None:
    """Print on stderr what was evaluated, and what was left out and why."""
    from core.analysis.stored_evaluations import PREDICTIONS, folder_of

    stored = result.stored
    lines = []
    if result.replaced:
        lines.append(f"evaluated again: {result.replaced}")
    if stored.left_out_training:
        count = formatting.counted(stored.left_out_training, "review")
        lines.append(f"left out: {count} with the text of a training review")
    if stored.left_out_duplicates:
        count = formatting.counted(stored.left_out_duplicates, "review")
        lines.append(f"left out: {count} with the text of another one")
    if stored.unchecked:
        lines.append(f"not checked for reviews that the run was trained on: {stored.unchecked}")
    path = folder_of(run, stored.label) / PREDICTIONS
    if not stored.labelled:
        lines.append(f"{stored.source['name']} has no labels, so there are predictions only: {path}")
    elif len(set(result.predictions.labels.tolist())) == 1:
        label = "positive" if result.predictions.labels[0] == 1 else "negative"
        lines.append(f"all reviews are {label}, so there is no ROC AUC, and the accuracy is that of one class only")
    count = formatting.counted(stored.n, "review")
    done = f"{run.name}@{stored.checkpoint}, {stored.label}: {count} of {stored.usable:,}"
    if not result.computed:
        lines.append(f"{done}, stored {time.strftime('%Y-%m-%d %H:%M', time.localtime(stored.created))}")
    elif stopped:
        lines.append(f"{done}, stopped; the same command continues")
    else:
        lines.append(f"{done}, {formatting.duration(stored.seconds)} in {stored.dtype} on {stored.device}")
    for line in lines:
        err.print(formatting.printable(line), soft_wrap=True)


def _answer(run: Run, result: EvaluationResult, simple: Any) -> dict[str, Any]:
    from core.analysis.comparison import compare_predictions
    from core.analysis.metrics import as_json, metrics, summary_sentence
    from core.analysis.stored_evaluations import PREDICTIONS, folder_of

    stored, predictions = result.stored, result.predictions
    found = metrics(predictions) if stored.labelled else None
    of_baseline = metrics(simple) if simple is not None else None
    pair = compare_predictions(simple, predictions) if simple is not None else None
    measured = as_json(found) if found else dict.fromkeys(UNDEFINED)
    return {
        "run": run.name,
        "checkpoint": stored.checkpoint,
        "label": stored.label,
        "data": stored.data,
        "n": stored.n,
        "usable": stored.usable,
        "left_out": stored.left_out,
        "left_out_training": stored.left_out_training,
        "left_out_duplicates": stored.left_out_duplicates,
        "unchecked": stored.unchecked or None,
        "labelled": stored.labelled,
        "complete": stored.complete,
        "computed": result.computed,
        **{key: value for key, value in measured.items() if key != "n"},
        "baseline": _baseline(of_baseline, pair),
        "sentence": summary_sentence(found, predictions, of_baseline, pair) if found else None,
        "seconds": stored.seconds,
        "device": stored.device,
        "dtype": stored.dtype,
        "created": stored.created,
        "predictions": str(folder_of(run, stored.label) / PREDICTIONS),
        "origins": {"reviews": stored.source},
    }


def _baseline(of_baseline: Metrics | None, pair: Paired | None) -> dict[str, Any] | None:
    if of_baseline is None or pair is None:
        return None
    return {
        "name": "bag of words",
        "accuracy": of_baseline.accuracy,
        "accuracy_interval": list(of_baseline.accuracy_interval),
        "difference": pair.difference,
        "interval": list(pair.interval),
        "p_value": pair.p_value,
        "verdict": pair.verdict("bag of words", "this run"),
        "needed_reviews": pair.needed_reviews,
    }


def _print(answer: dict[str, Any]) -> None:
    out.print(answer["sentence"], soft_wrap=True)
    (tn, fp), (fn, tp) = answer["confusion"]
    cells = Table(box=None, pad_edge=False)
    for heading in ("", "predicted negative", "predicted positive", "precision", "recall", "F1"):
        cells.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for label, counts in (("negative", (tn, fp)), ("positive", (fn, tp))):
        shares = (answer["per_class"][label][key] for key in ("precision", "recall", "f1"))
        cells.add_row(label, *(f"{count:,}" for count in counts), *(formatting.percent(share) for share in shares))
    out.print(cells)
    others = Table(box=None, pad_edge=False)
    for heading in ("", "value", "95 % interval"):
        others.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for key, title in (
        ("loss", "loss"),
        ("roc_auc", "ROC AUC"),
        ("brier", "Brier score"),
        ("ece", "calibration error"),
    ):
        value, ends = answer[key], answer["intervals"].get(key)
        shown = "–" if value is None else f"{value:.3f}"
        others.add_row(title, shown, "–" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}")
    out.print(others)
    if answer["baseline"]:
        out.print(answer["baseline"]["verdict"], soft_wrap=True)


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """Show how far the evaluation is on stderr: a bar on a terminal, a line every ten seconds otherwise."""
    if not err.is_terminal:
        yield _Lines()
        return
    with Progress(TextColumn("evaluating"), BarColumn(), TextColumn("{task.description}"), console=err) as bar:
        task = bar.add_task("", total=None)
        yield lambda at: bar.update(task, completed=at.done, total=at.total, description=_description(at))


class _Lines:
    EVERY_S = 10.0

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, at: EvaluationProgress) -> None:
        if time.monotonic() - self._last >= self.EVERY_S:
            self._last = time.monotonic()
            err.print(_description(at), soft_wrap=True)


def _description(at: EvaluationProgress) -> str:
    text = f"{at.done:,} of {at.total:,} reviews · {formatting.duration(at.seconds_left)} left"
    if at.correct is not None and at.counted:
        text += f" · {formatting.percent(at.correct / at.counted)} of {at.counted:,} correct"
    return text
