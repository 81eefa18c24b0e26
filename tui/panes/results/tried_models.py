"""The models that Try shows a text to, checkpoints and the live run; a thread computes, and the newest text wins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message

from core.errors import InputError, Stopped
from core.runs.directory import Run, list_runs
from core.training.preload import preload
from tui.workers.latest import Latest

if TYPE_CHECKING:
    from pathlib import Path

    from core.analysis.attribution import Attribution
    from core.analysis.live_text import LiveReader, LiveRequest
    from core.analysis.scorer import Scorer
    from tui.run_session import RunSession

MOST_RUNS = 20
"""How many runs are offered, the newest ones."""
MOST_WORDS_LIVE = 64
"""While a run trains, the words of longer texts wait: one forward pass per word would take time from the run."""


@dataclass(frozen=True, slots=True)
class TriedModel:
    """A checkpoint of a run; or the live run as it is now, without a step."""

    run: Run
    step: int | None

    @property
    def is_live(self) -> bool:
        return self.step is None

    @property
    def name(self) -> str:
        """Preset and time of the run, which tell runs apart."""
        return f"{self.run.name[16:] or self.run.name} {self.run.created:%H:%M:%S}"

    def describe(self) -> str:
        return f"{self.name} · {'live' if self.is_live else f'step {self.step}'}"


@dataclass
class Tried(Message):
    """A result for a text. Its ``attribution`` has no words until ``is_complete``; without one only ``note`` is new."""

    model: TriedModel
    number: int
    """The number of the text."""
    attribution: Attribution | None = None
    is_complete: bool = False
    step: int = 0
    """The step of a live run that answered."""
    note: str = ""
    error: str = ""


def live_model(session: RunSession, root: Path) -> TriedModel | None:
    """The run that this console trains; None if there is none, or if it has not started its first step."""
    own = session.own
    if not session.is_live or own is None or own.started is None or not own.run:
        return None
    return TriedModel(Run(root / own.run), None)


def stored_models(run: Run) -> list[TriedModel]:
    """The checkpoints of a run, newest first."""
    from core.inspection.target import checkpoints

    return [TriedModel(run, int(name.removeprefix("step-"))) for name in reversed(checkpoints(run))]


def candidates(root: Path) -> list[TriedModel]:
    """The checkpoints of the newest runs, newest first."""
    return [model for run in list_runs(root)[:MOST_RUNS] for model in stored_models(run)]


class Trier:
    """Computes the prediction of the newest text by each model, and then the effects of its words by occlusion."""

    def __init__(self, post: Callable[[Message], Any], session: RunSession) -> None:
        self._post, self._session = post, session
        self._thread = Latest("try")
        self._scorers: dict[TriedModel, Scorer] = {}
        self._readers: dict[Run, LiveReader] = {}
        self._asked: list[Future[list[float]]] = []
        """Answers of the live run that are awaited."""
        self._number = 0

    def submit(self, number: int, text: str, models: Sequence[TriedModel]) -> None:
        """Try ``text`` and post a :class:`Tried` for each result; what was submitted before is cancelled."""
        self.cancel()
        self._number = number
        chosen = list(models)
        if chosen:
            self._thread.submit(lambda: self._work(number, text, chosen))

    def cancel(self) -> None:
        """Stop at the next batch; nothing is posted."""
        self._number = -1
        asked, self._asked = self._asked, []
        for answer in asked:
            answer.cancel()

    def release(self, models: Sequence[TriedModel] = ()) -> None:
        """Release the weights of all models but ``models``."""
        self._scorers = {model: scorer for model, scorer in self._scorers.items() if model in models}

    # In the thread

    def _check(self, number: int) -> None:
        if self._number != number:
            raise Stopped

    def _work(self, number: int, text: str, models: list[TriedModel]) -> None:
        """First all predictions, which take milliseconds, then the words."""
        failed: set[TriedModel] = set()
        for step in (self._predict, self._attribute):
            for model in sorted(models, key=lambda each: not each.is_live):
                try:
                    self._check(number)
                    if model not in failed:
                        step(number, text, model)
                except Stopped:
                    return
                except Exception as error:
                    failed.add(model)
                    reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
                    self._post(Tried(model, number, error=reason.splitlines()[0]))

    def _predict(self, number: int, text: str, model: TriedModel) -> None:
        preload()
        if model.is_live:
            self._ask(number, text, model)
            return
        from core.analysis.occlusion import attribution_of

        scorer = self._scorer(model)
        encoding = scorer.encode(text)
        if not encoding.tokens:
            raise InputError("the text has no words")
        (logit,) = scorer.logits([encoding.input_ids])
        self._check(number)
        self._post(Tried(model, number, attribution_of(encoding, [], logit, [])))

    def _attribute(self, number: int, text: str, model: TriedModel) -> None:
        if model.is_live:
            return  # it answers with the prediction
        from core.analysis.occlusion import attribution_of, occlusion
        from core.analysis.text_words import words_of

        scorer = self._scorer(model)
        encoding = scorer.encode(text)
        words = words_of(encoding)
        if len(words) > MOST_WORDS_LIVE and self._is_training():
            (logit,) = scorer.logits([encoding.input_ids])
            note = f"words: only up to {MOST_WORDS_LIVE} while a run trains; pause it with p in Train"
            self._post(Tried(model, number, attribution_of(encoding, [], logit, []), note=note))
            return
        found = occlusion(
            scorer, text, check_cancelled=partial(self._check, number), on_progress=partial(self._report, number, model)
        )
        self._check(number)
        self._post(Tried(model, number, found, is_complete=True))

    def _report(self, number: int, model: TriedModel, done: int, total: int) -> None:
        if done < total:
            self._post(Tried(model, number, note=f"words: {100 * done // total} % computed"))

    def _is_training(self) -> bool:
        own = self._session.own
        return self._session.is_live and not (own is not None and own.status == "paused")

    def _scorer(self, model: TriedModel) -> Scorer:
        found = self._scorers.get(model)
        if found is None:
            import torch

            from core.analysis.scorer import load_scorer
            from core.engine.device import usable_cores
            from core.inspection.target import find_target, resolve

            if not self._session.is_live:  # a live run has set it as its configuration wants
                torch.set_num_threads(usable_cores())
            found = load_scorer(resolve(find_target(f"{model.run.name}@step-{model.step}", model.run.path.parent)))
            self._scorers[model] = found
        return found

    # The live run

    def _ask(self, number: int, text: str, model: TriedModel) -> None:
        from core.analysis.live_text import live_reader, request_attribution

        reader = self._readers.get(model.run)
        if reader is None:
            reader = self._readers[model.run] = live_reader(model.run)
        control = self._session.training.control
        request = request_attribution(control, reader, text, MOST_WORDS_LIVE)
        self._asked.append(request.answer)
        if self._number != number:
            request.answer.cancel()
            raise Stopped
        request.answer.add_done_callback(lambda answer: self._answered(number, model, request, answer, control))

    def _answered(
        self, number: int, model: TriedModel, request: LiveRequest, answer: Future[list[float]], control: Any
    ) -> None:
        """Post the answer; called by the thread that trains, or by the one that asks."""
        step = control.scored_step
        if answer.cancelled() or self._number != number:
            return
        error = answer.exception()
        if error is not None:
            self._post(Tried(model, number, error=str(error).splitlines()[0]))
            return
        note = "" if request.is_complete else f"words: only up to {MOST_WORDS_LIVE} by a live run"
        found = request.attribution(answer.result())
        self._post(Tried(model, number, found, is_complete=request.is_complete, step=step, note=note))
