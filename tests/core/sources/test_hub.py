"""Downloads from a Hub that works or fails, over real HTTP on the loopback interface."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Stopped
from core.sources import hub
from tests.core.support.hub_server import LoopbackHub, loopback_hub

REPO = "acme/tiny"
BIG = bytes(range(256)) * 4096
"""A megabyte: four chunks of a download."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    with loopback_hub(monkeypatch, tmp_path / "cache") as running:
        running.repos[REPO] = {"config.json": b'{"dim": 16}', "model.safetensors": BIG}
        running.repos["datasets/acme/reviews"] = {"README.md": b"hello", "data/train.csv": b"review,sentiment\n"}
        yield running


def test_a_download_reports_progress_up_to_the_size_of_the_file(server: LoopbackHub) -> None:
    seen: list[hub.Download] = []
    path = hub.fetch(REPO, "model.safetensors", on_download=seen.append)
    assert path.read_bytes() == BIG
    assert [one.received for one in seen] == sorted({one.received for one in seen})
    assert len(seen) >= 4
    assert seen[-1] == hub.Download(REPO, "model.safetensors", len(BIG), len(BIG))


def test_a_cached_file_is_not_downloaded_again(server: LoopbackHub) -> None:
    first = hub.fetch(REPO, "model.safetensors")
    server.requests.clear()
    assert hub.fetch(REPO, "model.safetensors") == first
    assert server.asked_for("GET") == []
    assert server.asked_for("HEAD") != []


