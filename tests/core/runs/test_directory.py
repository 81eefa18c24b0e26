"""Run directories: each run has its own, and a full disk or a damaged file does not stop it."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.atomic_write import write_text_atomically
from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.directory import Run, find_run, list_runs, runs_root
from core.runs.state import fold
from core.runs.writer import RunWriter, create_run
from tests.core.support.events_of import started, step, whole_run

BEGAN = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)
CONFIG = RunConfig(preset="tiny")


def new_run(root: Path, *, second: int = 0, preset: str = "tiny") -> RunWriter:
    return create_run(root, RunConfig(preset=preset), now=lambda: BEGAN.replace(second=second))


def ended_run(root: Path, *, second: int = 0, preset: str = "tiny") -> Run:
    writer = new_run(root, second=second, preset=preset)
    for event in whole_run():
        writer.append(event)
    writer.close()
    return writer.run


class FullDisk:
    """Replaces os.write: a disk with a limited number of free bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self._write = os.write
        monkeypatch.setattr(os, "write", self)

    def __call__(self, file: int, content: bytes) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(file, content[: self.room])
        self.room -= written
        return written


def test_a_run_directory_holds_what_reproduces_the_run(tmp_path: Path) -> None:
    writer = new_run(tmp_path / "deep" / "runs")
    writer.write_environment({"python": "3.11"})
    writer.write_predictions(1, [7, 9], [1, 0], [0.1, -2.5e-300])
    writer.append(started())
    assert writer.run.name == "20261124-090000-tiny"
    assert writer.run.config() == CONFIG
    assert writer.run.environment() == {"python": "3.11"}
    writer.write_predictions(1, [3], [1], [0.7], part="train")
    assert writer.run.predictions(1) == [(7, 1, 0.1), (9, 0, -2.5e-300)]
    assert writer.run.predictions(1, "train") == [(3, 1, 0.7)]
    assert writer.run.state().started == started()
    assert writer.run.created.replace(tzinfo=UTC) == BEGAN
    writer.close()
    names = {path.name for path in writer.path.iterdir()}
    assert names == {".lock", "config.toml", "environment.json", "events.jsonl", "predictions"}


def test_runs_of_the_same_second_have_different_directories(tmp_path: Path) -> None:
    writers = [new_run(tmp_path) for _ in range(3)]
    names = [writer.run.name for writer in writers]
    assert names == ["20261124-090000-tiny", "20261124-090000-tiny-2", "20261124-090000-tiny-3"]
    for writer in writers:
        writer.close()


@pytest.mark.parametrize(
    ("preset", "ending"), [("../../up", "up"), ("a b/ç", "a-b"), ("...", "run"), ("", "run"), ("x" * 300, "x" * 40)]
)
def test_a_run_stays_below_the_runs_directory_for_any_preset_name(tmp_path: Path, preset: str, ending: str) -> None:
    writer = create_run(tmp_path, RunConfig(preset=preset), now=lambda: BEGAN)
    writer.close()
    assert writer.path == tmp_path / f"20261124-090000-{ending}"


@pytest.mark.parametrize("below", ["", "runs", "runs/deeper"])
def test_a_runs_directory_that_is_a_file_is_refused_with_a_hint(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"^the runs directory .*file.* cannot be written \(.*\); choose another with"):
        create_run(tmp_path / "file" / below, CONFIG)


def test_an_unreadable_runs_directory_is_refused_and_an_absent_one_has_no_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"^the runs directory .* cannot be read \(Not a directory\)"):
        list_runs(tmp_path / "file")
    assert list_runs(tmp_path / "absent") == []


def test_a_new_run_on_a_full_disk_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        create_run(tmp_path, CONFIG)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"id,label,logit\n1,one,0.5\n", b"id,label\n1,1\n", b"id,label,logit\n1\n"])
def test_missing_or_damaged_predictions_are_refused_with_the_file_name(tmp_path: Path, content: bytes | None) -> None:
    run = ended_run(tmp_path)
    path = run.path / "predictions" / "epoch-1.csv"
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"epoch-1\.csv: the run's predictions cannot be read"):
        run.predictions(1)


