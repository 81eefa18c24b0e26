"""Texts are scored with the model of a live run, and training continues bit-identically."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future
from pathlib import Path

import pytest

from core.config.schema import RunConfig
from core.errors import InputError
from core.inspection.target import find_target, resolve
from core.runs.events import ControlReceived, EpochFinished, Event, Progressed, StepLogged
from core.training.control import Control
from tests.core.support.resuming import assert_same, stateful
from tests.core.support.training import configured, on_step, run

ROWS = [[5, 6, 7, 8], [9], [5, 6, 7, 8]]
Answer = Future[list[float]]


def test_a_run_that_is_scored_after_each_step_is_bit_identical_to_one_that_is_not(
    config: RunConfig, tmp_path: Path
) -> None:
    config = stateful(config)
    plain, _ = run(config, tmp_path / "plain")
    answers: list[Answer] = []

    def act(event: Event, control: Control) -> None:
        if isinstance(event, (StepLogged, EpochFinished)):
            answers.append(control.request_logits(ROWS))

    scored, _ = run(config, tmp_path / "scored", act)
    assert_same(scored, plain)
    logits = [answer.result(0) for answer in answers[:-1]]
    assert all(each[0] == each[2] != each[1] for each in logits)
    assert len({each[0] for each in logits}) == 12  # after 12 steps; the 3 requests after a validation are of no step


@pytest.mark.parametrize("forward", ["unpadded", "padded"])
def test_the_logits_are_those_of_the_checkpoint_of_the_same_step(
    config: RunConfig, tmp_path: Path, forward: str
) -> None:
    from core.analysis.scorer import load_scorer

    config = configured(config, model__head_dropout=0.3, train__save_steps=1, engine__forward=forward)
    answers: list[Answer] = []

    def act(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step == 6:
            answers.append(control.request_logits(ROWS))
            control.stop("enough")

    done, _ = run(config, tmp_path, act)
    scorer = load_scorer(resolve(find_target(f"{done.name}@step-6", tmp_path)))
    assert answers[0].result(0) == pytest.approx(scorer.logits(ROWS), abs=1e-6)


def test_a_paused_run_answers_at_once_and_stays_paused(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Control, "POLL_S", 60.0)  # an answer that needed a poll would come too late
    given: list[list[float]] = []

    def ask(control: Control) -> None:
        given.append(control.request_logits(ROWS).result(20))
        given.append(control.request_logits(ROWS).result(20))
        assert control.pause_requested
        control.resume()

    threads: list[threading.Thread] = []

    def act(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step == 3:
            control.pause()
        if isinstance(event, ControlReceived) and event.action == "pause":
            threads.append(threading.Thread(target=ask, args=(control,)))
            threads[0].start()

    _, recorder = run(config, tmp_path, act)
    threads[0].join(20)
    assert recorder.end.status == "completed"
    assert given[0] == given[1]
    assert [event.action for event in recorder.of(ControlReceived)] == ["pause", "resume"]


def test_a_validation_answers_between_two_batches(config: RunConfig, tmp_path: Path) -> None:
    config = configured(config, data__test_size=0.5, train__batch_size=4, train__num_epochs=1)
    answers: list[Answer] = []
    answered: list[bool] = []

    def act(event: Event, control: Control) -> None:
        if isinstance(event, Progressed) and event.message == "validating":
            answered.extend(answer.done() for answer in answers)
            answers[:] = [control.request_logits(ROWS)]

    done, _ = run(config, tmp_path / "scored", act)
    assert answered == [True] * 4
    assert_same(done, run(config, tmp_path / "plain")[0])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[]], "0 tokens; this model reads 1 to"),
        ([[5], [1] * 10_000], "10000 tokens"),
        ([[5, -1]], "not in the model's vocabulary"),
        ([[5, 10**9]], "not in the model's vocabulary"),
    ],
)
def test_rows_that_the_model_cannot_read_are_refused_and_training_continues(
    config: RunConfig, tmp_path: Path, rows: list[list[int]], message: str
) -> None:
    answers: list[Answer] = []
    _, recorder = run(config, tmp_path, on_step(2, lambda control: answers.append(control.request_logits(rows))))
    with pytest.raises(InputError, match=message):
        answers[0].result(0)
    assert recorder.end.status == "completed"


@pytest.mark.parametrize("end", ["stop", "discard"])
def test_a_request_that_is_not_answered_when_the_run_ends_is_refused(
    config: RunConfig, tmp_path: Path, end: str
) -> None:
    answers: list[Answer] = []
    controls: list[Control] = []

    def act(event: Event, control: Control) -> None:
        controls.append(control)
        if isinstance(event, ControlReceived) and event.action == end:
            answers.append(control.request_logits(ROWS))
        if isinstance(event, StepLogged) and event.step == 2:
            getattr(control, end)("enough")

    done, _ = run(config, tmp_path, act)
    answers.append(controls[0].request_logits(ROWS))
    for answer in answers:
        with pytest.raises(InputError, match=f"run {done.name} has ended; use one of its checkpoints"):
            answer.result(0)


def test_a_cancelled_request_is_not_computed() -> None:
    control = Control()
    first, second = control.request_logits([[1]]), control.request_logits([[2]])
    first.cancel()
    computed: list[object] = []
    control.answer_requests(lambda rows: computed.append(rows) or [0.5], 7)  # type: ignore[func-returns-value]
    assert computed == [[[2]]]
    assert second.result(0) == [0.5]
    with pytest.raises(CancelledError):
        first.result(0)


def test_several_processes_refuse_to_score_with_the_reason(config: RunConfig) -> None:
    control = Control()
    waiting = control.request_logits(ROWS)
    control.refuse_requests("several processes train this run")
    for answer in (waiting, control.request_logits(ROWS)):
        with pytest.raises(InputError, match="several processes train this run"):
            answer.result(0)
