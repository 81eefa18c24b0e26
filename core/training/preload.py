"""Imports of the heavy libraries, one thread at a time.

transformers and huggingface_hub fill their modules lazily; two threads that import them at once can each see half
of one ("cannot import name ..."). Whoever may be in a thread beside others goes through here first.
"""

from __future__ import annotations

import gc
import threading

_importing = threading.RLock()
_hub_loaded = threading.Event()
_frozen = threading.Event()


def load_hub_library() -> None:
    """huggingface_hub, under half a second; once it is there, nobody waits for the import of another library."""
    if _hub_loaded.is_set():
        return
    with _importing:
        import huggingface_hub.file_download  # noqa: F401
        from huggingface_hub import HfApi, hf_hub_download, snapshot_download  # noqa: F401

        _hub_loaded.set()


def load_training_libraries() -> None:
    """torch, transformers and datasets, and the names of them that core uses; some seconds the first time.

    Raises ImportError and whatever else a broken installation raises.
    """
    load_hub_library()  # on its own, so that a thread that only asks the Hub need not wait for torch
    with _importing:
        import torch  # noqa: F401
    with _importing:
        import datasets
        from transformers.utils import logging

        import core.training.loop  # noqa: F401

        datasets.disable_progress_bars()  # one stray byte ruins a full screen
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if not _frozen.is_set():
            _frozen.set()
            # Their objects stay; walking them again in each full collection would hold up a key for 0.3 s.
            gc.freeze()
