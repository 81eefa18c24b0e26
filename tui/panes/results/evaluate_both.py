"""Evaluate two compared runs on the same other reviews: how many, how long, and the work itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.formatting import duration
from tui.panes.results.opponents import shared_data

if TYPE_CHECKING:
    from core.analysis.comparison import AtEpoch, Paired
    from core.analysis.evaluate_on import EvaluationProgress
    from core.analysis.evaluation_plan import EvaluationPlan
    from tui.panes.results.subject import SubjectData
    from tui.workers.inspection import Inspection


def plan(data: SubjectData) -> EvaluationPlan:
    """The sizes that an evaluation can have, with the time that each takes for one run."""
    from core.analysis.evaluation_plan import plan_evaluation

    return plan_evaluation(data.subject.run, data.predictions())


def entries(found: EvaluationPlan) -> list[str]:
    """One line per size, with the time for both runs."""
    times = [
        f"about {duration(2 * size.seconds)}" if size.seconds is not None else "time unknown" for size in found.sizes
    ]
    return [f"{size.n:>7,} reviews · {time} for both" for size, time in zip(found.sizes, times, strict=True)]


def question(pair: Paired | None) -> str:
    """The question for a size; where the two cannot be told apart, it says how many reviews would be needed."""
    asked = "Evaluate both on the same other reviews."
    if pair is None or pair.is_significant:
        return asked
    return f"{asked} About {pair.needed_reviews:,} are needed to see 2 points."


def evaluate_both(first: AtEpoch, second: AtEpoch, limit: int, inspection: Inspection) -> None:
    """Evaluate both on ``limit`` reviews; what is done when the inspection must end is stored.

    Raises InputError if the runs have no reviews in common that neither trained on.
    """
    from core.analysis.evaluate_on import evaluate_on
    from core.inspection.target import find_target, resolve

    data = shared_data(first.run, second.run)
    for at in (first, second):
        target = find_target(f"{at.run.name}@step-{at.finished().step}", at.run.path.parent)

        def report(progress: EvaluationProgress, name: str = at.run.name[16:]) -> None:
            left = f" · {duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
            inspection.report(f"evaluating {name}: {progress.done:,} of {progress.total:,}{left}")

        evaluate_on(resolve(target), data, limit=limit, on_progress=report, stop=lambda: inspection.must_end)
        inspection()
