"""Which class of a checkpoint's two-label head is positive, by the names in its config.json."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from core.data.columns_and_labels import LABELS
from core.errors import InputError


def class_names(folder: Path) -> list[str]:
    """The names of the classes in ``folder``'s config.json, by index; empty if it names none."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        names = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        return [str(name) for _, name in sorted((int(index), name) for index, name in names.items())]
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        names = json.loads((folder / "config.json").read_text(encoding="utf-8"))["label2id"]
        return [name for _, name in sorted((int(index), str(name)) for name, index in names.items())]
    return []


def positive_class(folder: Path, classes: int) -> int:
    """Return the index of the positive class, 0 or 1; 1 if the classes have no names, or LABEL_0 and LABEL_1.

    Raises InputError if there are not two classes, or if their names are not positive and negative.
    """
    where = folder / "config.json"
    names = class_names(folder)
    if classes != 2:
        shown = f" ({', '.join(name[:40] for name in names[:8])})" if len(names) == classes else ""
        raise InputError(
            f"{folder}: the head has {classes} classes{shown}; predictions need two, negative and positive. "
            "Use the folder as model.checkpoint to train a new head on its encoder."
        )
    if not names or names == ["LABEL_0", "LABEL_1"]:
        return 1
    labels = [LABELS.get(name.strip().lower()) for name in names]
    if sorted(labels, key=str) != [0, 1]:
        raise InputError(
            f"{where}: the classes are {', '.join(repr(name[:40]) for name in names[:8])}; it is not known which is "
            "positive. Write NEGATIVE and POSITIVE in id2label."
        )
    return labels.index(1)
