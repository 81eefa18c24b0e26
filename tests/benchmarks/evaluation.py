"""Reviews per second of an evaluation, compared with the forward pass alone on the same reviews.

    python -m tests.benchmarks.evaluation [--data FILE] [--preset quick] [--limit 384] [--repeats 3] [--json]

A run of the preset is trained for four steps; its speed does not depend on its weights. Then ``evaluate_on`` and the
forward pass alone take turns after each batch, in one process and over the same batches, so that both see the machine
as it is in the same seconds. The forward pass alone reads batches that were encoded, sorted by length and copied to the
device before. The evaluation counts encoding, prediction and storing; not the reading of the reviews and of the
weights, which takes as long for 100 reviews as for 25,000. The ratio is the speed of the evaluation over all turns
divided by that of the forward pass: at least 0.9 on reviews of the lab.
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

from core.analysis.evaluate_on import GPU_BATCH_SIZE, EvaluationProgress, chunk_size, evaluate_on
from core.analysis.evaluation_data import open_data
from core.analysis.scorer import BATCH_SIZE, Scorer, load_scorer
from core.config.presets import load_preset
from core.config.schema import configure
from core.data.batches import Batch, Examples
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


class ForwardAlone:
    """After each batch of an evaluation, the forward pass of the same reviews; ``seconds`` of each batch."""

    def __init__(self, scorer: Scorer, rows: list[list[int]], batch_size: int) -> None:
        self.scorer = scorer
        device, examples = scorer.engine.device, Examples(rows, [0] * len(rows), list(range(len(rows))))
        self.batches: list[Batch] = []
        start = 0
        while start < len(rows):
            chunk = range(start, min(start + chunk_size(start, batch_size), len(rows)))
            by_length = sorted(chunk, key=lambda i: len(rows[i]), reverse=True)
            starts = range(0, len(by_length), batch_size)
            self.batches += [examples.batch(by_length[at : at + batch_size], device) for at in starts]
            start += len(chunk)
        self.seconds: list[float] = []
        self.paused = 0.0
        self.scorer.forward.eval()
        for batch in self.batches[:2]:
            self._run(batch)

    def __call__(self, _: EvaluationProgress) -> None:
        synchronize(self.scorer.engine.device)  # the evaluation's batch is its own time
        waited = time.perf_counter()
        self.seconds.append(self._run(self.batches[len(self.seconds)]))
        self.paused += time.perf_counter() - waited

    @torch.inference_mode()
    def _run(self, batch: Batch) -> float:
        start = time.perf_counter()
        self.scorer.forward(batch)
        synchronize(self.scorer.engine.device)
        return time.perf_counter() - start


def measure(preset: str, data: str | None, limit: int, repeats: int) -> dict[str, Any]:
    preload()
    with tempfile.TemporaryDirectory() as folder:
        run = trained(preset, data, Path(folder))
        resolved = resolve(find_target(run.name, Path(folder)))
        settings = resolved.target.config
        scorer = load_scorer(resolved, settings.engine)
        batch_size = GPU_BATCH_SIZE if scorer.engine.device.type == "cuda" else BATCH_SIZE
        found = open_data(run, "rest")
        rows = encode_ids(
            resolved.tokenizer,
            [found.texts[i] for i in found.order[:limit]],
            add_special_tokens=settings.data.add_special_tokens,
            max_length=scorer.max_length,
        )
        forward, evaluation = [], []
        for turn in range(repeats):
            alone = ForwardAlone(scorer, rows, batch_size)
            result = evaluate_on(resolved, limit=limit, label=f"turn-{turn}", on_progress=alone)
            forward.append(len(rows) / sum(alone.seconds))
            evaluation.append(len(rows) / (result.stored.seconds - alone.paused))
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
        "ratio": statistics.harmonic_mean(evaluation) / statistics.harmonic_mean(forward),
        "ratios": ratios,
        "bound": BOUND,
    }


def table(answer: dict[str, Any]) -> list[str]:
    """The lines to print."""
    lines = [
        f"preset {answer['preset']}, {answer['reviews']} reviews of {answer['tokens_per_review']:.0f} tokens, "
        f"{answer['device']}, {answer['dtype']}, {answer['threads']} threads"
    ]
    for name in ("forward", "evaluation"):
        values = answer[f"{name}_reviews_per_second"]
        lines.append(f"{name:<14}{statistics.harmonic_mean(values):>9.1f} reviews/s")
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
