"""The Model pane: seven pages, on a small checkpoint and on a run whose head was changed."""

from __future__ import annotations

import csv
import gc
import json

import pytest
from textual.widgets import DataTable, Input, OptionList

from core.config.encoder_overrides import EncoderOverrides
from core.config.schema import ModelConfig, RunConfig
from core.data.reviews import Review
from core.sources.origin import Origin
from tests.tui.fakes import PIECES
from tui.panes.model.difference import DifferencePage
from tui.panes.model.trace import TracePage

REVIEWS = [Review("hello my name is kevin", 1), Review("a film", 0), Review("dull " * 300, 0)] * 2
EMBEDDINGS = len(PIECES) * 16 + 512 * 16 + 2 * 16
LAYER = 4 * (16 * 16 + 16) + 2 * 16 + 16 * 32 + 32 + 32 * 16 + 16 + 2 * 16
TOTAL = EMBEDDINGS + LAYER + 16 + 1


@pytest.fixture(autouse=True)
def _small_checkpoint(monkeypatch, checkpoint_folder):
    from core.sources import resolve as sources

    real = sources.open_checkpoint

    def small(_, pretrained):
        return real(str(checkpoint_folder), pretrained=pretrained)

    monkeypatch.setattr(sources, "open_checkpoint", small)
    monkeypatch.setattr(sources, "open_reviews", lambda *_: (REVIEWS, Origin("file", "six.csv")))


@pytest.fixture
def moved_head(tmp_path):
    """A run whose head is twice as long as where it began."""
    from core.inspection.target import Target, resolve
    from core.inspection.weights import build_model
    from tests.core.support.looking import write_run

    config = RunConfig(preset="pretrained")
    state = build_model(resolve(Target("pretrained", config))).state_dict()
    state["classifier.weight"] = state["classifier.weight"] * 2
    return write_run(tmp_path / "runs", config, state)


async def model(console, *keys, name=""):
    """The Model pane, once there is a model, at the page of ``keys``."""
    await console.press("3")
    await console.see(f"{TOTAL:,} parameters in 22 tensors")
    if name:
        await console.press("o")
        await console.see("Open a preset")
        console.app.screen.query_one(Input).value = name
        await console.press("enter")
        await console.see(f"{name}" if name != "last" else "@step-4")
    await console.press(*keys)


async def move_to(console, text):
    for _ in range(80):
        if text in console.text():
            return
        await console.press("down")
    raise AssertionError(f"the cursor did not reach {text!r}; the screen is\n{console.text()}")


async def test_pages_are_shown_by_key_and_by_mouse(open_console):
    async with open_console() as console:
        await model(console)
        for key, text in {"s": "DistilBertForMaskedLM", "p": "to search", "w": "quantiles", "d": "compare with",
                           "t": "run a batch of reviews", "a": "Press enter to show what"}.items():  # fmt: skip
            await console.press(key)
            await console.see(text)
            await console.press("escape")
        await console.pilot.click("ModelPane PageBar", offset=(20, 0))
        await console.see("DistilBertForMaskedLM")


async def test_the_short_names_of_all_pages_fit_80_columns_with_the_footer(open_console):
    async with open_console(size=(80, 24)) as console:
        await model(console)
        await console.see("c Config", "a Attention")
        for key in "cspwdta":
            await console.press(key, "escape")
            await console.pilot.pause()
            footer = console.text().splitlines()[-1]
            assert "q quit" in footer, footer


async def test_a_field_has_a_meaning_and_is_task_specific_or_agnostic(open_console):
    async with open_console(size=(90, 30)) as console:
        await model(console)
        await move_to(console, "Number of transformer blocks")
        await console.see("architecture, task-agnostic")
        await move_to(console, "Dropout rate before the question")
        await console.see("task, task-specific")
        await console.press("e")
        await console.notice("Our classifier does not use this field")


async def edit(console, name, value):
    page = console.app.query_one("#model-configuration")
    await console.press("c")
    table = page.query_one(DataTable)
    table.move_cursor(row=next(i for i, row in enumerate(page._rows) if getattr(row, "name", "") == name))
    await console.see(name)
    await console.pilot.pause()
    await console.press("e")
    page.query_one("#config-value", Input).value = value


async def test_meanings_have_a_column_where_there_is_room_and_end_in_an_ellipsis_where_they_are_cut(open_console):
    async with open_console(size=(80, 24)) as console:
        await model(console)
        await console.see("max_position_embeddings")
        assert "meaning" not in console.text()
        await console.press("down", "down")
        await console.pilot.resize_terminal(120, 40)
        await console.see("meaning")
        assert console.app.query_one("#config-table").cursor_row == 3
        (line,) = console.lines("n_heads")
        assert line.rstrip(" ▁▂▃▄▅▆▇█").endswith("…")
        await console.pilot.resize_terminal(220, 40)
        await console.until(lambda: console.lines("n_heads")[0].rstrip().endswith("."), "the whole sentence")


