"""Reviews per second of an evaluation, compared with the forward pass alone on the same reviews.

    python -m tests.benchmarks.evaluation [--data FILE] [--preset quick] [--limit 384] [--repeats 3] [--json]

A run of the preset is trained for four steps; its speed does not depend on its weights. Then both take turns in one
process: ``evaluate_on`` with a new name, and a loop over batches of the same reviews that were encoded, sorted by
length and copied to the device before. ``evaluation`` counts encoding, prediction and storing; ``with loading`` also
the reading of the reviews and of the weights, which takes as long for 100 reviews as for 25,000. The ratio is the
speed of the evaluation divided by that of the forward pass: at least 0.9 on reviews of the lab.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from core.analysis.evaluate_on import GPU_BATCH_SIZE, EvaluationResult, evaluate_on
from core.analysis.evaluation_data import open_data
from core.analysis.scorer import BATCH_SIZE, Scorer, load_scorer
from core.config.presets import load_preset
from core.config.schema import configure
from core.data.batches import Examples
from core.inspection.target import find_target, resolve
from core.runs.directory import Run
from core.tokenization.encode import encode_ids
from core.training.control import Control
from core.training.loop import train
from core.training.preload import preload
from tests.benchmarks.loops import synchronize

BOUND = 0.9


def trained(preset: str, data: str | None, root: Path) -> Run:
    """A run of ``preset`` after four steps."""
    config = load_preset(preset)
    batch = config.train.batch_size
    changes = ["train.num_epochs=1", f"data.n_samples={5 * batch}", "data.test_size=0.2"]
    return train(configure(config, changes, data), root, Control(), lambda _: None)


def forward_seconds(scorer: Scorer, examples: Examples, batch_size: int) -> float:
    """Seconds of the forward passes over all of ``examples``, and nothing else."""
    order = sorted(range(len(examples)), key=lambda i: len(examples.input_ids[i]), reverse=True)
    device = scorer.engine.device
    batches = [examples.batch(order[at : at + batch_size], device) for at in range(0, len(order), batch_size)]
    scorer.forward.eval()
    synchronize(device)
    start = time.perf_counter()
    with torch.inference_mode():
        for batch in batches:
            scorer.forward(batch)
    synchronize(device)
    return time.perf_counter() - start


def first_of(examples: Examples, n: int) -> Examples:
    return Examples(examples.input_ids[:n], examples.labels[:n], examples.example_ids[:n])


def measure(preset: str, data: str | None, limit: int, repeats: int) -> dict[str, Any]:
    preload()
    with tempfile.TemporaryDirectory() as folder:
        run = trained(preset, data, Path(folder))
        resolved = resolve(find_target(run.name, Path(folder)))
        scorer = load_scorer(resolved, resolved.target.config.engine)
        batch_size = GPU_BATCH_SIZE if scorer.engine.device.type == "cuda" else BATCH_SIZE
        found = open_data(run, "rest")
        rows = encode_ids(
            resolved.tokenizer,
            [found.texts[i] for i in found.order[:limit]],
            add_special_tokens=resolved.target.config.data.add_special_tokens,
            max_length=scorer.max_length,
        )
        examples = Examples(rows, [0] * len(rows), list(range(len(rows))))
        forward_seconds(scorer, first_of(examples, 2 * batch_size), batch_size)  # not counted
        forward, evaluation, whole = [], [], []
        for turn in range(repeats):
            forward.append(len(rows) / forward_seconds(scorer, examples, batch_size))
            start = time.perf_counter()
            result: EvaluationResult = evaluate_on(resolved, limit=limit, label=f"turn-{turn}")
            whole.append(result.computed / (time.perf_counter() - start))
            evaluation.append(result.computed / result.stored.seconds)
    ratios = [one / other for one, other in zip(evaluation, forward, strict=True)]
    return {
        "preset": preset,
        "reviews": len(rows),
        "tokens_per_review": sum(map(len, rows)) / len(rows),
        "device": str(scorer.engine.device),
        "dtype": scorer.engine.dtype_name,
        "threads": torch.get_num_threads(),
        "forward_reviews_per_second": forward,
        "evaluation_reviews_per_second": evaluation,
        "with_loading_reviews_per_second": whole,
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "bound": BOUND,
    }


def table(answer: dict[str, Any]) -> list[str]:
    """The lines to print."""
    lines = [
        f"preset {answer['preset']}, {answer['reviews']} reviews of {answer['tokens_per_review']:.0f} tokens, "
        f"{answer['device']}, {answer['dtype']}, {answer['threads']} threads"
    ]
    for name in ("forward", "evaluation", "with_loading"):
        values = answer[f"{name}_reviews_per_second"]
        lines.append(f"{name.replace('_', ' '):<14}{statistics.median(values):>9.1f} reviews/s")
    least, most = min(answer["ratios"]), max(answer["ratios"])
    lines.append(f"{'ratio':<14}{answer['ratio']:>9.3f}  ({least:.3f} to {most:.3f}; bound {BOUND})")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", default="quick", help="default: %(default)s")
    parser.add_argument("--data", help="a file of reviews to use instead of the preset's")
    parser.add_argument("--limit", type=int, default=384, help="reviews per turn; default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3, help="turns; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    answer = measure(options.preset, options.data, options.limit, options.repeats)
    print(json.dumps(answer) if options.json else "\n".join(table(answer)))  # noqa: T201


if __name__ == "__main__":
    main()