def test_a_file_that_changed_is_downloaded_again(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.fetch(REPO, "config.json")
    server.repos[REPO]["config.json"] = b'{"dim": 32}'
    monkeypatch.setattr("tests.core.support.hub_server.COMMIT", "f" * 40)
    assert hub.fetch(REPO, "config.json").read_bytes() == b'{"dim": 32}'


def test_downloading_writes_nothing_to_the_terminal(server: LoopbackHub, capfd: pytest.CaptureFixture[str]) -> None:
    hub.fetch(REPO, "model.safetensors")
    assert capfd.readouterr() == ("", "")


def test_the_size_is_known_without_a_download(server: LoopbackHub) -> None:
    assert hub.size_on_hub(REPO, "model.safetensors") == len(BIG)
    assert server.asked_for("GET") == []


def test_a_missing_file_and_a_missing_repository_give_different_errors(server: LoopbackHub) -> None:
    with pytest.raises(hub.FileMissingError, match=r"acme/tiny on the Hub has no vocab\.txt"):
        hub.fetch(REPO, "vocab.txt")
    with pytest.raises(hub.HubError, match=r"the Hub has no acme/absent, or it is private") as caught:
        hub.fetch("acme/absent", "config.json")
    assert not isinstance(caught.value, hub.FileMissingError)


@pytest.mark.parametrize(
    ("fault", "message"),
    [("500", "the Hub answered with error 500 for acme/tiny"), ("gated", "acme/tiny requires a login")],
)
def test_a_refused_file_does_not_prevent_other_downloads(server: LoopbackHub, fault: str, message: str) -> None:
    server.faults["model.safetensors"] = fault
    with pytest.raises(hub.HubError, match=message):
        hub.fetch(REPO, "model.safetensors")
    assert hub.fetch(REPO, "config.json").read_bytes() == b'{"dim": 16}'


def test_an_invalid_name_is_refused_without_a_request(server: LoopbackHub) -> None:
    with pytest.raises(hub.HubError, match="is not a valid name on the Hub"):
        hub.fetch("a/b/c", "config.json")
    assert hub.cached("a/b/c", "config.json") is None
    assert server.requests == []


def test_a_hub_that_does_not_answer_costs_three_seconds_once(server: LoopbackHub) -> None:
    server.faults["config.json"] = "stall"
    began = time.monotonic()
    with pytest.raises(hub.HubError, match="did not answer within 3 s"):
        hub.fetch(REPO, "config.json")
    assert 2.5 < time.monotonic() - began < 4.5
    asked = len(server.requests)
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(hub.HubError, match="did not answer within 3 s"):
            hub.fetch(REPO, "model.safetensors")
    assert time.monotonic() - began < 0.5
    assert len(server.requests) == asked


@pytest.mark.parametrize("fault", ["stall-body", "break-off"])
def test_a_download_that_stalls_fails(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(hub, "TIMEOUT_S", 0.6)
    server.faults["model.safetensors"] = fault
    seen: list[hub.Download] = []
    began = time.monotonic()
    with pytest.raises(hub.HubError, match="the download stalled for 1 s"):
        hub.fetch(REPO, "model.safetensors", on_download=seen.append)
    assert time.monotonic() - began < 3
    assert 0 < seen[-1].received < len(BIG)
    assert hub.cached(REPO, "model.safetensors") is None


def test_a_download_that_stalls_again_after_each_retry_fails(
    server: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "TIMEOUT_S", 1.8)  # the library tries again after a second
    server.faults["model.safetensors"] = "break-off"
    with pytest.raises(hub.HubError, match="the download stalled"):
        hub.fetch(REPO, "model.safetensors")
    assert len(server.asked_for("GET")) >= 2


def test_an_unreachable_hub_fails_at_once_and_is_not_asked_again(
    server: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.close()
    began = time.monotonic()
    with pytest.raises(hub.HubError, match="the Hub cannot be reached"):
        hub.fetch(REPO, "config.json")
    assert time.monotonic() - began < 2.5
    with contextlib.closing(LoopbackHub()) as other:
        monkeypatch.setenv("HF_ENDPOINT", other.url)
        with pytest.raises(hub.HubError, match="the Hub cannot be reached"):
            hub.fetch(REPO, "model.safetensors")
        assert other.requests == []


def test_the_hub_is_asked_again_after_forget_failure(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "TIMEOUT_S", 0.2)
    server.faults["config.json"] = "stall"
    with pytest.raises(hub.HubError):
        hub.fetch(REPO, "config.json")
    server.faults.clear()
    hub.forget_failure()
    monkeypatch.setattr(hub, "TIMEOUT_S", 3.0)
    assert hub.fetch(REPO, "config.json").is_file()


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_mode_sends_no_request(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    hub.fetch(REPO, "config.json")
    monkeypatch.setenv(name, "1")
    server.requests.clear()
    with pytest.raises(hub.HubError, match="HF_HUB_OFFLINE is set"):
        hub.fetch(REPO, "config.json")
    with pytest.raises(hub.HubError):
        hub.size_on_hub(REPO, "config.json")
    with pytest.raises(hub.HubError):
        hub.list_files("acme/reviews", repo_type="dataset")
    assert hub.cached(REPO, "config.json") is not None
    assert server.requests == []


def test_a_damaged_file_does_not_match_its_hash(server: LoopbackHub) -> None:
    whole = hub.fetch(REPO, "config.json")
    server.faults["model.safetensors"] = "corrupt"
    damaged = hub.fetch(REPO, "model.safetensors")
    assert damaged.resolve().name == hashlib.sha256(BIG).hexdigest()
    assert hub.matches_hash(whole)
    assert not hub.matches_hash(damaged)


def test_an_intact_file_matches_its_hash(server: LoopbackHub) -> None:
    assert hub.matches_hash(hub.fetch(REPO, "model.safetensors"))


def test_stopped_raised_by_on_download_ends_the_download(server: LoopbackHub) -> None:
    def stop(_: hub.Download) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        hub.fetch(REPO, "model.safetensors", on_download=stop)
    assert hub.fetch(REPO, "config.json").is_file()


@pytest.mark.parametrize("fault", ["", "no-info"])
def test_list_files_also_works_with_a_mirror_that_serves_only_the_file_tree(server: LoopbackHub, fault: str) -> None:
    server.faults["listing"] = fault
    assert hub.list_files("acme/reviews", repo_type="dataset") == ["README.md", "data/train.csv"]


def test_list_files_reports_an_error_of_the_hub_at_once(server: LoopbackHub) -> None:
    server.faults["listing"] = "500"
    began = time.monotonic()
    with pytest.raises(hub.HubError, match="the Hub answered with error 500 for acme/reviews"):
        hub.list_files("acme/reviews", repo_type="dataset")
    assert time.monotonic() - began < 2
    server.faults.clear()
    with pytest.raises(hub.HubError, match="the Hub has no acme/absent"):
        hub.list_files("acme/absent", repo_type="dataset")


def test_cached_files_are_listed_without_a_request(server: LoopbackHub) -> None:
    assert hub.cached_files("acme/reviews", repo_type="dataset") == {}
    path = hub.fetch("acme/reviews", "data/train.csv", repo_type="dataset")
    server.close()
    assert hub.cached("acme/reviews", "data/train.csv", repo_type="dataset") == path
    assert hub.cached_files("acme/reviews", repo_type="dataset") == {"data/train.csv": path}
    assert hub.cached_files("a/b/c", repo_type="dataset") == {}
