"""The words of a text are attributed by the model of a live run, as by the checkpoint of the same step."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.analysis.attribution import attribute
from core.analysis.live_text import LiveRequest, live_reader, request_attribution
from core.analysis.scorer import load_scorer
from core.config.schema import RunConfig
from core.errors import InputError
from core.inspection.target import find_target, resolve
from core.runs.directory import Run
from core.runs.events import Event, StepLogged
from core.training.control import Control
from tests.core.support.training import configured, run

TEXT = "a warm film, and a dull play"


def ask_at(step: int, config: RunConfig, root: Path, text: str, most_words: int = 64) -> tuple[Run, LiveRequest, int]:
    """Ask after ``step`` steps and stop there; the run, the request, and the step that answered it."""
    requests: list[LiveRequest] = []
    steps: list[int] = []

    def act(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step == step:
            reader = live_reader(Run(next(root.iterdir())))
            requests.append(request_attribution(control, reader, text, most_words))
            requests[0].answer.add_done_callback(lambda _: steps.append(control.scored_step))
            control.stop("enough")

    done, _ = run(configured(config, train__save_steps=1), root, act)
    return done, requests[0], steps[0]


def test_it_is_the_occlusion_of_the_checkpoint_of_the_same_step(config: RunConfig, tmp_path: Path) -> None:
    done, request, step = ask_at(5, config, tmp_path / "runs", TEXT)
    assert (step, request.is_complete) == (5, True)
    live = request.attribution(request.answer.result(0))
    stored = attribute(load_scorer(resolve(find_target(f"{done.name}@step-5", tmp_path / "runs"))), TEXT)
    assert [word.text for word in live.words] == [word.text for word in stored.words]
    assert [word.effect for word in live.words] == pytest.approx([word.effect for word in stored.words], abs=1e-5)
    assert live.probability == pytest.approx(stored.probability, abs=1e-6)


def test_of_a_text_with_too_many_words_only_the_prediction_is_computed(config: RunConfig, tmp_path: Path) -> None:
    _, request, _ = ask_at(2, config, tmp_path / "runs", TEXT, most_words=3)
    logits = request.answer.result(0)
    assert (len(logits), request.is_complete, request.attribution(logits).words) == (1, False, [])


def test_a_text_without_words_is_refused(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(config, tmp_path / "runs")
    with pytest.raises(InputError, match="the text is empty"):
        request_attribution(Control(), live_reader(done), " \n")
