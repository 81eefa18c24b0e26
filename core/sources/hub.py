"""Files from the Hugging Face Hub, with a watchdog: a Hub that does not answer costs at most three seconds, once.

The download itself is ``huggingface_hub``'s own, into its own cache, so ``HF_ENDPOINT``, ``HF_HOME`` and
``HF_HUB_OFFLINE`` mean what they mean everywhere. What is added here is patience with an end, progress as data
instead of bars on the terminal, and a verdict in words when a download fails.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.atomic_write import sha256_of
from core.errors import Stopped
from core.libraries import load_hub_library

PATIENCE_S = 3.0
"""Seconds without one byte after which the Hub counts as not answering."""


class HubError(Exception):
    """The Hub, or this file on it, cannot be had; the message says why in a few words."""


class FileMissingError(HubError):
    """The repository is there, this file of it is not."""


@dataclass(frozen=True, slots=True)
class Download:
    """How far a file has come, in bytes; ``total`` is 0 while it is not known."""

    repo: str
    file: str
    received: int
    total: int


OnDownload = Callable[[Download], None]
T = TypeVar("T")

_verdict: str | None = None


def forget_verdict() -> None:
    """Asks the Hub again next time, even if it did not answer before."""
    global _verdict
    _verdict = None


def size_on_hub(repo: str, file: str, *, repo_type: str = "model") -> int:
    """The size of ``file`` on the Hub in bytes, without downloading it. Raises HubError as :func:`fetch` does."""
    return _watched(repo, file, lambda _: _metadata_size(repo, file, repo_type))


def fetch(repo: str, file: str, *, repo_type: str = "model", on_download: OnDownload = lambda _: None) -> Path:
    """The local path of ``file`` of ``repo``, downloaded unless the cache has the current one.

    Raises HubError where the Hub is offline, does not answer in three seconds, refuses, or breaks off. That
    the Hub as a whole cannot be reached is remembered for the life of the process, so it is waited for once.
    ``on_download`` may raise Stopped, which ends the download and is passed on.
    """
    return _watched(repo, file, lambda watch: _download(repo, file, repo_type, on_download, watch))


def cached(repo: str, file: str, *, repo_type: str = "model") -> Path | None:
    """The path of ``file`` in the local Hugging Face cache, without asking the Hub; None where it is not there."""
    load_hub_library()
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repo, file, repo_type=repo_type)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) and Path(found).is_file() else None


def list_files(repo: str, *, repo_type: str = "model") -> list[str]:
    """The names of all files of ``repo`` on the Hub. Raises HubError as :func:`fetch` does."""

    def ask(_: _Watch) -> list[str]:
        from huggingface_hub import HfApi

        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        try:
            # Asks once; list_repo_files would ask a Hub that answers 500 again and again.
            found = getattr(api.repo_info(repo, repo_type=repo_type, timeout=PATIENCE_S), "siblings", None)
        except Exception as error:
            if _status_code(error) != 404 or _is_missing_repository(error):
                raise
            found = None
        if found is not None:
            return [sibling.rfilename for sibling in found]
        return api.list_repo_files(repo, repo_type=repo_type)  # a mirror may have only the tree

    return _watched(repo, "files", ask)


def cached_files(repo: str, *, repo_type: str = "model") -> dict[str, Path]:
    """Name to path of every file of ``repo`` in the local Hugging Face cache; empty where there is none."""
    load_hub_library()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repo, repo_type=repo_type, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return {}
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def is_offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` or ``TRANSFORMERS_OFFLINE`` forbids asking the Hub; read without an import."""
    return any(
        os.environ.get(name, "").upper() in {"1", "TRUE", "YES", "ON"}
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )


def is_whole(path: Path) -> bool:
    """Whether a cached large file is what the Hub said it is: its blob is named by its sha256.

    True as well for files whose blob name is no sha256, about which nothing can be said.
    """
    expected = path.resolve().name
    if len(expected) != 64:
        return True
    return sha256_of(path) == expected


class _Watch:
    """What the downloading thread and the waiting one share."""

    def __init__(self) -> None:
        self.last_sign = time.monotonic()
        self.given_up = False
        self._furthest = 0

    def sign_of_life(self, received: int | None = None) -> None:
        """An answer came, or a download has come as far as ``received``; bytes that came before are no sign."""
        if self.given_up:
            raise HubError("given up")
        if received is None or received > self._furthest:
            self.last_sign = time.monotonic()
            self._furthest = received or self._furthest

    def verdict(self) -> str:
        if self._furthest:
            return f"the Hub fell silent for {PATIENCE_S:.0f} s in the middle of a download"
        return f"the Hub did not answer within {PATIENCE_S:.0f} s"


