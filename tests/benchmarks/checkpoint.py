"""Measure how long training waits for a checkpoint, compared with a ``torch.save`` of the same tensors.

    python -m tests.benchmarks.checkpoint [--repeats 5] [--json]

One process trains DistilBERT of the base size with AdamW (a checkpoint has 796 MB) in steps of 8 reviews of 64 tokens.
Each turn makes three steps, a checkpoint with three steps while it is written, and a ``torch.save`` with fsync. Printed
are medians without the first turn:

step_ms                a step while nothing is written
stall_ms               the time that training waits for a checkpoint
step_beside_ms         a step while a checkpoint is written
written_ms             from the request to the end of writing
torch_save_ms          torch.save and fsync
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from core.checkpoints.async_writer import AsyncWriter
from core.checkpoints.format import TRAINING, WEIGHTS, optimizer_tensors
from core.config.schema import EngineConfig, ModelConfig
from core.engine.device import choose_engine
from core.model.classifier import build_classifier, encoder_config
from core.training.preload import preload


def measure(repeats: int) -> dict[str, object]:
    preload()
    engine = choose_engine(EngineConfig(device="cpu"))
    torch.set_num_threads(engine.threads)
    torch.manual_seed(0)
    model = build_classifier(encoder_config({}), ModelConfig(), None)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    ids, labels = torch.randint(1000, 2000, (8, 64)), torch.ones(8)
    mask = torch.ones_like(ids)

    def step() -> float:
        started = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", engine.dtype, enabled=engine.dtype != torch.float32):
            logits = model(ids, mask)
        binary_cross_entropy_with_logits(logits, labels).backward()
        optimizer.step()
        return time.perf_counter() - started

    step()
    rows: dict[str, list[float]] = {"step": [], "stall": [], "step_beside": [], "written": [], "torch_save": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = AsyncWriter(folder / "checkpoints")
        for repeat in range(repeats + 1):  # the first one also allocates the buffer
            plain = (step() + step() + step()) / 3
            files = {WEIGHTS: dict(model.state_dict()), TRAINING: optimizer_tensors(model, optimizer)}
            started = time.perf_counter()
            writer.start(repeat + 1, files, {}, best_step=0)
            stall = time.perf_counter() - started
            beside = (step() + step() + step()) / 3
            saved = writer.result(wait=True)
            assert saved is not None
            assert saved.error is None
            started = time.perf_counter()
            with (folder / "plain.pt").open("wb") as file:
                torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
                file.flush()
                os.fsync(file.fileno())
            plain_save = time.perf_counter() - started
            for key, value in zip(rows, (plain, stall, beside, saved.seconds, plain_save), strict=True):
                rows[key].append(value)
    medians = {key: statistics.median(values[1:]) for key, values in rows.items()}
    return {
        "megabytes": round(sum(t.nbytes for tensors in files.values() for t in tensors.values()) / 1e6),
        **{f"{key}_ms": round(1000 * value, 1) for key, value in medians.items()},
        "first_stall_ms": round(1000 * rows["stall"][0], 1),
        "stall_to_torch_save": round(medians["stall"] / medians["torch_save"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="turns; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    answer = measure(options.repeats)
    if options.json:
        print(json.dumps(answer))  # noqa: T201
        return
    for name, value in answer.items():
        print(f"{name:<22} {value}")  # noqa: T201


if __name__ == "__main__":
    main()
