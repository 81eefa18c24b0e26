"""The statuses of a run, the sign of each, and the one rule that decides which applies."""

from __future__ import annotations

from typing import Literal

Status = Literal["starting", "running", "paused", "completed", "stopped", "failed", "interrupted"]
STATUS_SIGNS: dict[str, str] = {
    "starting": "○",
    "running": "●",
    "paused": "‖",
    "completed": "✓",
    "stopped": "■",
    "failed": "✗",
    "interrupted": "?",
}
LIVE: frozenset[str] = frozenset({"starting", "running", "paused"})
UNFINISHED: frozenset[str] = frozenset({"stopped", "failed", "interrupted"})


def status_of(recorded: Status, is_live: bool) -> Status:
    """The status of a run whose events end in ``recorded``: ``interrupted`` if its process is gone without an end."""
    return "interrupted" if recorded in LIVE and not is_live else recorded
