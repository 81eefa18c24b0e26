"""The undo history of the text editor, limited in edits and in characters."""

from __future__ import annotations

MOST_CHARACTERS = 4_000_000
MOST_EDITS = 200


class History:
    """Earlier texts with their carets; the oldest are dropped if there are too many edits or characters."""

    def __init__(self) -> None:
        self._before: list[tuple[str, int]] = []

    def remember(self, text: str, caret: int) -> None:
        """Store the text and the caret before an edit."""
        self._before.append((text, caret))
        total = 0
        for i, (stored, _) in enumerate(reversed(self._before)):
            total += len(stored)
            if total > MOST_CHARACTERS or i >= MOST_EDITS:
                del self._before[: len(self._before) - i]
                break

    def undo(self) -> tuple[str, int] | None:
        """Remove and return the text and the caret before the last edit; None if there is no edit left."""
        return self._before.pop() if self._before else None