async def test_editing_a_field_recounts_the_model_and_can_become_a_preset(open_console, tmp_path):
    async with open_console() as console:
        await model(console)
        await edit(console, "n_layers", "2")
        await console.see("set model.init = 'scratch'")
        await console.press("escape", "i")
        await console.see("• edited: scratch")
        await edit(console, "n_layers", "2")
        await console.see(f"{TOTAL + LAYER:,} parameters in 38 tensors", "edited: n_layers=2")
        await edit(console, "dim", "32")
        await console.see("dim=32")
        await console.press("escape", "ctrl+s")
        await console.see("Save this configuration as a preset")
        console.app.screen.query_one(Input).value = "wide"
        await console.press("enter")
        await console.notice("Saved as")
        await console.press("u")
        await console.see(f"{TOTAL:,} parameters in 22 tensors")
        await console.press("1")
        await console.see("wide")
    from core.config.presets import load_preset

    assert load_preset("wide").model == ModelConfig(
        init="scratch", encoder=EncoderOverrides({"n_layers": 2, "dim": 32})
    )


async def test_a_width_that_the_heads_cannot_share_is_refused_with_the_reason(open_console):
    async with open_console() as console:
        await model(console, "i")
        await console.see("• edited: scratch")
        await edit(console, "dim", "15")
        await console.see("dim 15 is not divisible by n_heads 2")
        assert f"{TOTAL:,} parameters" in console.text()
        await edit(console, "dropout", "lots")
        await console.see("'lots' must be a number")


async def test_the_classes_page_lists_what_each_class_adds(open_console):
    async with open_console() as console:
        await model(console, "s")
        await console.see("DistilBertClassifier ◀ ours", "DistilBertForMultipleChoice", "16x256x16")
        await console.press("down", "down")
        await console.see("Pretraining", "vocab_projector.weight belongs to the encoder", "token of the vocabulary")


async def test_freezing_a_module_is_shown_in_the_tree_and_the_header(open_console):
    async with open_console() as console:
        await model(console, "p", "down", "f")
        await console.see("17 trained", "* frozen", "classifier is trained", "edited: freeze distilbert")
        await console.press("f")
        await console.see("all trained")
        await console.press("up", "f")
        await console.notice("nothing to train")


async def test_a_search_finds_nodes_by_a_few_letters_and_w_shows_their_statistics(open_console):
    async with open_console() as console:
        await model(console, "p", "slash", *"ffnl1b")
        await console.see("layer.0.ffn.lin1.bias")
        await console.press("enter", "w")
        await console.see("distilbert.transformer.layer.0.ffn.lin1", "quantiles")
        await console.press("p", "slash", *"xyzzy")
        await console.see("no parameter has this name")


@pytest.mark.parametrize("name", ["p.csv", "p.json"])
async def test_the_parameters_are_exported_and_nothing_is_overwritten(open_console, tmp_path, name):
    path = tmp_path / name
    async with open_console() as console:
        await model(console, "p")
        for text in (f"written to {path}", "exists already"):
            await console.press("x")
            await console.see("Export the parameters")
            console.app.screen.query_one(Input).value = str(path)
            await console.press("enter")
            await console.notice(text)
    text = path.read_text(encoding="utf-8")
    rows = json.loads(text)["parameters"] if name.endswith("json") else list(csv.DictReader(text.splitlines()))
    assert sum(int(row["count"]) for row in rows) == TOTAL


async def test_the_weights_page_shows_statistics_and_the_neighbours_of_a_token(open_console):
    async with open_console() as console:
        await model(console, "w")
        await console.see("word_embeddings.weight", f"{len(PIECES) * 16:,} float32", "nearest to film:")
        await console.press("slash", *["backspace"] * 4, *"zz", "enter")
        await console.see("nearest to zz")
        await console.press("escape", "down")
        await console.see("distilbert.embeddings.position_embeddings.weight", "[512, 16]")


async def test_nan_is_counted_in_a_tensor_and_refused_in_a_difference(open_console, moved_head):
    from tests.core.support.looking import change

    change(moved_head, lambda state: state["classifier.weight"][0, :3].fill_(float("nan")))
    async with open_console() as console:
        await model(console, "w", name="last")
        page = console.app.query_one("#model-weights")
        page.select("classifier.weight")
        await console.see("3, 0")
        await console.press("d")
        await console.see("compare with", "pretrained")
        await console.press("enter")
        await console.see("tensor classifier.weight has 3 of 16")


