"""Whether what makes training fast changes what it learns: validation accuracy against the plain way, seed by seed.

    python -m tests.benchmarks.accuracy [--preset pretrained] [--data FILE] [--seeds 5] [--set F=V]… [--json]

For each seed the preset is trained twice, as the engine chooses on this machine, and in the plain way: float32, padded
batches, transformers' eager attention, torch's Bernoulli masks. Seed, split, order and first weights are the same;
the dropout masks are not. Printed are both accuracies after the last epoch, and the mean of their differences with
its 95 % interval (Student's t over the seeds).
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scipy.stats import t as student

from core.config.presets import load_preset
from core.config.schema import RunConfig, configure
from core.training.control import Control
from core.training.preload import preload

PLAIN = [
    "engine.dtype=float32",
    "engine.forward=padded",
    "engine.attention=eager",
    "engine.dropout=bernoulli",
    "engine.optimizer=plain",
]


def accuracy(config: RunConfig) -> float:
    """Validation accuracy after the last epoch, in percent, of a run that is thrown away."""
    from core.training.loop import train

    with tempfile.TemporaryDirectory() as folder:
        state = train(config.set("train.save_seconds", 0.0), Path(folder), Control(), lambda _: None).state()
        if state.status != "completed":
            raise SystemExit(f"a run ended as {state.status}: {state.log[-1]}")
        return 100 * state.epochs[-1].val_accuracy


def measure(config: RunConfig, seeds: int) -> dict[str, Any]:
    preload()
    rows = []
    for seed in range(seeds):
        seeded = config.set("train.seed", seed)
        began = time.monotonic()
        fast = accuracy(seeded)
        print(f"seed {seed}: fast {fast:.2f} %", file=sys.stderr, flush=True)  # noqa: T201
        between = time.monotonic()
        plain = accuracy(configure(seeded, PLAIN, None))
        row = {
            "seed": seed,
            "fast": fast,
            "plain": plain,
            "fast_seconds": between - began,
            "plain_seconds": time.monotonic() - between,
        }
        print(json.dumps(row), file=sys.stderr, flush=True)  # noqa: T201
        rows.append(row)
    differences = [row["fast"] - row["plain"] for row in rows]
    mean = statistics.mean(differences)
    half = float(student.ppf(0.975, seeds - 1)) * statistics.stdev(differences) / math.sqrt(seeds)
    return {"preset": config.preset, "runs": rows, "mean_difference": mean, "interval": [mean - half, mean + half]}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", default="pretrained")
    parser.add_argument("--data", help="a file of reviews instead of the preset's own")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.FIELD=VALUE")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    answer = measure(configure(load_preset(options.preset), options.set, options.data), max(options.seeds, 2))
    if options.json:
        print(json.dumps(answer))  # noqa: T201
        return
    for row in answer["runs"]:
        print(f"seed {row['seed']}: fast {row['fast']:.2f} %, plain {row['plain']:.2f} %")  # noqa: T201
    low, high = answer["interval"]
    verdict = "holds" if low <= 0 <= high else "does not hold"
    print(  # noqa: T201
        f"mean difference {answer['mean_difference']:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f}: "
        f"it {verdict} 0"
    )


if __name__ == "__main__":
    main()
