"""How a run may stand, and the sign of each."""

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