def _watched(repo: str, file: str, work: Callable[[_Watch], T]) -> T:
    """Does ``work`` in a thread of its own, because a stalled socket cannot be interrupted from within."""
    global _verdict
    if is_offline():
        raise HubError("HF_HUB_OFFLINE is set")
    if _verdict is not None:
        raise HubError(_verdict)
    _prepare_library()
    results: list[T] = []
    errors: list[BaseException] = []
    watch = _Watch()

    def attempt() -> None:
        try:
            results.append(work(watch))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=attempt, name="hub", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.02)
        if thread.is_alive() and time.monotonic() - watch.last_sign > PATIENCE_S:
            watch.given_up = True
            _verdict = watch.verdict()
            raise HubError(_verdict)
    if results:
        return results[0]
    if isinstance(errors[0], Stopped):
        raise errors[0]
    reason, whole_hub = _in_words(errors[0], repo, file)
    if whole_hub:
        _verdict = reason
    missing = "RemoteEntryNotFoundError" in {kind.__name__ for kind in type(errors[0]).mro()}
    raise (FileMissingError if missing else HubError)(reason) from errors[0]


def _prepare_library() -> None:
    """Imports before the clock starts, and keeps every bar and warning of the library off the terminal.

    Downloads go over plain HTTP in small chunks, so that the watchdog sees every quarter of a megabyte.
    """
    load_hub_library()
    from huggingface_hub import constants
    from huggingface_hub.utils.logging import set_verbosity
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    set_verbosity(logging.CRITICAL)
    constants.DOWNLOAD_CHUNK_SIZE = 256 * 1024
    constants.HF_HUB_DISABLE_XET = True


def _metadata_size(repo: str, file: str, repo_type: str) -> int:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(repo, file, repo_type=repo_type, endpoint=os.environ.get("HF_ENDPOINT"))
    return get_hf_file_metadata(url, timeout=PATIENCE_S).size or 0


def _download(repo: str, file: str, repo_type: str, on_download: OnDownload, watch: _Watch) -> Path:
    """Asks for the metadata first: hf_hub_download alone would answer a failure with whatever the cache has."""
    from huggingface_hub import hf_hub_download
    from tqdm.auto import tqdm

    class Progress(tqdm):  # type: ignore[misc]
        """Turns tqdm's updates into reports; nothing is drawn."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            self.received = int(kwargs.get("initial") or 0)
            super().__init__(*args, **{**kwargs, "disable": True})
            self.total = kwargs.get("total") or 0

        def update(self, n: float | None = 1) -> bool | None:
            self.received += int(n or 0)
            watch.sign_of_life(self.received)
            on_download(Download(repo, file, self.received, int(self.total or 0)))
            return None

    _metadata_size(repo, file, repo_type)
    watch.sign_of_life()
    endpoint = os.environ.get("HF_ENDPOINT")
    return Path(
        hf_hub_download(
            repo, file, repo_type=repo_type, endpoint=endpoint, tqdm_class=Progress, etag_timeout=PATIENCE_S
        )
    )


def _in_words(error: BaseException, repo: str, file: str) -> tuple[str, bool]:
    """The failure in a few words, and whether asking for other files would be as vain."""
    from huggingface_hub import errors

    name = type(error).__name__
    if isinstance(error, errors.HFValidationError):
        return f"{repo!r} is not a name the Hub can have", False
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set", True
    if isinstance(error, errors.GatedRepoError):
        return f"{repo} needs a login on the Hub", False
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"the Hub has no {repo}, or it is private", False
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return f"{repo} on the Hub has no {file}", False
    if (status := _status_code(error)) is not None:
        return f"the Hub answered {status} for {repo}", False
    if "Timeout" in name:
        return f"the Hub did not answer within {PATIENCE_S:.0f} s", True
    if "Connect" in name:
        return "the Hub cannot be reached", True
    if isinstance(error, OSError) and error.errno is not None:
        return f"{repo}/{file} could not be stored ({error.strerror})", False
    return f"the download of {repo}/{file} broke off", False


def _is_missing_repository(error: BaseException) -> bool:
    from huggingface_hub.errors import RepositoryNotFoundError

    return isinstance(error, RepositoryNotFoundError)


def _status_code(error: BaseException | None) -> int | None:
    """The HTTP status of an error or of what caused it."""
    while error is not None:
        response = getattr(error, "response", None)
        if (status := getattr(response, "status_code", None)) is not None:
            return int(status)
        error = error.__cause__ or error.__context__
    return None
