"""The unpadded forward pass against transformers' own on padded batches: the same logits and gradients."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate

import pytest
import torch

from core.config.encoder_overrides import EncoderOverrides
from core.config.schema import EngineConfig, ModelConfig
from core.data.batches import Batch, Examples
from core.engine.device import choose_engine
from core.errors import InputError
from core.model.attention import flash_attention, per_review_attention
from core.model.classifier import Classifier, build_classifier, encoder_config
from core.model.unpadded import PaddedClassifier, UnpaddedClassifier, forward_of
from core.training.loss import classification_loss

NO_DROPOUT = ("dropout=0", "attention_dropout=0")
PLAIN = EngineConfig(device="cpu", dtype="float32", forward="padded", threads=1)
FAST = EngineConfig(device="cpu", dtype="float32", threads=1)
BFLOAT16 = EngineConfig(device="cpu", dtype="bfloat16", threads=1)
FLASH = EngineConfig(device="cuda", attention="flash")
ON_GPU = EngineConfig(device="cuda", dtype="float32", forward="unpadded")
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def classifier(*overrides: str, head: str = "linear", seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    small = ("n_layers=3", "dim=24", "hidden_dim=40", "n_heads=4", "vocab_size=60")
    fields = {each.split("=")[0]: each for each in (*small, *overrides)}
    model = ModelConfig(init="scratch", head=head)  # type: ignore[arg-type]
    return build_classifier(encoder_config({}, EncoderOverrides.parse(", ".join(fields.values()))), model, None)


Rows = list[list[int]]


def random_rows(lengths: list[int], seed: int = 0) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, 60, (n,), generator=generator).tolist() for n in lengths]


def batch_of(rows: Rows, device: str | torch.device = "cpu") -> Batch:
    examples = Examples(rows, [i % 2 for i in range(len(rows))], list(range(len(rows))))
    return examples.batch(range(len(rows)), torch.device(device))


def logits_and_gradients(
    model: Classifier, config: EngineConfig, rows: Rows
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    model.zero_grad()
    engine = choose_engine(config)
    torch.nn.Module.to(model, engine.device)
    batch = batch_of(rows, engine.device)
    logits = forward_of(model, engine)(batch)
    classification_loss(logits, batch.labels).backward()
    gradients = {name: p.grad.clone().cpu() for name, p in model.named_parameters() if p.grad is not None}
    return logits.detach().cpu(), gradients


def random_lengths(seed: int) -> list[int]:
    draw = random.Random(seed)
    return [draw.randint(1, 512) for _ in range(draw.randint(1, 5))]


@pytest.mark.parametrize("lengths", [[1], [512], [1, 512, 2], [7, 7, 7], *map(random_lengths, range(6))], ids=str)
def test_logits_and_gradients_equal_those_of_the_padded_model(lengths: list[int]) -> None:
    model, rows = classifier(*NO_DROPOUT), random_rows(lengths)
    plain, plain_gradients = logits_and_gradients(model, PLAIN, rows)
    fast, gradients = logits_and_gradients(model, FAST, rows)
    assert fast.dtype == torch.float32
    assert torch.allclose(fast, plain, atol=1e-6)
    assert gradients.keys() == plain_gradients.keys() == dict(model.named_parameters()).keys()
    for name, gradient in plain_gradients.items():
        assert torch.allclose(gradients[name], gradient, atol=1e-6 + 1e-5 * gradient.abs().max().item()), name


@pytest.mark.parametrize("tokens", [54, 64])
def test_filling_a_batch_up_changes_neither_logits_nor_gradients(tokens: int) -> None:
    model, rows = classifier(*NO_DROPOUT), random_rows([3, 50, 1])
    plain, plain_gradients = logits_and_gradients(model, FAST, rows)
    model.zero_grad()
    filled = batch_of(rows).filled_up(tokens)
    assert filled.cu_seqlens.tolist() == [0, 3, 53, 54, tokens]
    logits = forward_of(model, choose_engine(FAST))(filled)
    classification_loss(logits, filled.labels).backward()
    assert torch.allclose(logits, plain, atol=1e-6)
    for name, gradient in plain_gradients.items():
        assert torch.allclose(model.get_parameter(name).grad, gradient, atol=1e-6), name  # type: ignore[arg-type]


@pytest.mark.parametrize("overrides", [("n_layers=1",), ("activation=relu",), ("sinusoidal_pos_embds=true",)])
@pytest.mark.parametrize("head", ["linear", "sequence-classification"])
def test_logits_and_gradients_equal_the_padded_ones_for_other_configurations_and_heads(
    overrides: tuple[str, ...], head: str
) -> None:
    model, rows = classifier(*NO_DROPOUT, *overrides, head=head), random_rows([3, 30, 1])
    plain, plain_gradients = logits_and_gradients(model, PLAIN, rows)
    fast, gradients = logits_and_gradients(model, FAST, rows)
    assert torch.allclose(fast, plain, atol=1e-6)
    assert gradients.keys() == plain_gradients.keys()


@pytest.mark.parametrize("config", [BFLOAT16, pytest.param(FLASH, marks=GPU)], ids=["cpu", "flash"])
@pytest.mark.parametrize("heads", [("n_heads=4",), ("dim=64", "n_heads=1")], ids=str)
def test_bfloat16_and_flash_attention_change_results_only_by_rounding(
    config: EngineConfig, heads: tuple[str, ...]
) -> None:
    model, rows = classifier(*NO_DROPOUT, *heads), random_rows([40, 3, 111])
    plain, plain_gradients = logits_and_gradients(model, PLAIN, rows)
    fast, gradients = logits_and_gradients(model, config, rows)
    assert torch.allclose(fast, plain, atol=0.02)
    assert not torch.equal(fast, plain)
    for name, gradient in gradients.items():
        assert gradient.dtype == torch.float32
        if "k_lin.bias" not in name:  # its gradient is 0 except for rounding
            similar = torch.cosine_similarity(gradient.flatten(), plain_gradients[name].flatten(), dim=0)
            assert similar > 0.99, name


def test_frozen_parameters_get_no_gradient() -> None:
    model, rows = classifier(*NO_DROPOUT), random_rows([5, 9])
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("layer.1" in name or name.startswith("classifier"))
    _, plain = logits_and_gradients(model, PLAIN, rows)
    _, gradients = logits_and_gradients(model, FAST, rows)
    assert gradients.keys() == plain.keys()
    assert 0 < len(gradients) < len(list(model.parameters()))
    assert all(torch.allclose(gradients[name], plain[name], atol=1e-6) for name in plain)


@pytest.mark.parametrize(
    "config",
    [FAST, pytest.param(ON_GPU, marks=GPU)],
    ids=["cpu", "gpu"],
)
@pytest.mark.parametrize("name", ["dropout=0.4", "attention_dropout=0.4"])
def test_dropout_is_applied_only_in_training_and_does_not_change_the_mean(name: str, config: EngineConfig) -> None:
    copies, found = 600, []
    for each in (PLAIN, config):
        engine, model = choose_engine(each), classifier(*NO_DROPOUT, name)
        torch.nn.Module.to(model, engine.device)
        module = forward_of(model, engine)
        same = batch_of(random_rows([13]) * copies, engine.device)  # one review many times, each with its own masks
        torch.manual_seed(0)
        with torch.no_grad():
            found.append(module.train()(same).cpu())
            still = module.eval()(same)
    plain, drawn = found
    assert still.std() < 1e-6 < 1e-3 < drawn.std()
    sigma = math.sqrt((drawn.var().item() + plain.var().item()) / copies)
    assert abs(drawn.mean().item() - plain.mean().item()) < 4 * sigma
    # The standard error of a standard deviation is its 1 / sqrt(2 n) for a normal variable.
    assert drawn.std().item() == pytest.approx(plain.std().item(), rel=4 * math.sqrt(2 / (2 * copies)))


Attend = Callable[[torch.Tensor, list[int], float], torch.Tensor]


def review_by_review(qkv: torch.Tensor, lengths: list[int], rate: float) -> torch.Tensor:
    return per_review_attention(qkv, lengths, 2, rate, "fast")


def by_flash(qkv: torch.Tensor, lengths: list[int], rate: float) -> torch.Tensor:
    cu_seqlens = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device="cuda")
    return flash_attention(qkv, cu_seqlens, max(lengths), 2, rate)


ATTENTIONS = [
    pytest.param(review_by_review, "cpu", torch.float32, id="cpu"),
    pytest.param(review_by_review, "cpu", torch.bfloat16, id="cpu-bfloat16"),
    pytest.param(by_flash, "cuda", torch.bfloat16, marks=GPU, id="flash"),
]


@pytest.mark.parametrize(("attend", "device", "dtype"), ATTENTIONS)
@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_attention_dropout_has_its_rate_and_new_masks_in_each_call(
    attend: Attend, device: str, dtype: torch.dtype, rate: float
) -> None:
    """If all weights are 1/64 and all values 1, an output is the scaled share of weights that were not dropped."""
    n, reviews = 64, 100
    qkv = torch.zeros(n * reviews, 3 * 16, dtype=dtype, device=device)
    qkv[:, 32:] = 1
    torch.manual_seed(0)
    one, other = (attend(qkv, [n] * reviews, rate).float()[:, ::8].flatten() for _ in range(2))  # one per head
    variance = rate / (1 - rate) / n
    assert abs(one.mean().item() - 1) < 4 * math.sqrt(variance / len(one))
    assert one.var().item() == pytest.approx(variance, rel=4 * math.sqrt(2 / len(one)))
    assert abs(torch.corrcoef(torch.stack([one, other]))[0, 1].item()) < 4 / math.sqrt(len(one))


@pytest.mark.parametrize(("attend", "device", "dtype"), ATTENTIONS)
def test_the_gradient_of_attention_uses_the_masks_of_its_forward_pass(
    attend: Attend, device: str, dtype: torch.dtype
) -> None:
    """Attention is linear in its values: sum(values * their gradient) = sum(output * its gradient) for equal masks."""
    draw = torch.Generator().manual_seed(0)
    qkv = torch.randn(64, 3 * 16, generator=draw).to(device, dtype).requires_grad_()
    gradient = torch.randn(64, 16, generator=draw).to(device, dtype)
    torch.manual_seed(0)
    out = attend(qkv, [40, 24], 0.4)
    out.backward(gradient)
    assert qkv.grad is not None
    product = (qkv.grad * qkv)[:, 32:].double().sum().item()
    scale = (out * gradient).double().norm().item()
    assert product == pytest.approx((out * gradient).double().sum().item(), abs=0.05 * scale)
    torch.manual_seed(1)
    assert product != pytest.approx((attend(qkv, [40, 24], 0.4) * gradient).double().sum().item(), abs=0.05 * scale)


@pytest.mark.parametrize("masks", ["fast", "bernoulli"])
def test_attention_with_dropout_passes_gradcheck(masks: str) -> None:
    """gradcheck compares with differences of the function itself, with the masks fixed by the seed."""
    qkv = torch.randn(9, 3 * 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def attended(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(7)
        return per_review_attention(x, [4, 1, 4], 2, 0.3, masks)  # type: ignore[arg-type]

    assert torch.autograd.gradcheck(attended, (qkv,))


def test_attention_does_not_change_the_input_of_a_review_of_one_token() -> None:
    qkv = torch.randn(1, 3 * 8)
    before = qkv.clone()
    per_review_attention(qkv.requires_grad_(), [1], 2, 0.0, "fast").backward(gradient := torch.ones(1, 8))
    assert torch.equal(qkv, before)
    assert torch.equal(gradient, torch.ones(1, 8))


def test_a_review_does_not_change_the_logit_of_another() -> None:
    model, rows = classifier(*NO_DROPOUT), random_rows([12, 8])
    module = forward_of(model, choose_engine(FAST)).eval()
    with torch.no_grad():
        both, alone = module(batch_of(rows)), module(batch_of(rows[:1]))
        changed = module(batch_of([rows[0], [(id_ + 1) % 60 for id_ in rows[1]]]))
    assert torch.allclose(both[0], alone[0], atol=1e-6)
    assert torch.equal(both[0], changed[0])
    assert not torch.equal(both[1], changed[1])


def test_heads_too_large_for_flash_attention_are_refused() -> None:
    engine = replace(choose_engine(FAST), attention="flash")
    forward_of(classifier("dim=512", "n_heads=2"), engine)
    with pytest.raises(InputError, match=r"heads of at most 256 dimensions, this model has 258; set engine\.forward"):
        forward_of(classifier("dim=516", "n_heads=2"), engine)


def test_the_engine_chooses_the_forward_pass() -> None:
    model = classifier()
    assert isinstance(forward_of(model, choose_engine(PLAIN)), PaddedClassifier)
    assert isinstance(forward_of(model, choose_engine(FAST)), UnpaddedClassifier)
    assert math.isfinite(forward_of(model, choose_engine(FAST))(batch_of([[3, 4, 5]])).item())
