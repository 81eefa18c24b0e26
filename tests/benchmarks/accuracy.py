"""Compare validation accuracy with and without the optimisations of training speed, for several seeds.

    python -m tests.benchmarks.accuracy [--preset pretrained] [--data FILE] [--seeds 5] [--set F=V]… [--json]

For each seed the preset is trained twice: ``fast``, with the engine that is chosen on this machine, and ``plain``, with
float32, padded batches, eager attention and torch's own dropout. Both runs have the same seed, split, order and initial
weights, but different dropout masks. Printed are both accuracies after the last epoch, and the mean difference with its
95 % interval (Student's t over the seeds).
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
    """Train a run in a temporary folder. Returns its validation accuracy after the last epoch in percent."""
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
        started = time.monotonic()
        fast = accuracy(seeded)
        print(f"seed {seed}: fast {fast:.2f} %", file=sys.stderr, flush=True)  # noqa: T201
        between = time.monotonic()
        plain = accuracy(configure(seeded, PLAIN, None))
        row = {
            "seed": seed,
            "fast": fast,
            "plain": plain,
            "fast_seconds": between - started,
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
    parser.add_argument("--preset", default="pretrained", help="default: %(default)s")
    parser.add_argument("--data", help="a file of reviews to use instead of the preset's")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds; default: %(default)s")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.FIELD=VALUE", help="change a field of the preset"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    answer = measure(configure(load_preset(options.preset), options.set, options.data), max(options.seeds, 2))
    if options.json:
        print(json.dumps(answer))  # noqa: T201
        return
    for row in answer["runs"]:
        print(f"seed {row['seed']}: fast {row['fast']:.2f} %, plain {row['plain']:.2f} %")  # noqa: T201
    low, high = answer["interval"]
    verdict = "contains" if low <= 0 <= high else "does not contain"
    print(  # noqa: T201
        f"mean difference {answer['mean_difference']:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f}, "
        f"which {verdict} 0"
    )


if __name__ == "__main__":
    main()
