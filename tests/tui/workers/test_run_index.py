"""The thread that reads runs: each event once, nothing of a run that is not asked for, and no end by what it meets."""

from __future__ import annotations

import queue
import shutil
import time

import pytest

from core.config.schema import RunConfig
from core.runs.reader import RunReader, RunUpdate
from core.runs.writer import create_run
from tests.tui.fakes import epoch, finished, started, step, whole_run, write_run
from tui.messages import RunGrew, RunRead, RunsListed
from tui.workers.run_index import RunIndex


class Reader:
    """Asks an index and waits for what it posts."""

    def __init__(self, root):
        self.posted = queue.Queue()
        self.index = RunIndex(root, self.posted.put)

    def ask(self, *wanted, known=(), afresh=False):
        """The list, and what came after it until the index was at rest."""
        self.index.ask(wanted, known, afresh=afresh)
        end = time.monotonic() + 10
        while self.index._worker.is_busy:
            assert time.monotonic() < end
            time.sleep(0.002)
        found = [self.posted.get_nowait() for _ in range(self.posted.qsize())]
        assert isinstance(found[0], RunsListed)
        return found[0], found[1:]


@pytest.fixture
def reader(tmp_path):
    return Reader(tmp_path)


def test_runs_are_listed_with_their_end_and_only_the_wanted_one_is_read_whole(reader, tmp_path):
    one = write_run(tmp_path, RunConfig(preset="one"), whole_run(preset="one"), minute=1)
    write_run(tmp_path, RunConfig(preset="two"), whole_run(preset="two", done=1, end=None), minute=2)
    listed, (read,) = reader.ask(one.name)
    assert [(line.preset, line.status) for line in listed.lines] == [("two", "interrupted"), ("one", "completed")]
    assert listed.lines[1].val_accuracy == one.state().best_val_accuracy
    assert listed.lines[1].elapsed == one.state().elapsed
    assert isinstance(read, RunRead)
    assert read.state == one.state()
    assert reader.ask(one.name)[1] == []


def test_added_events_are_posted_as_parts_that_give_the_same_state(reader, tmp_path):
    writer = create_run(tmp_path, RunConfig(preset="live"))
    for event in (started(preset="live", num_epochs=1), step(1), step(2)):
        writer.append(event)
    name = writer.path.name
    (line,), (read,) = (found := reader.ask(name))[0].lines, found[1]
    assert (line.status, read.state.step) == ("running", 2)
    writer.append(step(3))
    (line,), (grew,) = (found := reader.ask(name))[0].lines, found[1]
    assert isinstance(grew, RunGrew)
    assert grew.update.parts == [step(3)]
    writer.append(epoch(1, at=3))
    writer.append(finished("completed", at=3))
    writer.close()
    (line,), (last,) = (found := reader.ask(name))[0].lines, found[1]
    assert (line.status, len(last.update.parts)) == ("completed", 2)
    for message in (grew, last):
        read.state.update(message.update)
    assert read.state == line.run.state()


def test_the_end_of_the_writing_process_is_posted_without_a_new_event(reader, tmp_path):
    writer = create_run(tmp_path, RunConfig(preset="live"))
    writer.append(started(preset="live"))
    name = writer.path.name
    reader.ask(name)
    writer.close()  # gives the lock up and says nothing
    with (writer.path / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "step", "lo')
    listed, (grew,) = reader.ask(name)
    assert (listed.lines[0].status, listed.lines[0].skipped_lines) == ("interrupted", 1)
    assert grew.update == RunUpdate([], is_live=False, skipped_lines=1)


def test_a_run_that_is_no_longer_wanted_is_left_and_read_on_later(reader, tmp_path, monkeypatch):
    one = write_run(tmp_path, RunConfig(preset="one"), whole_run(preset="one"), minute=1)
    two = write_run(tmp_path, RunConfig(preset="two"), whole_run(preset="two"), minute=2)
    whole, given = one.state(), []

    def parts(self, original=RunReader.parts):
        for part in original(self):
            if self.steps == "columns":
                given.append(self.run.name)
            yield part
            if len(given) == 5:  # the cursor moves
                reader.index._wanted = frozenset([two.name])

    monkeypatch.setattr(RunReader, "parts", parts)
    assert reader.ask(one.name)[1] == []
    _, (read,) = reader.ask(two.name)
    assert read.run.name == two.name
    _, (read,) = reader.ask(one.name, known=[two.name])
    assert read.state == whole
    assert given.count(one.name) == len(one.events_path.read_bytes().splitlines())


def test_a_run_that_the_receiver_has_dropped_is_read_again(reader, tmp_path):
    one = write_run(tmp_path, RunConfig(preset="one"), whole_run(preset="one"))
    reader.ask(one.name)
    assert reader.ask()[1] == []
    assert [type(message) for message in reader.ask(one.name)[1]] == [RunRead]


def test_a_run_that_was_cut_back_and_one_that_is_gone_are_no_trouble(reader, tmp_path):
    one = write_run(tmp_path, RunConfig(preset="one"), whole_run(preset="one"), minute=1)
    two = write_run(tmp_path, RunConfig(preset="two"), whole_run(preset="two"), minute=2)
    reader.ask(one.name, two.name)
    lines = one.events_path.read_bytes().splitlines(keepends=True)
    one.events_path.write_bytes(b"".join(lines[:4]))
    shutil.rmtree(two.path)
    listed, (read,) = reader.ask(one.name, two.name)
    assert [line.status for line in listed.lines] == ["interrupted"]
    assert read.state == one.state()


def test_events_that_cannot_be_read_are_given_as_none_and_not_asked_for_again_and_again(reader, tmp_path):
    one = write_run(tmp_path, RunConfig(preset="one"), whole_run(preset="one"))
    one.events_path.unlink()
    one.events_path.mkdir()
    listed, (read,) = reader.ask(one.name)
    assert [line.status for line in listed.lines] == [read.state.status] == ["interrupted"]
    assert read.state.step == 0
    assert reader.ask(one.name)[1] == []


def test_a_directory_that_cannot_be_read_is_said_and_asked_again(tmp_path):
    root = tmp_path / "runs"
    root.write_text("a file", encoding="utf-8")
    reader = Reader(root)
    listed, rest = reader.ask()
    assert "cannot be read" in listed.error
    assert rest == []
    root.unlink()
    run = write_run(root, RunConfig(preset="one"), whole_run(preset="one"))
    listed, (read,) = reader.ask(run.name)
    assert [line.preset for line in listed.lines] == [read.state.preset] == ["one"]
    root.rename(tmp_path / "away")
    root.write_text("a file", encoding="utf-8")
    reader.ask(run.name)
    root.unlink()
    (tmp_path / "away").rename(root)
    assert [type(message) for message in reader.ask(run.name)[1]] == [RunRead]
