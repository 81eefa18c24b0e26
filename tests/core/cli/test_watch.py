"""``imdb-tui watch`` without a terminal: every event as it is written, until the run has ended."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from core.cli.watch import follow
from core.config.schema import RunConfig
from core.runs.events import StepLogged
from core.runs.state import fold
from core.runs.writer import RunWriter, create_run
from tests.core.support.commands import Call
from tests.core.support.events_of import step, whole_run


def test_following_a_run_gives_every_event_until_its_end(tmp_path: Path) -> None:
    events = whole_run()
    made = create_run(tmp_path, RunConfig(preset="tiny"))
    for event in events[:4]:
        made.append(event)
    waits = 0

    def wait(_: float) -> bool:
        nonlocal waits
        waits += 1
        for event in events[4 * waits : 4 * waits + 4]:
            made.append(event)
        return False

    seen = [event for update in follow(made.run, wait) for event in update.events]
    made.close()
    assert seen == events
    assert fold(seen) == made.run.state()


def test_following_stops_when_the_process_is_gone_or_when_it_is_asked_to(writer: RunWriter) -> None:
    calls: list[float] = []
    assert len(list(follow(writer.run, lambda seconds: bool(calls.append(seconds)) or len(calls) == 3))) == 3
    writer.close()
    assert len(list(follow(writer.run, lambda _: False))) == 1


def test_a_new_event_is_seen_within_a_second(writer: RunWriter) -> None:
    leave, seen = threading.Event(), threading.Event()

    def watch() -> None:
        for update in follow(writer.run, leave.wait):
            if any(isinstance(event, StepLogged) for event in update.events):
                seen.set()

    thread = threading.Thread(target=watch)
    thread.start()
    writer.append(step(1))
    assert seen.wait(1.0)
    leave.set()
    thread.join()


def test_watch_prints_an_ended_run_and_its_json_is_its_events(call: Call, tmp_path: Path) -> None:
    made = create_run(tmp_path, RunConfig(preset="tiny"))
    for event in whole_run():
        made.append(event)
    made.close()
    code, out, err = call("watch", "last", "--runs-dir", tmp_path)
    assert (code, err) == (0, "")
    assert "epoch 2: val loss 0.500, accuracy 72.0 %" in out
    assert out.splitlines()[-1] == "✓ completed: done"
    code, out, err = call("watch", "last", "--json", "--runs-dir", tmp_path)
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines][:3] == ["run_started", "warning", "step"]
    assert len(lines) == len(whole_run())


def test_unreadable_lines_are_shown_by_watch_show_and_runs(call: Call, tmp_path: Path) -> None:
    made = create_run(tmp_path, RunConfig(preset="tiny"))
    for event in whole_run():
        made.append(event)
    made.close()
    with made.run.events_path.open("ab") as file:
        file.write(b'not json\n{"event": "step", "ti')
    for command in (("watch", "last"), ("show", "last"), ("runs",)):
        code, out, err = call(*command, "--runs-dir", tmp_path)
        assert (code, err) == (0, "")
        assert "2 unreadable lines in events.jsonl" in out, command
    code, out, err = call("watch", "last", "--json", "--runs-dir", tmp_path)
    assert (code, len(out.splitlines())) == (0, len(whole_run()))
    assert "2 unreadable lines in events.jsonl" in err
    code, out, _ = call("show", "last", "--json", "--runs-dir", tmp_path)
    assert json.loads(out)["skipped_lines"] == 2
