"""Samples per second of the lab notebook's loop, of transformers' Trainer, and of imdb-tui, on the same reviews.

    python -m tests.benchmarks.throughput [--preset scratch] [--data FILE] [--samples 160] [--repeats 3]
                                          [--parts] [--json]

All loops run in one process and take turns, A B C A B C, each over the same reviews after one step that is not counted.
Printed are medians over the turns, and ratios within a turn. ``floor`` is the speed if a step took only the time of its
matrix products (without padding, and in the last layer only for position 0) at the highest rate that products of these
shapes reach on this machine. With ``--parts``, imdb-tui also runs with each of its optimisations switched off in turn.
Trainer runs with its fastest settings, and needs accelerate: ``pip install -c constraints.txt accelerate``.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from dataclasses import replace
from typing import Any

import torch
from torch.nn.functional import linear
from transformers import DistilBertConfig, PreTrainedTokenizerFast

from core.config.presets import load_preset
from core.config.schema import RunConfig, configure
from core.data.batches import Examples, encode_examples
from core.data.splits import split_reviews
from core.engine.device import Engine, choose_engine
from core.model.classifier import encoder_config
from core.sources.resolve import open_checkpoint, open_reviews
from core.training.preload import preload
from tests.benchmarks.loops import Loop, Notebook, Ours, Timing, TrainerLoop, synchronize

PLAIN = {
    "forward, attention": {"engine.forward": "padded", "engine.attention": "eager"},
    "dropout": {"engine.dropout": "bernoulli"},
    "optimizer": {"engine.optimizer": "plain"},
    "launch": {"engine.launch": "eager"},
    "memory": {"engine.memory": "release"},
    "dtype": {"engine.dtype": "float32"},
}
"""For each optimisation, the configuration without it."""


def chosen_reviews(config: RunConfig, samples: int, warm: int) -> tuple[Examples, DistilBertConfig, Any]:
    """The first ``samples`` training reviews and those of ``warm`` steps more, the encoder, and the tokenizer."""
    source = open_checkpoint(config.model.checkpoint, pretrained=False, on_download=lambda _: None)
    reviews, _ = open_reviews(config.data.source, config.data.dataset, lambda _: None)
    split = split_reviews(reviews, config.data, seed=config.train.seed, batch_size=config.train.batch_size)
    wanted = samples + warm * config.train.batch_size
    if wanted > len(split.train):
        raise SystemExit(f"--samples: there are only {len(split.train)} training reviews")
    examples = encode_examples(reviews, split.train[:wanted], source.tokenizer, config.data)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=source.tokenizer, pad_token="[PAD]", unk_token="[UNK]")
    return examples, encoder_config(source.config, config.model.encoder), tokenizer


def matrix_rate(encoder: DistilBertConfig, engine: Engine, tokens: int) -> float:
    """The highest rate, in operations per second, of the matrix products of a layer on ``tokens`` tokens."""
    best = 0.0
    for rows, columns in ((encoder.dim, 3 * encoder.dim), (encoder.dim, encoder.hidden_dim)):
        x, w = (torch.randn(*shape).to(engine.device, engine.dtype) for shape in ((tokens, rows), (columns, rows)))
        g = linear(x, w)
        for _ in range(8):
            for left, right in ((x, w.t()), (g, w)):  # as in the forward pass, and for the gradient of its input
                synchronize(engine.device)
                start = time.perf_counter()
                torch.mm(left, right)
                synchronize(engine.device)
                best = max(best, 2 * tokens * rows * columns / (time.perf_counter() - start))
    return best


def floor_operations(encoder: DistilBertConfig, lengths: list[int]) -> float:
    """Operations of a training step on reviews of these lengths: forward, and twice that backward.

    The last layer, a few products on one vector per review, is not counted.
    """
    d, layers = encoder.dim, encoder.n_layers - 1
    linears = 2 * sum(lengths) * layers * (4 * d * d + 2 * d * encoder.hidden_dim)
    attention = 4 * sum(n * n for n in lengths) * layers * d
    return 3.0 * (linears + attention)


def measure(config: RunConfig, samples: int, repeats: int, parts: bool) -> dict[str, Any]:
    preload()
    engine, warm = choose_engine(config.engine), 1
    torch.set_num_threads(engine.threads)
    examples, encoder, tokenizer = chosen_reviews(config, samples, warm)
    loops: list[Loop] = [Notebook(encoder, config, tokenizer)]
    loops += [TrainerLoop(encoder, config, tokenizer, attention) for attention in ("eager", "sdpa")]
    loops.append(Ours(encoder, config))
    if parts:
        for name, changes in PLAIN.items():
            plain = config
            for key, value in changes.items():
                plain = plain.set(key, value)
            if replace(choose_engine(plain.engine), reasons=engine.reasons) == engine:
                continue  # not in use on this machine
            loops.append(Ours(encoder, plain, f"ours, plain {name}"))
    turns: dict[str, list[Timing]] = {loop.name: [] for loop in loops}
    for turn in range(repeats):
        if turn == 1:  # continue with the faster of Trainer's two attentions only
            slower, _ = sorted(loops[1:3], key=lambda loop: speed(turns[loop.name][0]))
            loops.remove(slower)
            del turns[slower.name]
        for loop in loops:
            gc.collect()
            turns[loop.name].append(loop.run(examples, warm))
    if repeats == 1:
        del turns[min(loops[1:3], key=lambda loop: speed(turns[loop.name][0])).name]
    counted = [len(ids) for ids in examples.input_ids[warm * config.train.batch_size :]]
    rate = matrix_rate(encoder, engine, config.train.batch_size * sum(counted) // len(counted))
    floor = len(counted) / (floor_operations(encoder, counted) / rate)
    return {
        "preset": config.preset,
        "reviews": config.data.source,
        "samples": samples,
        "repeats": repeats,
        "engine": engine.describe(),
        "matrix_tflops": rate / 1e12,
        "floor_samples_per_second": floor,
        "loops": {name: summary(timings) for name, timings in turns.items()},
        "ratios": ratios(turns, floor),
    }


def speed(timing: Timing) -> float:
    return timing.samples / timing.seconds


def summary(timings: list[Timing]) -> dict[str, float]:
    def median(values: list[float]) -> float:
        return statistics.median(values)

    return {
        "samples_per_second": median([speed(timing) for timing in timings]),
        "tokens_per_second": median([timing.tokens / timing.seconds for timing in timings]),
        "forward_seconds": median([value for timing in timings for value in timing.forward]),
        "backward_seconds": median([value for timing in timings for value in timing.backward]),
        "optimizer_seconds": median([value for timing in timings for value in timing.optimizer]),
        "peak_megabytes": max(timing.peak_bytes for timing in timings) / 1e6,
    }


def ratios(turns: dict[str, list[Timing]], floor: float) -> dict[str, dict[str, float]]:
    """The ratio of imdb-tui's speed to that of each other loop in each turn: median, minimum and maximum."""
    answer = {}
    for name, timings in turns.items():
        if name == "ours":
            values = [speed(timing) / floor for timing in timings]
        else:
            values = [speed(own) / speed(other) for own, other in zip(turns["ours"], timings, strict=True)]
        label = "ours / floor" if name == "ours" else f"ours / {name}"
        answer[label] = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", default="scratch", help="default: %(default)s")
    parser.add_argument("--data", help="a file of reviews to use instead of the preset's")
    parser.add_argument("--samples", type=int, default=160, help="reviews per turn; default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3, help="turns per loop; default: %(default)s")
    parser.add_argument("--parts", action="store_true", help="also run imdb-tui with each optimisation switched off")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    config = load_preset(options.preset)
    answer = measure(configure(config, [], options.data), options.samples, options.repeats, options.parts)
    if options.json:
        print(json.dumps(answer))  # noqa: T201
        return
    print("\n".join(table(answer)))  # noqa: T201


def table(answer: dict[str, Any]) -> list[str]:
    """The lines to print."""
    lines = [f"preset {answer['preset']}, {answer['samples']} reviews, {answer['repeats']} turns"]
    lines += [f"  {name:<10} {value}" for name, value in answer["engine"].items()]
    lines.append(f"{'':<28}samples/s  tokens/s  forward  backward  optimizer  peak MB")
    for name, row in answer["loops"].items():
        lines.append(
            f"{name:<28}{row['samples_per_second']:>9.2f}{row['tokens_per_second']:>10.0f}"
            f"{row['forward_seconds']:>8.3f}s{row['backward_seconds']:>9.3f}s{row['optimizer_seconds']:>10.3f}s"
            f"{row['peak_megabytes']:>9.0f}"
        )
    label = f"floor, at {answer['matrix_tflops']:.2f} TFLOP/s"
    lines.append(f"{label:<28}{answer['floor_samples_per_second']:>9.2f}")
    for name, row in answer["ratios"].items():
        lines.append(f"{name:<36}{row['median']:.2f}  ({row['least']:.2f} to {row['most']:.2f})")
    return lines


if __name__ == "__main__":
    main()
