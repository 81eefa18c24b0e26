"""Attributions: occlusion against predictions of changed texts, integrated gradients against captum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from core.analysis.attribution import Method, attribute
from core.analysis.bag_of_words import bag_of_words_of
from core.analysis.integrated_gradients import STEPS, integrated_gradients, token_attributions
from core.analysis.occlusion import occlusion
from core.analysis.run_reviews import reviews_of_run
from core.analysis.scorer import Scorer, load_scorer
from core.analysis.word_effects import overall_word_effects
from core.config.schema import RunConfig
from core.errors import InputError, Stopped
from core.inspection.target import find_target, resolve
from core.runs.directory import Run
from tests.core.support.commands import Call, refused
from tests.core.support.training import configured, run

TEXT = "a warm film, dull plot."


@pytest.fixture(params=[("linear", False), ("linear", True), ("sequence-classification", True)], ids=str)
def done(request: pytest.FixtureRequest, config: RunConfig, tmp_path: Path) -> Run:
    head, special = request.param
    config = configured(config, train__num_epochs=1, model__head=head, data__add_special_tokens=special)
    return run(config, tmp_path / "runs")[0]


@pytest.fixture
def scorer(done: Run) -> Scorer:
    return load_scorer(resolve(find_target(str(done.path), done.path.parent)))


def logit(scorer: Scorer, text: str) -> float:
    return scorer.logits([scorer.encode(text).input_ids])[0]


def test_the_effect_of_a_removed_word_is_the_change_of_the_logit_without_it(scorer: Scorer) -> None:
    found = occlusion(scorer, TEXT)
    without = {"warm": "a film, dull plot.", "dull": "a warm film, plot.", ".": "a warm film, dull plot"}
    whole = logit(scorer, TEXT)
    assert found.logit == pytest.approx(whole, abs=1e-5)
    assert found.probability == pytest.approx(torch.sigmoid(torch.tensor(whole)).item(), abs=1e-6)
    effects = {word.text: word.effect for word in found.words}
    assert list(effects) == ["a", "warm", "film", ",", "dull", "plot", "."]
    for word, text in without.items():
        assert effects[word] == pytest.approx(whole - logit(scorer, text), abs=1e-5)


def test_a_masked_word_stays_in_its_place_as_mask(scorer: Scorer) -> None:
    found = attribute(scorer, TEXT, "mask")
    (effect,) = (word.effect for word in found.words if word.text == "dull")
    assert effect == pytest.approx(found.logit - logit(scorer, "a warm film, [MASK] plot."), abs=1e-5)


def test_integrated_gradients_equal_captums_and_sum_to_the_change_of_the_logit(scorer: Scorer) -> None:
    from captum.attr import LayerIntegratedGradients

    model: Any = scorer.model
    with torch.no_grad():  # a tiny head is close to 0, where every method would agree
        for name, parameter in model.named_parameters():
            if "classifier" in name:
                parameter.mul_(30)
    encoding = scorer.encode(TEXT)
    ids = torch.tensor([encoding.input_ids])
    pad = scorer.resolved.tokenizer.token_to_id("[PAD]")
    base = torch.tensor([[token.id if token.kind == "special" else pad for token in encoding.tokens]])
    reference = LayerIntegratedGradients(
        lambda input_ids: model(input_ids, torch.ones_like(input_ids)), model.distilbert.embeddings.word_embeddings
    )
    expected = reference.attribute(ids, base, n_steps=200).sum(-1)[0].detach()
    by_token, end, start = token_attributions(scorer, encoding)
    assert by_token.abs().max() > 0.005
    assert torch.allclose(by_token.float(), expected, atol=1e-3)
    assert end == pytest.approx(logit(scorer, TEXT), abs=1e-5)
    found = integrated_gradients(scorer, TEXT)
    assert found.completeness_error == pytest.approx(0.0, abs=1e-3)
    assert sum(word.effect for word in found.words) == pytest.approx(end - start, abs=1e-3)
    assert found.base_logit == pytest.approx(start)


def test_integrated_gradients_use_no_dropout_after_other_texts_were_scored(scorer: Scorer) -> None:
    for module in scorer.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5  # the tiny model has none
    whole = logit(scorer, TEXT)
    assert not scorer.model.training
    assert integrated_gradients(scorer, TEXT).logit == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("method", ["occlusion", "mask", "integrated-gradients"])
def test_only_the_part_that_the_model_reads_has_effects(scorer: Scorer, method: Method) -> None:
    found = attribute(scorer, "film joy " * 12_000, method)
    assert (found.tokens, found.full_length >= 24_000) == (16, True)
    assert found.cut_from is not None
    assert len(found.words) in (14, 16)  # with and without special tokens
    assert all(word.end <= found.cut_from for word in found.words)


@pytest.mark.parametrize("method", ["occlusion", "mask", "integrated-gradients"])
def test_a_single_word_has_an_effect_and_a_text_without_words_is_refused(scorer: Scorer, method: Method) -> None:
    assert [word.text for word in attribute(scorer, "film", method).words] == ["film"]
    with pytest.raises(InputError, match="enter at least one word"):
        attribute(scorer, " \n ", method)


def test_work_that_is_cancelled_ends_between_two_batches(scorer: Scorer) -> None:
    def cancel() -> None:
        raise Stopped

    for method in ("occlusion", "integrated-gradients"):
        with pytest.raises(Stopped):
            attribute(scorer, TEXT, method, cancel)


@pytest.mark.parametrize(("method", "total"), [("occlusion", 8), ("integrated-gradients", STEPS)])
def test_progress_reaches_the_number_of_forward_passes(scorer: Scorer, method: Method, total: int) -> None:
    seen: list[tuple[int, int]] = []
    found = attribute(scorer, TEXT, method, on_progress=lambda *progress: seen.append(progress))
    assert seen[-1] == (total, total)
    assert method != "occlusion" or total == len(found.words) + 1


def test_the_effect_of_a_word_overall_is_the_mean_over_its_occurrences(scorer: Scorer) -> None:
    texts = ["warm film", "Warm warm joy", " "]
    found = overall_word_effects(scorer, texts, {"warm": 1.5})
    assert (found.done, found.reviews) == (3, 3)
    (warm,) = (word for word in found.words if word.word == "warm")
    effects = [
        word.effect for text in texts[:2] for word in occlusion(scorer, text).words if word.text.lower() == "warm"
    ]
    assert (warm.count, warm.reviews, warm.coefficient) == (3, 2, 1.5)
    assert warm.mean_effect == pytest.approx(sum(effects) / 3)
    assert [word.word for word in found.frequent(2)] == ["warm"]
    assert next(word for word in found.words if word.word == "joy").coefficient is None


def test_a_stop_leaves_the_effects_of_the_reviews_so_far(scorer: Scorer) -> None:
    seen: list[tuple[int, int]] = []
    found = overall_word_effects(
        scorer, ["warm film", "dull", "joy"], on_progress=lambda *n: seen.append(n), is_stopped=lambda: len(seen) == 2
    )
    assert (found.done, found.reviews, seen) == (2, 3, [(1, 3), (2, 3)])
    assert {word.word for word in found.words} == {"warm", "film", "dull"}


def test_a_stop_within_a_review_drops_that_review_and_one_before_the_first_raises(scorer: Scorer) -> None:
    asked: list[int] = []

    def on_third() -> bool:
        asked.append(1)
        return len(asked) == 3

    found = overall_word_effects(scorer, ["warm film", "dull"], is_stopped=on_third)  # batch, review, batch
    assert (found.done, {word.word for word in found.words}) == (1, {"warm", "film"})
    with pytest.raises(Stopped):
        overall_word_effects(scorer, ["warm film"], is_stopped=lambda: True)


def test_a_part_of_the_words_of_each_review_has_the_effects_that_all_of_them_have(scorer: Scorer) -> None:
    texts = ["a warm film", "joy"]
    found = overall_word_effects(scorer, texts, per_review=2)
    everything = {word.word: word.mean_effect for word in overall_word_effects(scorer, texts).words}
    assert len(found.words) == 3
    assert {"joy"} < {word.word for word in found.words} < everything.keys()
    for word in found.words:
        assert word.mean_effect == pytest.approx(everything[word.word], abs=1e-5)
    assert overall_word_effects(scorer, texts, per_review=2) == found


def test_explain_prints_the_words_and_answers_in_json(call: Call, done: Run) -> None:
    root = done.path.parent
    code, out, err = call("explain", "last", TEXT, "--runs-dir", root)
    assert code == 0
    assert out.startswith(TEXT)
    assert "P(positive)" in err
    code, out, _ = call("explain", "last", TEXT, "--method", "integrated-gradients", "--json", "--runs-dir", root)
    answer = json.loads(out)
    assert (answer["method"], answer["truncated"]) == ("integrated-gradients", False)
    assert {"probability", "logit", "base_logit", "completeness_error"} < answer.keys()
    assert [TEXT[word["start"] : word["end"]] for word in answer["words"]] == [word["text"] for word in answer["words"]]
    assert "methods are occlusion" in refused(call("explain", "last", TEXT, "--method", "lime", "--runs-dir", root))
    assert "takes one text" in refused(call("explain", "last", "a", "b", "--runs-dir", root))


def test_words_stand_beside_their_coefficient_in_a_bag_of_words(call: Call, done: Run) -> None:
    code, out, _ = call("words", "last", "--limit", 4, "--least", 1, "--json", "--runs-dir", done.path.parent)
    answer = json.loads(out)
    assert (code, answer["reviews"], answer["of"]) == (0, 4, 4)
    coefficients = bag_of_words_of(done).by_word()
    assert {word["word"]: word["coefficient"] for word in answer["words"]} == {
        word["word"]: coefficients.get(word["word"]) for word in answer["words"]
    }
    assert any(word["coefficient"] is not None for word in answer["words"])
    texts = " ".join(reviews_of_run(done).texts(reviews_of_run(done).validation)).lower()
    assert all(word["word"] in texts for word in answer["words"])
