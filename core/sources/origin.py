"""Where a tokenizer, weights or reviews came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Kind = Literal["hub", "cache", "folder", "file", "embedded", "synthetic", "random"]
_KIND_LABELS = {
    "hub": "from the Hub",
    "cache": "from the local cache",
    "folder": "from a local folder",
    "file": "from a local file",
    "embedded": "embedded",
    "synthetic": "from a seeded grammar",
    "random": "randomly initialized",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one thing came from."""

    kind: Kind
    name: str
    note: str = ""
    """Why the first choice was not used; empty if it was."""
    sha256: str = ""

    def describe(self) -> str:
        """Describe the origin in one line, for the user."""
        return f"{self.name}, {_KIND_LABELS[self.kind]}" + (f" ({self.note})" if self.note else "")

    def as_dict(self) -> dict[str, str]:
        return asdict(self)
