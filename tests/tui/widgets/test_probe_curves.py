"""The curves of the probe sentences: numbers tell them apart without colour, and a small terminal leaves them out."""

from __future__ import annotations

from dataclasses import replace

from core.runs.events import ProbesScored
from tests.tui.fakes import moment, started, step

SENTENCES = ["A warm film.", "A dull \x1b film."]
BRAILLE = {chr(code) for code in range(0x2801, 0x2900)}


def probes(number, *logits):
    return ProbesScored(**moment(1.0 + number), step=number, epoch=1, logits=list(logits), seconds=0.01)


def with_sentences():
    return replace(started(), probe_sentences=SENTENCES)


async def test_each_sentence_has_a_curve_with_its_number_and_its_latest_probability(open_console, trainer, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_console(size=(120, 40)) as console:
        await console.start()
        trainer.emit(with_sentences(), probes(0, 0.0, 0.0))
        await console.see("1   50.0 %  A warm film.", "2   50.0 %  A dull ␛ film.")
        trainer.emit(*(step(n) for n in range(1, 11)), probes(10, 3.0, -3.0), *(step(n) for n in range(11, 21)))
        await console.see("1   95.3 %  A warm film.", "2    4.7 %  A dull ␛ film.")
        trainer.emit(probes(20, 1000.0, -1000.0))
        await console.see("1  100.0 %", "2    0.0 %", "100%┤")
        chart = [line[:60] for line in console.text().split("probe sentences")[1].splitlines()]
        highest, lowest = (next(row for row in chart if each in row) for each in ("100%┤", " 0%┤"))
        assert highest.rindex("1") == lowest.rindex("2") > 10
        assert BRAILLE & set("".join(chart))


async def test_more_points_wait_like_those_of_the_other_curves(open_console, trainer, monkeypatch):
    monkeypatch.setattr("tui.widgets.probe_curves.CURVES_S", 3600.0)
    async with open_console(size=(120, 40)) as console:
        await console.start()
        trainer.emit(with_sentences(), probes(0, 1.0, -1.0))
        await console.see("73.1 %")
        trainer.emit(step(1), probes(1, 2.0, -2.0))
        await console.see("1/30")
        assert "88.1 %" not in console.text()


async def test_a_small_terminal_leaves_the_room_to_the_other_curves(open_console, trainer):
    async with open_console(size=(80, 24)) as console:
        await console.start()
        trainer.emit(with_sentences(), step(1), probes(1, 2.0, -2.0))
        await console.see("1/30")
        assert "probe sentences" not in console.text()
        await console.pilot.resize_terminal(120, 40)
        await console.see("probe sentences", "88.1 %")
        await console.pilot.resize_terminal(80, 24)
        await console.see_no("probe sentences")


async def test_a_run_without_probes_leaves_the_room_to_the_other_curves(open_console, trainer):
    async with open_console(size=(120, 40)) as console:
        await console.start()
        trainer.emit(started(), step(1))
        await console.see("1/30")
        assert "probe sentences" not in console.text()
