"""Runs as text without control characters, and as valid JSON."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.config.presets import Preset
from core.config.schema import RunConfig
from core.formatting import as_json, duration, percent, printable
from core.runs.events import EpochFinished, RunFinished, RunStarted, StepLogged
from core.runs.state import RunState, fold
from core.runs.summary import epoch_rows, presets_as_json, progress_text, status_label

BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too
CONTROLS = st.text(st.sampled_from([*map(chr, [*range(0x20), *range(0x7F, 0xA0)]), *"\u202e\u2066\u200f\u2028a"]))
ANY_CONTENT: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=12,
)


@given(ANY_TEXT | CONTROLS)
@example("\u061c\u200e\u200f\u202e\u2066\u2069\u2028\u2029\x1b\x9b\udc80")
def test_printable_removes_all_control_characters(text: str) -> None:
    shown = printable(text)
    for char in shown:
        assert unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(char) not in BIDI
        assert char not in "\u200e\u200f\u061c"
    assert len(shown) == len(text)
    shown.encode("utf-8")
    assert printable(shown) == shown


@pytest.mark.parametrize("text", ["A naïve café, 映画 🎬", "tab-free, plain", ""])
def test_printable_does_not_change_ordinary_text(text: str) -> None:
    assert printable(text) == text


def test_printable_shows_the_code_of_a_control_character() -> None:
    assert printable("\x1b[31m\a\n\x7f") == "␛[31m␇␊␡"


@given(ANY_CONTENT)
def test_as_json_gives_one_line_of_valid_ascii_json(content: Any) -> None:
    line = as_json(content)
    assert line.isascii()
    assert line.isprintable()

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(line, parse_constant=refuse)


def test_as_json_writes_only_numbers_that_are_not_finite_as_null() -> None:
    content = {"a": [math.nan, 1.5, {"b": math.inf}], "c": (-math.inf, 2), "d": "NaN"}
    assert json.loads(as_json(content)) == {"a": [None, 1.5, {"b": None}], "c": [None, 2], "d": "NaN"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "0:00"),
        (0.4, "0:00"),
        (41, "0:41"),
        (59.7, "1:00"),
        (725, "12:05"),
        (3599.6, "1:00:00"),
        (3723, "1:02:03"),
        (360_000, "100:00:00"),
    ],
)
def test_a_duration_has_hours_only_if_needed(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.0, "0.0 %"), (0.8765, "87.6 %"), (1.0, "100.0 %")])
def test_a_share_is_shown_in_percent_with_one_digit(value: float | None, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf])
def test_a_duration_of_nan_is_a_dash(seconds: float) -> None:
    assert duration(seconds) == "–"


def test_every_status_has_its_own_symbol() -> None:
    statuses = ("starting", "running", "paused", "completed", "stopped", "failed", "interrupted")
    shown = [status_label(status) for status in statuses]
    assert [text.split()[1] for text in shown] == list(statuses)
    assert len({text.split()[0] for text in shown}) == len(statuses)


def live_state() -> RunState:
    """Ten of forty steps at 0.5 s and 8 reviews each."""
    started = RunStarted(
        time=0.0,
        elapsed=1.0,
        run="r",
        preset="p",
        num_epochs=2,
        steps_per_epoch=20,
        train_examples=160,
        validation_examples=0,
        parameters=1,
        device="cpu",
        device_reason="",
        dtype="float32",
        dtype_reason="",
        threads=1,
        origins={},
    )
    steps = [
        StepLogged(
            time=float(i),
            elapsed=1 + i / 2,
            step=i,
            epoch=1,
            loss=0.7,
            accuracy=0.5,
            lr=1e-3,
            grad_norm=1.0,
            examples=8,
            tokens=80,
            seconds=0.5,
        )
        for i in range(1, 11)
    ]
    return fold([started, *steps])


def test_the_progress_line_has_epoch_step_speed_and_time_left() -> None:
    assert progress_text(live_state()) == "epoch 1/2 · step 10/40 · 16.0 samples/s · 0:15 left"


def test_the_progress_line_of_an_ended_run_has_no_time_left() -> None:
    state = live_state()
    state.apply(RunFinished(time=9.0, elapsed=7.0, status="stopped", step=10, reason="asked", samples_per_second=16.0))
    assert "left" not in progress_text(state)


def test_before_the_first_step_the_progress_line_names_the_current_task() -> None:
    assert progress_text(RunState()) == "starting"
    assert progress_text(RunState(activity="loading reviews")) == "loading reviews"


def test_an_epoch_is_a_row_of_means() -> None:
    epoch = EpochFinished(
        time=0.0,
        elapsed=9.0,
        epoch=1,
        step=20,
        train_loss=0.6,
        train_accuracy=0.7,
        val_loss=0.5,
        val_accuracy=0.8,
        seconds=8.0,
    )
    assert epoch_rows([epoch]) == [
        {
            "epoch": 1,
            "train_loss": 0.6,
            "train_accuracy": 0.7,
            "val_loss": 0.5,
            "val_accuracy": 0.8,
            "seconds": 8.0,
        }
    ]


def test_an_invalid_preset_is_listed_with_its_error_beside_the_others() -> None:
    good = Preset("good", RunConfig(title="T", description="D"), "", own=True)
    broken = Preset("broken", None, "", own=True, error="broken.toml: not valid TOML")
    rows = presets_as_json([broken, good])
    assert rows[0]["error"] == "broken.toml: not valid TOML"
    assert (rows[1]["title"], rows[1]["config"]["train"]["batch_size"]) == ("T", 16)
    assert "error" not in rows[1]
