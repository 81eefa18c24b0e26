"""Imports of the training loop and the libraries under it, ahead of the first run."""

from __future__ import annotations

import gc
import threading

from core.libraries import IMPORT_LOCK, load_training_libraries

_frozen = threading.Event()


def preload() -> None:
    """Import everything that training, prediction and inspection use; some seconds the first time.

    Raises ImportError and whatever else a broken installation raises.
    """
    load_training_libraries()
    with IMPORT_LOCK:
        import core.training.loop  # noqa: F401

        if not _frozen.is_set():
            _frozen.set()
            # The imported objects stay; each full garbage collection over them would block the interface for 0.3 s.
            gc.freeze()
