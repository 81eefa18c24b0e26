"""The Hub on good days and bad ones, over real HTTP on the loopback interface."""

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


def test_a_file_is_downloaded_whole_with_progress_up_to_its_size(server: LoopbackHub) -> None:
    seen: list[hub.Download] = []
    path = hub.fetch(REPO, "model.safetensors", on_download=seen.append)
    assert path.read_bytes() == BIG
    assert [one.received for one in seen] == sorted({one.received for one in seen})
    assert len(seen) >= 4
    assert seen[-1] == hub.Download(REPO, "model.safetensors", len(BIG), len(BIG))


def test_the_second_time_the_cache_is_used_and_no_body_is_sent_again(server: LoopbackHub) -> None:
    first = hub.fetch(REPO, "model.safetensors")
    server.requests.clear()
    assert hub.fetch(REPO, "model.safetensors") == first
    assert server.asked_for("GET") == []
    assert server.asked_for("HEAD") != []


def test_a_file_that_changed_on_the_hub_is_fetched_anew(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_missing_file_of_a_repository_is_told_from_a_missing_repository(server: LoopbackHub) -> None:
    with pytest.raises(hub.FileMissingError, match=r"acme/tiny on the Hub has no vocab\.txt"):
        hub.fetch(REPO, "vocab.txt")
    with pytest.raises(hub.HubError, match=r"the Hub has no acme/absent, or it is private") as caught:
        hub.fetch("acme/absent", "config.json")
    assert not isinstance(caught.value, hub.FileMissingError)


@pytest.mark.parametrize(
    ("fault", "words"), [("500", "the Hub answered 500 for acme/tiny"), ("gated", "acme/tiny needs a login")]
)
def test_a_refusal_is_told_in_words_and_says_nothing_about_other_files(
    server: LoopbackHub, fault: str, words: str
) -> None:
    server.faults["model.safetensors"] = fault
    with pytest.raises(hub.HubError, match=words):
        hub.fetch(REPO, "model.safetensors")
    assert hub.fetch(REPO, "config.json").read_bytes() == b'{"dim": 16}'


def test_a_name_that_the_hub_cannot_have_is_refused_without_asking(server: LoopbackHub) -> None:
    with pytest.raises(hub.HubError, match="is not a name the Hub can have"):
        hub.fetch("a/b/c", "config.json")
    assert hub.cached("a/b/c", "config.json") is None
    assert server.requests == []


def test_a_hub_that_never_answers_is_waited_for_three_seconds_and_only_once(server: LoopbackHub) -> None:
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
def test_a_download_that_stops_half_way_is_given_up(
    server: LoopbackHub, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(hub, "PATIENCE_S", 0.6)
    server.faults["model.safetensors"] = fault
    seen: list[hub.Download] = []
    began = time.monotonic()
    with pytest.raises(hub.HubError, match="fell silent for 1 s in the middle of a download"):
        hub.fetch(REPO, "model.safetensors", on_download=seen.append)
    assert time.monotonic() - began < 3
    assert 0 < seen[-1].received < len(BIG)
    assert hub.cached(REPO, "model.safetensors") is None


def test_a_hub_that_starts_over_and_breaks_off_each_time_is_not_waited_for_for_ever(
    server: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "PATIENCE_S", 1.8)  # the library tries again after a second
    server.faults["model.safetensors"] = "break-off"
    with pytest.raises(hub.HubError, match="fell silent"):
        hub.fetch(REPO, "model.safetensors")
    assert len(server.asked_for("GET")) >= 2


def test_a_hub_that_is_not_there_is_told_at_once_and_not_tried_again(
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


def test_forgetting_the_verdict_asks_the_hub_again(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PATIENCE_S", 0.2)
    server.faults["config.json"] = "stall"
    with pytest.raises(hub.HubError):
        hub.fetch(REPO, "config.json")
    server.faults.clear()
    hub.forget_verdict()
    monkeypatch.setattr(hub, "PATIENCE_S", 3.0)
    assert hub.fetch(REPO, "config.json").is_file()


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_asks_nothing_at_all(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
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


def test_other_bytes_than_announced_are_found_out_by_their_sha256(server: LoopbackHub) -> None:
    whole = hub.fetch(REPO, "config.json")
    server.faults["model.safetensors"] = "corrupt"
    damaged = hub.fetch(REPO, "model.safetensors")
    assert damaged.resolve().name == hashlib.sha256(BIG).hexdigest()
    assert hub.is_whole(whole)
    assert not hub.is_whole(damaged)


def test_an_intact_large_file_is_whole(server: LoopbackHub) -> None:
    assert hub.is_whole(hub.fetch(REPO, "model.safetensors"))


def test_a_listener_that_raises_stopped_ends_the_download_and_is_heard(server: LoopbackHub) -> None:
    def stop(_: hub.Download) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        hub.fetch(REPO, "model.safetensors", on_download=stop)
    assert hub.fetch(REPO, "config.json").is_file()


@pytest.mark.parametrize("fault", ["", "no-info"])
def test_the_files_of_a_data_set_are_listed_also_by_a_mirror_that_knows_only_the_tree(
    server: LoopbackHub, fault: str
) -> None:
    server.faults["listing"] = fault
    assert hub.list_files("acme/reviews", repo_type="dataset") == ["README.md", "data/train.csv"]


def test_a_listing_that_fails_is_told_at_once_and_not_taken_for_silence(server: LoopbackHub) -> None:
    server.faults["listing"] = "500"
    began = time.monotonic()
    with pytest.raises(hub.HubError, match="the Hub answered 500 for acme/reviews"):
        hub.list_files("acme/reviews", repo_type="dataset")
    assert time.monotonic() - began < 2
    server.faults.clear()
    with pytest.raises(hub.HubError, match="the Hub has no acme/absent"):
        hub.list_files("acme/absent", repo_type="dataset")


def test_the_cache_knows_its_files_without_asking(server: LoopbackHub) -> None:
    assert hub.cached_files("acme/reviews", repo_type="dataset") == {}
    path = hub.fetch("acme/reviews", "data/train.csv", repo_type="dataset")
    server.close()
    assert hub.cached("acme/reviews", "data/train.csv", repo_type="dataset") == path
    assert hub.cached_files("acme/reviews", repo_type="dataset") == {"data/train.csv": path}
    assert hub.cached_files("a/b/c", repo_type="dataset") == {}
