"""``imdb-tui model``: inspect a model: configuration, classes, parameters, weights, activations, attention."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core import formatting
from core.cli import model_tables
from core.cli.console import err
from core.cli.options import AsJson, RunsDir, require_with
from core.errors import InputError
from core.runs.directory import runs_root

if TYPE_CHECKING:
    from core.inspection.target import Resolved


def model(
    target: Annotated[
        str, typer.Argument(metavar="[PRESET|RUN]", help="A preset, a run, RUN@step-300, a weights file, or a folder.")
    ] = "pretrained",
    config: Annotated[
        bool, typer.Option("--config", help="Show every field of the configuration with its meaning.")
    ] = False,
    classes: Annotated[bool, typer.Option("--classes", help="Compare DistilBERT's classes in transformers.")] = False,
    params: Annotated[
        bool, typer.Option("--params", help="Show the parameters of each module, and which are trained.")
    ] = False,
    tensor: Annotated[
        str | None, typer.Option("--tensor", metavar="NAME", help="Show statistics of one tensor.")
    ] = None,
    nearest: Annotated[
        str | None, typer.Option("--nearest", metavar="TOKEN", help="Show the tokens with the most similar embeddings.")
    ] = None,
    diff: Annotated[
        str | None,
        typer.Option("--diff", metavar="OTHER", help="Compare the weights with those of OTHER, tensor by tensor."),
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Show the output of every module for a batch of reviews.")
    ] = False,
    attention: Annotated[
        str | None, typer.Option("--attention", metavar="TEXT", help="Show the attention weights for a text.")
    ] = None,
    layer: Annotated[int | None, typer.Option(min=0, help="Layer for --attention, starting at 0.")] = None,
    head: Annotated[
        int | None, typer.Option(min=0, help="Head for --attention; default: the mean of all heads.")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="Reviews for --trace: hub, embedded, or a file.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print --params as CSV on stdout.")] = False,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Inspect a model: a preset before training, or a checkpoint of a run."""
    from core.training.preload import preload

    preload()  # turns off the progress bars and warnings of the libraries
    from core.inspection.target import find_target, resolve

    root = runs_root(runs_dir)
    require_with("--attention", attention is not None, {"--layer": layer, "--head": head})
    require_with("--trace", trace, {"--data": data})
    resolved = resolve(find_target(target, root))
    views: dict[str, Callable[[], Any]] = {}
    if config:
        views["config"] = lambda: _config(resolved)
    if classes:
        views["classes"] = lambda: _classes(resolved)
    if params or csv or not (config or classes or tensor or nearest or diff or trace or attention is not None):
        views["params"] = lambda: _params(resolved)
    if tensor is not None:
        views["tensor"] = lambda: _tensor(resolved, tensor)
    if nearest is not None:
        views["nearest"] = lambda: _nearest(resolved, nearest)
    if diff is not None:
        views["diff"] = lambda: _diff(resolved, resolve(find_target(diff, root)))
    if trace:
        views["trace"] = lambda: _trace(resolved, data)
    if attention is not None:
        views["attention"] = lambda: _attention(resolved, attention, layer or 0, head)
    if csv and (json or len(views) > 1):
        raise InputError("--csv works only with --params; remove the other views and --json")
    found = {name: view() for name, view in views.items()}
    if csv:
        from core.model.parameter_tree import parameters_as_csv

        print(parameters_as_csv(found["params"]), end="")  # noqa: T201
    elif json:
        answers = {name: _as_json(name, answer) for name, answer in found.items()}
        # A single view is the whole answer. A list cannot include origins; they are also printed on stderr.
        answer = answers if len(answers) > 1 else next(iter(answers.values()))
        if isinstance(answer, dict):
            answer["origins"] = {"weights": resolved.origin}
        print(formatting.as_json(answer))  # noqa: T201
    else:
        for name, answer in found.items():
            model_tables.show(name, answer)
    for line in _notes(found):
        err.print(formatting.printable(line), soft_wrap=True)
    err.print(formatting.printable(f"{resolved.target.name}: weights {resolved.origin}"), soft_wrap=True)


def _config(resolved: Resolved) -> Any:
    from core.inspection.config_fields import configuration_fields

    return configuration_fields(resolved.encoder)


def _classes(resolved: Resolved) -> Any:
    from core.inspection.model_classes import head_classes

    return head_classes(resolved.encoder)


def _params(resolved: Resolved) -> Any:
    if resolved.target.file is not None:
        from core.inspection.weights import open_weights

        open_weights(resolved)  # refuse a damaged file before showing its parameters
    return resolved.tree


def _tensor(resolved: Resolved, name: str) -> Any:
    from core.inspection.tensor_stats import tensor_statistics
    from core.inspection.weights import open_weights

    return tensor_statistics(open_weights(resolved), name)


def _nearest(resolved: Resolved, token: str) -> Any:
    from core.inspection.tensor_stats import nearest_tokens
    from core.inspection.weights import open_weights

    return nearest_tokens(open_weights(resolved), resolved.tokenizer, token)


def _diff(resolved: Resolved, other: Resolved) -> Any:
    from core.inspection.weight_diff import compare_targets

    return compare_targets(resolved, other)


def _trace(resolved: Resolved, data: str | None) -> Any:
    from core.config.schema import configure
    from core.inspection.activations import trace_batch
    from core.sources.resolve import open_reviews

    config = configure(resolved.target.config, [], data)
    reviews, origin = open_reviews(config.data.source, config.data.dataset)
    return trace_batch(resolved, reviews, origin.describe())


def _attention(resolved: Resolved, text: str, layer: int, head: int | None) -> Any:
    from core.inspection.attention_maps import attention_of_text

    found = attention_of_text(resolved, text)
    found.matrix(layer, head)  # refuse a layer or head that does not exist
    return found, layer, head


def _as_json(name: str, answer: Any) -> Any:
    if name == "params":
        from core.model.parameter_tree import parameters_as_json

        return parameters_as_json(answer)
    if name == "diff":
        return [{"name": row.name, "relative_l2": row.relative_l2, "cosine": row.cosine} for row in answer.tensors]
    if name == "trace":
        return [row.as_dict() for row in answer.rows]
    if name == "tensor":
        return answer.as_dict()
    if name == "attention":
        found, layer, head = answer
        return {
            "tokens": [token.token for token in found.encoding.tokens],
            "layer": layer,
            "head": head,
            "matrix": found.matrix(layer, head).tolist(),
            "logit": found.logit,
            "full_length": found.encoding.full_length,
            "cut_text": found.encoding.cut_text,
        }
    return [asdict(row) for row in answer]


def _notes(found: dict[str, Any]) -> Iterator[str]:
    """Return notes on the answers, for stderr."""
    with contextlib.suppress(KeyError):
        yield from found["diff"].notes
    if "trace" in found:
        trace = found["trace"]
        yield f"batch of {formatting.counted(len(trace.lengths), 'review')}: {trace.origin}"
        if trace.cut:
            reviews = f"{trace.cut} of {len(trace.lengths)} reviews"
            yield f"truncated: {reviews} are longer than max_length {trace.max_length}"
    if "attention" in found and (cut := found["attention"][0].truncation_note()):
        yield cut