def test_all_files_of_a_run_have_the_same_read_permissions(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.write_environment({})
    writer.write_predictions(1, [1], [1], [0.5])
    modes = {path.stat().st_mode & 0o444 for path in writer.path.rglob("*") if path.is_file()}
    assert modes == {writer.run.events_path.stat().st_mode & 0o444}
    writer.close()


def test_the_runs_directory_is_the_given_one_or_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMDB_TUI_RUNS", "/somewhere/runs")
    assert runs_root("/given") == Path("/given")
    assert runs_root() == Path("/somewhere/runs")
    monkeypatch.delenv("IMDB_TUI_RUNS")
    assert runs_root().is_relative_to(os.environ["XDG_DATA_HOME"])


@pytest.mark.parametrize("room", [0, 1, 100, 350, 500])
def test_events_that_a_full_disk_refused_are_written_when_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    events = whole_run()
    writer = new_run(tmp_path)
    disk = FullDisk(monkeypatch, room)
    errors = [writer.append(event) for event in events[:-1]]
    failed = [error for error in errors if error is not None]
    assert failed
    assert {error.errno for error in failed} == {errno.ENOSPC}
    first = errors.index(failed[0])
    assert writer.saving_fails_since == events[first].time
    assert Run(writer.path).events_path.stat().st_size == room

    disk.room = 10**9
    assert writer.append(events[-1]) is None
    assert writer.saving_fails_since is None
    writer.close()
    assert writer.run.state() == fold(events)


def test_closing_a_run_tries_once_more_to_write_the_waiting_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = new_run(tmp_path)
    disk = FullDisk(monkeypatch, room=0)
    assert writer.append(started()) is not None
    disk.room = 10**9
    writer.close()
    assert writer.run.state().started == started()


def test_a_view_of_a_run_on_a_full_disk_shows_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = new_run(tmp_path)
    writer.append(started())
    FullDisk(monkeypatch, room=20)
    assert writer.append(step(1)) is not None
    state = writer.run.state()
    assert (state.status, state.step, state.skipped_lines) == ("running", 0, 0)
    writer.close()


def test_a_failed_atomic_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.txt"
    write_text_atomically(path, "old")

    def no_room(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space"):
        write_text_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_atomic_write_removes_what_killed_processes_left_beside_its_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    old, folder, new = (tmp_path / f".own.toml-{digit * 16}" for digit in "abc")
    others = [tmp_path / ".other.toml-aaaaaaaaaaaaaaaa", tmp_path / ".own.toml-notes"]
    folder.mkdir()
    for each in (old, folder / "weights", new, *others):
        each.write_text("half", encoding="utf-8")
    for each in (old, folder, *others):
        os.utime(each, (1, 1))
    write_text_atomically(path, "whole")
    assert sorted(tmp_path.iterdir()) == sorted([new, path, *others])


@pytest.mark.parametrize("name", ["events.jsonl", "owner.json", "environment.json", "config.toml", "predictions"])
@pytest.mark.parametrize("kind", ["fifo", "device", "sparse"])
def test_a_file_of_a_run_that_is_not_a_file_of_sane_size_is_not_read(tmp_path: Path, name: str, kind: str) -> None:
    writer = create_run(tmp_path, RunConfig(preset="tiny"))
    writer.append(started())
    writer.close()
    path = writer.path / name
    if name == "predictions":
        path.mkdir()
        path /= "epoch-1.csv"
    path.unlink(missing_ok=True)
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            with path.open("wb") as file:
                file.truncate(80 << 20)
    state = writer.run.state()
    assert (state.skipped_lines > 0) == (name == "events.jsonl")
    assert writer.run.owner() is None
    assert not writer.run.environment()
    if name == "predictions":
        with pytest.raises(InputError, match="cannot be read"):
            writer.run.predictions(1)
    if name == "config.toml":
        with pytest.raises(InputError, match="cannot be read"):
            writer.run.config()


def test_a_torn_last_line_is_counted_when_no_process_writes_the_run(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.append(started())
    with writer.run.events_path.open("ab") as file:
        file.write(b'{"event": "step", "ti')
    assert writer.run.state().skipped_lines == 0
    writer.close()
    state = writer.run.state()
    assert (state.status, state.skipped_lines, state.started) == ("interrupted", 1, started())


@pytest.mark.parametrize("steps", [True, False])
def test_a_run_whose_files_are_cut_at_any_byte_can_still_be_shown(tmp_path: Path, steps: bool) -> None:
    run = ended_run(tmp_path)
    content = run.events_path.read_bytes()
    newlines = [i for i, byte in enumerate(content) if byte == ord("\n")]
    events = whole_run()
    for cut in range(0, len(content), 7 if steps else 31):
        run.events_path.write_bytes(content[:cut])
        state = run.state(steps=steps)
        whole = sum(newline < cut for newline in newlines)
        assert state.status == "interrupted"
        assert state.skipped_lines == (cut > 0 and content[cut - 1] != ord("\n"))
        expected = fold(events[:whole])
        assert (state.step, state.epochs, state.log) == (expected.step, expected.epochs, expected.log)


def test_runs_of_the_same_second_are_sorted_by_number(tmp_path: Path) -> None:
    for _ in range(10):
        new_run(tmp_path).close()
    numbers = [run.name.removeprefix("20261124-090000-tiny") for run in list_runs(tmp_path)]
    assert numbers == ["-10", "-9", "-8", "-7", "-6", "-5", "-4", "-3", "-2", ""]


def test_only_runs_are_listed_and_the_newest_comes_first(tmp_path: Path) -> None:
    for second, preset in ((5, "b"), (9, "a"), (1, "c")):
        ended_run(tmp_path, second=second, preset=preset)
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("", encoding="utf-8")
    assert [run.name[-1] for run in list_runs(tmp_path)] == ["a", "b", "c"]


def test_a_run_is_found_by_its_name_by_a_unique_prefix_or_as_last(tmp_path: Path) -> None:
    first = ended_run(tmp_path, second=1)
    second = ended_run(tmp_path, second=2)
    twin = ended_run(tmp_path, second=2)
    assert find_run(tmp_path, "20261124-090001") == first
    assert find_run(tmp_path, first.name) == first
    assert find_run(tmp_path, second.name) == second  # although it is a prefix of another name
    assert find_run(tmp_path, twin.name) == twin == find_run(tmp_path, "last")
    with pytest.raises(InputError, match=rf"could be any of {twin.name}, {second.name}; type more of the name"):
        find_run(tmp_path, "20261124-090002")
    for name in ("20261125", "tiny", "last-but-one"):
        with pytest.raises(InputError, match=rf"there is no run '{name}' in "):
            find_run(tmp_path, name)


def test_without_runs_there_is_no_last_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no run 'last'"):
        find_run(tmp_path / "absent", "last")


@pytest.mark.parametrize("content", [b"", b"[train", b"[train]\nseed = -1", b"\xff\xfe", b"speed = 1"])
def test_a_damaged_configuration_is_refused_with_its_path_and_the_run_is_still_listed(
    tmp_path: Path, content: bytes
) -> None:
    run = ended_run(tmp_path)
    (run.path / "config.toml").write_bytes(content)
    assert list_runs(tmp_path) == [run]
    assert run.state().status == "completed"
    if content:
        with pytest.raises(InputError, match=r"config\.toml: ") as caught:
            run.config()
        assert str(caught.value).startswith(str(run.path))
        assert "\n" not in str(caught.value)
    else:
        assert run.config() == RunConfig(preset="unknown")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_environment_file_is_read_as_empty(tmp_path: Path, content: bytes) -> None:
    run = ended_run(tmp_path)
    (run.path / "environment.json").write_bytes(content)
    assert run.environment() == {}


def test_a_run_without_events_is_shown_as_interrupted(tmp_path: Path) -> None:
    run = ended_run(tmp_path)
    run.events_path.unlink()
    state = run.state()
    assert (state.run, state.preset, state.status, state.step) == (run.name, "tiny", "interrupted", 0)
