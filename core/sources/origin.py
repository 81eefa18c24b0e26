"""Where one thing came from, in words for a person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Kind = Literal["hub", "cache", "folder", "file", "embedded", "synthetic", "random"]
_KIND_WORDS = {
    "hub": "from the Hub",
    "cache": "from the local cache",
    "folder": "from a local folder",
    "file": "from a local file",
    "embedded": "embedded",
    "synthetic": "from a seeded grammar",
    "random": "drawn at random",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one thing came from. ``note`` says why it is not what was asked for first; empty where it is."""

    kind: Kind
    name: str
    note: str = ""
    sha256: str = ""

    def words(self) -> str:
        """One line for a person."""
        return f"{self.name}, {_KIND_WORDS[self.kind]}" + (f" ({self.note})" if self.note else "")

    def as_dict(self) -> dict[str, str]:
        return asdict(self)
