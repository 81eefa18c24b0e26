"""Download files from the Hugging Face Hub, with a timeout: a Hub that does not answer costs three seconds, once.

``huggingface_hub`` downloads the files into its own cache, so ``HF_ENDPOINT``, ``HF_HOME`` and ``HF_HUB_OFFLINE`` work
as usual. This module adds the timeout, progress as data instead of progress bars, and short error messages.
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

TIMEOUT_S = 3.0
"""Seconds without any data after which the Hub counts as unreachable."""


class HubError(Exception):
    """The Hub, or this file on it, is not available; the message is the reason."""


class FileMissingError(HubError):
    """The repository exists, but does not have this file."""


@dataclass(frozen=True, slots=True)
class Download:
    """The progress of a download, in bytes; ``total`` is 0 if it is unknown."""

    repo: str
    file: str
    received: int
    total: int


OnDownload = Callable[[Download], None]
T = TypeVar("T")

_failure: str | None = None
"""Why the Hub as a whole is not available, once that is known."""


def forget_failure() -> None:
    """Ask the Hub again next time, even if it did not answer before."""
    global _failure
    _failure = None


def size_on_hub(repo: str, file: str, *, repo_type: str = "model") -> int:
    """Return the size of ``file`` on the Hub in bytes. Raises HubError as :func:`fetch` does."""
    return _watched(repo, file, lambda _: _metadata_size(repo, file, repo_type))


def fetch(repo: str, file: str, *, repo_type: str = "model", on_download: OnDownload = lambda _: None) -> Path:
    """Return the local path of ``file`` of ``repo``. Download it unless the cache has the current version.

    Raises HubError if the Hub is offline, does not answer within three seconds, refuses the request, or the download
    fails. If the Hub as a whole is unreachable, later calls in this process fail at once. ``on_download`` may raise
    Stopped, which ends the download and is raised again here.
    """
    return _watched(repo, file, lambda watch: _download(repo, file, repo_type, on_download, watch))


def cached(repo: str, file: str, *, repo_type: str = "model") -> Path | None:
    """Return the path of ``file`` in the local Hugging Face cache, or None. Does not ask the Hub."""
    load_hub_library()
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repo, file, repo_type=repo_type)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) and Path(found).is_file() else None


def list_files(repo: str, *, repo_type: str = "model") -> list[str]:
    """List the names of all files of ``repo`` on the Hub. Raises HubError as :func:`fetch` does."""

    def ask(_: _Watch) -> list[str]:
        from huggingface_hub import HfApi

        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        try:
            # One request; list_repo_files would retry after each error 500.
            found = getattr(api.repo_info(repo, repo_type=repo_type, timeout=TIMEOUT_S), "siblings", None)
        except Exception as error:
            if _status_code(error) != 404 or _is_missing_repository(error):
                raise
            found = None
        if found is not None:
            return [sibling.rfilename for sibling in found]
        return api.list_repo_files(repo, repo_type=repo_type)  # some mirrors serve only the file tree

    return _watched(repo, "files", ask)


def cached_files(repo: str, *, repo_type: str = "model") -> dict[str, Path]:
    """Return the path of each file of ``repo`` in the local Hugging Face cache, by name."""
    load_hub_library()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repo, repo_type=repo_type, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return {}
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def is_offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` or ``TRANSFORMERS_OFFLINE`` is set. Needs no import."""
    return any(
        os.environ.get(name, "").upper() in {"1", "TRUE", "YES", "ON"}
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )


def matches_hash(path: Path) -> bool:
    """Whether a cached file has the sha256 that the Hub announced, which is the name of its blob.

    Also True for small files: their blobs are not named by a sha256, so they cannot be checked.
    """
    expected = path.resolve().name
    if len(expected) != 64:
        return True
    return sha256_of(path) == expected