async def test_a_run_differs_from_its_preset_only_where_it_was_trained(open_console, moved_head):
    async with open_console() as console:
        await model(console, "d", name="last")
        menu = console.app.query_one(DifferencePage).query_one(OptionList)
        await console.until(lambda: menu.highlighted is not None and menu.option_count > 3, "the candidates")
        await console.press("enter")
        await console.see("from pretrained to", "1 of 22 tensors differ", "100.000%")
        assert [line.split("│")[1].split() for line in console.lines("layer 0  ")] == [["layer", "0", "0"]]
        assert "█" in console.lines("head  ")[0]
        await console.press("r")
        await console.see("to pretrained", "50.000%")


async def test_b_traces_a_batch_and_shows_padding_and_truncation(open_console):
    async with open_console() as console:
        await model(console, "b")
        await console.see("input_ids [6, 256]", "six.csv", "embeddings.LayerNorm", "6x256x16", "padding;",
                          "2 reviews cut at max_length 256")  # fmt: skip
        assert any("▲■·" in line for line in console.lines("▲ hello:"))
        table = console.app.query_one(TracePage).query_one(DataTable)
        table.move_cursor(row=table.row_count - 1)
        await console.see("distilbert ◀", "classifier ◀")


async def test_attention_is_shown_by_head_and_layer_and_513_tokens_are_cut_with_a_notice(open_console):
    async with open_console(size=(160, 40)) as console:
        await model(console, "a", "enter")
        await console.see("layer 0 of 0–0 · head 0 of 0–1", "▸ 0 [UNK]", "0 [UNK] attends to", "█")
        await console.press("right")
        await console.see("head 1 of 0–1")
        await console.press("m")
        await console.see("mean of all heads")
        await console.press("j", "j")
        await console.see("▸ 2 was", "2 was attends to")
        await console.press("k", "k", "k")
        await console.see("19 [UNK] attends to")
        await console.pilot.click("#attention-matrix", offset=(20, 14))
        await console.see("▸13 film", "13 film attends to")
        field = console.app.query_one("#attention-text", Input)
        for count, text in ((512, "512 tokens"), (513, "truncated: 512 of 513 tokens are used")):
            await console.press("slash")
            field.value = "dull " * count
            await console.press("enter")
            await console.see(text)
            assert ("truncated" in console.lines("512 ")[0]) == (count > 512)


async def test_only_light_inspections_are_allowed_while_a_run_trains(open_console, trainer, moved_head):
    async with open_console() as console:
        await model(console)
        await console.start()
        await console.press("3", "b")
        await console.notice("Not available while a run is training")
        await console.see("Not available while a run is training")
        await console.press("s")
        await console.see("DistilBertForMaskedLM")
        await console.press("o")
        await console.see("Open a preset")
        await console.press("enter")
        await console.see("@step-4")
        await console.press("w", "down")
        await console.see("quantiles", "position_embeddings")


def weights_in_memory(but=()):
    """All opened weights, except those of earlier tests."""
    from core.inspection.weights import Weights

    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, Weights) and not any(each is old for old in but)]


async def test_leaving_the_pane_releases_the_weights(open_console):
    older = weights_in_memory()
    async with open_console() as console:
        await model(console, "w")
        await console.see("quantiles")
        assert weights_in_memory(older)
        await console.press("4")
        await console.until(lambda: not weights_in_memory(older), "the release of the weights")


async def test_a_trained_model_cannot_be_edited(open_console, moved_head):
    async with open_console() as console:
        await model(console, "p", "f", name="last")
        await console.notice("A trained model cannot be edited")
        console.notices.clear()
        await console.press("c", "e")
        await console.notice("A trained model cannot be edited")
        assert console.app.query_one("#config-value", Input).disabled


async def test_the_reason_why_a_checkpoint_is_not_available_is_shown_with_its_brackets(open_console, monkeypatch):
    from core.errors import InputError

    def nothing(*_, **__):
        raise InputError("no folder [/x] here")

    monkeypatch.setattr("core.sources.resolve.open_checkpoint", nothing)
    async with open_console() as console:
        await console.press("3")
        await console.see("no folder [/x] here")


async def test_a_name_that_does_not_exist_leaves_the_open_model_as_it_is(open_console):
    async with open_console() as console:
        await model(console, "o")
        await console.see("Open a preset")
        console.app.screen.query_one(Input).value = "nothing"
        await console.press("enter")
        await console.see("there is no run 'nothing'", f"{TOTAL:,} parameters")
