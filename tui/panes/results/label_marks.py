"""The user's decisions about labels that are likely wrong: keep, flip or drop, stored in the run's corrections.csv."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.data.corrections import Decision
    from tui.panes.results.subject import SubjectData

LABELS = ("negative", "positive")
DECISIONS: dict[str, Decision] = {"k": "keep", "f": "flip", "d": "drop"}
"""The decision of each key of the question."""
DECISION_SIGNS: dict[str | None, str] = {"keep": "✓", "flip": "↔", "drop": "✗"}
"""How a decision about a label is shown behind it."""
_PAST: dict[Decision, str] = {"keep": "kept", "flip": "flipped", "drop": "dropped"}


def counts_text(decisions: Mapping[int, Decision]) -> str:
    """Describe how many labels are kept, flipped and dropped; empty if none is."""
    counts = Counter(decisions.values())
    marked = [f"{counts[one]:,} {past}" for one, past in _PAST.items() if counts[one]]
    return f"labels: {', '.join(marked)}" if marked else ""


def answers_for(label: int) -> dict[str, str]:
    """The answers to what shall become of a review with this label, by key."""
    own, other = LABELS[label], LABELS[1 - label]
    return {"k": f"keep the label {own}", "f": f"flip it to {other}", "d": "drop the review", "n": "cancel"}


def store_decision(data: SubjectData, row: int, decision: Decision) -> tuple[dict[int, Decision], Path]:
    """Store the decision about the review at ``row`` of the source; return all decisions and their file.

    Raises InputError if the reviews are not those of the run's own source.
    """
    from core.analysis.label_decisions import corrections_path, decide, decisions_of, require_own_reviews

    reviews = data.run_reviews()
    require_own_reviews(data.predictions(), reviews)
    decide(data.subject.run, reviews, {row: decision})
    return decisions_of(data.subject.run, reviews), corrections_path(data.subject.run)


def stored_decisions(data: SubjectData) -> dict[int, Decision]:
    """The stored decisions about labels; none where the reviews cannot be read, or are not the run's own."""
    from core.analysis.label_decisions import corrections_path, decisions_of, require_own_reviews

    if not corrections_path(data.subject.run).exists():
        return {}
    try:
        require_own_reviews(data.predictions(), data.run_reviews())
        return decisions_of(data.subject.run, data.run_reviews())
    except InputError:
        return {}
