"""Imports of the heavy libraries, one thread at a time.

transformers and huggingface_hub fill their modules lazily; two threads that import them at the same time can each see
a half-filled module ("cannot import name ..."). Code that may run in a thread beside others imports through here.
"""

from __future__ import annotations

import threading

IMPORT_LOCK = threading.RLock()
"""Held while a heavy library is imported."""
_hub_loaded = threading.Event()


def load_hub_library() -> None:
    """Import huggingface_hub, in under half a second; later calls never wait for another import."""
    if _hub_loaded.is_set():
        return
    with IMPORT_LOCK:
        import huggingface_hub.file_download  # noqa: F401
        from huggingface_hub import HfApi, hf_hub_download, snapshot_download  # noqa: F401

        _hub_loaded.set()


def load_statistics_libraries() -> None:
    """Import scikit-learn's metrics and scipy's statistics, which transformers imports too; a second the first time."""
    with IMPORT_LOCK:
        import sklearn.metrics  # noqa: F401


def load_training_libraries() -> None:
    """Import torch, transformers and datasets and turn off their progress bars; some seconds the first time.

    Raises ImportError, or another exception if an installation is damaged.
    """
    load_hub_library()  # first, so that a thread that only needs the Hub does not wait for torch
    with IMPORT_LOCK:
        import torch  # noqa: F401
    with IMPORT_LOCK:
        import datasets
        from transformers.utils import logging

        datasets.disable_progress_bars()  # their output would corrupt the full-screen console
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
