"""What was typed before, so that it can be had back."""

from __future__ import annotations

MOST_CHARACTERS = 4_000_000
MOST_EDITS = 200


class History:
    """Texts with their carets; the oldest are forgotten where there are too many edits or characters."""

    def __init__(self) -> None:
        self._before: list[tuple[str, int]] = []

    def remember(self, text: str, caret: int) -> None:
        self._before.append((text, caret))
        total = 0
        for i, (kept, _) in enumerate(reversed(self._before)):
            total += len(kept)
            if total > MOST_CHARACTERS or i >= MOST_EDITS:
                del self._before[: len(self._before) - i]
                break

    def take_back(self) -> tuple[str, int] | None:
        """The text and caret before the last edit, once; None where there is none."""
        return self._before.pop() if self._before else None
