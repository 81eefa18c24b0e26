"""Curves of long runs are taken in bit by bit, and never over a run that is shown by then."""

from __future__ import annotations

from textual.app import App

from core.runs.state import RunState
from tui.themes import ON_DARK
from tui.widgets import envelope
from tui.widgets.chart import Chart
from tui.widgets.curves import RunCurves


class Page(App[None]):
    def compose(self):
        yield RunCurves()

    def get_theme_variable_defaults(self):
        return dict(ON_DARK)


def state_of(count, loss):
    state = RunState()
    for name, value in (("train/loss", loss), ("train/accuracy", 0.5)):
        state.curves[name].steps.extend(range(1, count + 1))
        state.curves[name].values.extend([value] * count)
    return state


async def test_a_long_run_arrives_whole_and_one_shown_meanwhile_stays(monkeypatch):
    monkeypatch.setattr(envelope.Envelope.follow, "__kwdefaults__", {"most": 100})
    app = Page()
    async with app.run_test(size=(100, 30)) as pilot:
        curves = app.query_one(RunCurves)
        long, other = state_of(1000, 0.75), state_of(10, 0.25)
        curves.show([("long", long)])
        assert len(app.query(Chart)[0]._series[0].steps) == 100
        curves.show([("other", other)])
        await pilot.pause(0.1)
        assert set(app.query(Chart)[0]._series[0].values) == {0.25}
        curves.show([("long", long)])
        for _ in range(100):
            await pilot.pause(0.02)
            if len(app.query(Chart)[0]._series[0].steps) == 1000:
                break
        assert app.query(Chart)[0]._series[0].steps == list(range(1, 1001))


async def test_points_alone_wait_for_their_turn_and_the_legend_does_not(monkeypatch):
    monkeypatch.setattr(Chart, "cost", 1.0)
    app = Page()
    async with app.run_test(size=(100, 30)) as pilot:
        curves = app.query_one(RunCurves)
        state = state_of(10, 0.25)
        curves.show([("run", state)])
        state.curves["train/loss"].steps.append(11)
        state.curves["train/loss"].values.append(0.75)
        curves.show([("run", state)], paced=True)
        await pilot.pause()
        assert len(app.query(Chart)[0]._series[0].steps) == 10
        assert "loss 0.750" in "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        curves.show([("run", state)])
        assert len(app.query(Chart)[0]._series[0].steps) == 11
