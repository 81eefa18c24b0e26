"""The output of every module for one batch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.config.schema import RunConfig
from core.data.batches import Batch, Examples
from core.data.reviews import Review
from core.errors import Stopped
from core.inspection.activations import MOST_REVIEWS, BatchTrace, sample_reviews, trace_batch, trace_modules
from core.inspection.target import Target, resolve
from core.inspection.weights import build_model
from core.model.flops import classifier_flops
from tests.core.support.looking import preset_target
from tests.core.support.training import configured

REVIEWS = [Review("a warm film", 1), Review("dull", 0), Review("a tedious bore was the plot . " * 5, 0)] * 4


def batch_of(*rows: list[int]) -> Batch:
    examples = Examples(list(rows), [0] * len(rows), list(range(len(rows))))
    return examples.batch(range(len(rows)), torch.device("cpu"))


@pytest.fixture
def trace(config: RunConfig) -> BatchTrace:
    return trace_batch(resolve(Target("tiny", config)), REVIEWS, "twelve.csv")


def test_every_called_module_has_a_row_in_order(trace: BatchTrace) -> None:
    names = [row.module for row in trace.rows]
    assert names[:5] == [f"distilbert.embeddings{end}" for end in
                         (".word_embeddings", ".position_embeddings", ".LayerNorm", ".dropout", "")]  # fmt: skip
    assert names[-4:] == ["distilbert", "dropout", "classifier", "DistilBertClassifier"]
    assert names.index("distilbert.transformer.layer.0.attention") < names.index("distilbert.transformer.layer.0.ffn")


def test_shapes_means_and_deviations_match_the_outputs_of_transformers(folder: Path) -> None:
    resolved = preset_target(folder)
    model = build_model(resolved)
    batch = batch_of([7, 8, 9], [10])
    input_ids, attention_mask = batch.padded()
    rows, logits = trace_modules(model, batch)
    by_name = {row.module: row for row in rows}
    with torch.inference_mode():
        output = model.distilbert(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        expected = model(input_ids, attention_mask)
    for name, hidden in (
        ("distilbert.embeddings", output.hidden_states[0]),
        ("distilbert.transformer.layer.0", output.hidden_states[1]),
        ("distilbert", output.last_hidden_state),
    ):
        assert by_name[name].shape == (2, 3, 16)
        assert by_name[name].mean == pytest.approx(hidden.mean().item(), abs=1e-6)
        assert by_name[name].std == pytest.approx(hidden.std().item(), abs=1e-6)
    assert by_name["distilbert"].bytes == 2 * 3 * 16 * 4
    assert logits == pytest.approx(expected.tolist(), abs=1e-6)


def test_the_operations_sum_to_the_formula(trace: BatchTrace, folder: Path) -> None:
    batch, length = len(trace.lengths), max(trace.lengths)
    assert trace.flops == classifier_flops(preset_target(folder).encoder, batch, length)


def test_the_time_of_a_module_includes_its_submodules(trace: BatchTrace) -> None:
    rows = {row.module: row for row in trace.rows}
    below = [row for name, row in rows.items() if name.startswith("distilbert.transformer.layer.0.attention.")]
    assert sum(row.seconds for row in below) <= rows["distilbert.transformer.layer.0.attention"].seconds
    assert all(row.seconds > 0 for row in trace.rows)


def test_the_trace_has_padding_truncation_and_first_tokens(trace: BatchTrace) -> None:
    assert len(trace.lengths) == 8
    assert max(trace.lengths) == 16
    assert trace.padding == pytest.approx(1 - sum(trace.lengths) / (16 * 8))
    assert trace.cut == sum(length == 16 for length in trace.lengths) > 0
    assert set(trace.first_tokens) <= {"a", "dull"}
    assert trace.origin == "twelve.csv"


def test_a_trace_removes_its_hooks_and_can_be_cancelled(folder: Path) -> None:
    model = build_model(preset_target(folder))
    batch = batch_of([7])

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        trace_modules(model, batch, stop)
    assert len(trace_modules(model, batch)[0]) == len(trace_modules(model, batch)[0])
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_the_sample_depends_on_the_seed_and_is_limited_in_size(config: RunConfig) -> None:
    many = [Review(f"film {i}", i % 2) for i in range(100)]
    assert sample_reviews(many, 5, 1) == sample_reviews(many, 5, 1) != sample_reviews(many, 5, 2)
    large = configured(config, train__batch_size=64)
    assert len(trace_batch(resolve(Target("tiny", large)), many, "").lengths) == MOST_REVIEWS