class _Watch:
    """State shared by the thread that downloads and the thread that waits."""

    def __init__(self) -> None:
        self.last_progress = time.monotonic()
        self.timed_out = False
        self._furthest = 0

    def progressed(self, received: int | None = None) -> None:
        """Note an answer, or a download of ``received`` bytes so far. Repeated bytes of a retry do not count."""
        if self.timed_out:
            raise HubError("timed out")
        if received is None or received > self._furthest:
            self.last_progress = time.monotonic()
            self._furthest = received or self._furthest

    def failure(self) -> str:
        if self._furthest:
            return f"the download stalled for {TIMEOUT_S:.0f} s"
        return f"the Hub did not answer within {TIMEOUT_S:.0f} s"


def _watched(repo: str, file: str, work: Callable[[_Watch], T]) -> T:
    """Run ``work`` in a thread of its own, because a stalled socket cannot be interrupted."""
    global _failure
    if is_offline():
        raise HubError("HF_HUB_OFFLINE is set")
    if _failure is not None:
        raise HubError(_failure)
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
        if thread.is_alive() and time.monotonic() - watch.last_progress > TIMEOUT_S:
            watch.timed_out = True
            _failure = watch.failure()
            raise HubError(_failure)
    if results:
        return results[0]
    if isinstance(errors[0], Stopped):
        raise errors[0]
    reason, is_whole_hub = _describe(errors[0], repo, file)
    if is_whole_hub:
        _failure = reason
    missing = "RemoteEntryNotFoundError" in {kind.__name__ for kind in type(errors[0]).mro()}
    raise (FileMissingError if missing else HubError)(reason) from errors[0]


def _prepare_library() -> None:
    """Import the library before the timeout starts, and turn off its progress bars and warnings.

    Downloads use plain HTTP in chunks of 256 KiB, so that progress is seen often.
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
    return get_hf_file_metadata(url, timeout=TIMEOUT_S).size or 0


def _download(repo: str, file: str, repo_type: str, on_download: OnDownload, watch: _Watch) -> Path:
    """Download a file. Request its metadata first: on failure, hf_hub_download alone would return a cached file."""
    from huggingface_hub import hf_hub_download
    from tqdm.auto import tqdm

    class Progress(tqdm):  # type: ignore[misc]
        """Passes tqdm's updates to ``on_download``; draws nothing."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            self.received = int(kwargs.get("initial") or 0)
            super().__init__(*args, **{**kwargs, "disable": True})
            self.total = kwargs.get("total") or 0

        def update(self, n: float | None = 1) -> bool | None:
            self.received += int(n or 0)
            watch.progressed(self.received)
            on_download(Download(repo, file, self.received, int(self.total or 0)))
            return None

    _metadata_size(repo, file, repo_type)
    watch.progressed()
    endpoint = os.environ.get("HF_ENDPOINT")
    return Path(
        hf_hub_download(repo, file, repo_type=repo_type, endpoint=endpoint, tqdm_class=Progress, etag_timeout=TIMEOUT_S)
    )


def _describe(error: BaseException, repo: str, file: str) -> tuple[str, bool]:
    """Return a short reason for the error, and whether it concerns the Hub as a whole."""
    from huggingface_hub import errors

    name = type(error).__name__
    if isinstance(error, errors.HFValidationError):
        return f"{repo!r} is not a valid name on the Hub", False
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set", True
    if isinstance(error, errors.GatedRepoError):
        return f"{repo} requires a login on the Hub", False
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"the Hub has no {repo}, or it is private", False
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return f"{repo} on the Hub has no {file}", False
    if (status := _status_code(error)) is not None:
        return f"the Hub answered with error {status} for {repo}", False
    if "Timeout" in name:
        return f"the Hub did not answer within {TIMEOUT_S:.0f} s", True
    if "Connect" in name:
        return "the Hub cannot be reached", True
    if isinstance(error, OSError) and error.errno is not None:
        return f"{repo}/{file} could not be saved ({error.strerror})", False
    return f"the download of {repo}/{file} failed", False


def _is_missing_repository(error: BaseException) -> bool:
    from huggingface_hub.errors import RepositoryNotFoundError

    return isinstance(error, RepositoryNotFoundError)


def _status_code(error: BaseException | None) -> int | None:
    """Return the HTTP status of an error or of its cause."""
    while error is not None:
        response = getattr(error, "response", None)
        if (status := getattr(response, "status_code", None)) is not None:
            return int(status)
        error = error.__cause__ or error.__context__
    return None
