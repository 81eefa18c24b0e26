"""The Presets pane: choosing, editing, undoing, saving, and invalid files."""

from __future__ import annotations

from textual.events import Key

from core.config.presets import list_presets, load_preset
from core.config.schema import field_names
from tui.panes.presets.field_list import FieldList


async def focus_field(console, name):
    """Goes round with tab until the field of that name has the focus."""
    await console.press("e")
    for _ in range(60):
        if console.app.query_one(FieldList).current == name:
            return
        await console.press("tab")
    raise AssertionError(f"tab never came to {name}")


async def retype(console, value):
    await console.press("end", "ctrl+u", *value)


async def test_every_shipped_preset_is_in_the_menu_with_its_title(open_console):
    async with open_console() as console:
        for preset in list_presets():
            await console.see(preset.name, preset.config.title[:20])


async def test_moving_in_the_menu_shows_the_description_origins_and_fields_of_the_preset_under_the_cursor(open_console):
    async with open_console() as console:
        quick, pretrained = load_preset("quick"), load_preset("pretrained")
        await console.see(quick.description[:30], "n_samples", str(quick.data.n_samples), "small vocabulary, embedded")
        await console.press("j")
        await console.see(pretrained.description[:30], str(pretrained.data.n_samples))
        await console.see_no(quick.description[:30])
        await console.press("up")
        await console.see(quick.description[:30], str(quick.data.n_samples))


async def test_the_preset_of_the_command_line_is_under_the_cursor(open_console):
    async with open_console(preset="scratch") as console:
        await console.see(load_preset("scratch").description[:30])
        await console.press("enter")
        await console.until(lambda: console.app.pane == "train", "the Train pane")
        await console.see("scratch")


async def test_an_invalid_value_is_marked_with_the_reason_and_cannot_be_opened_in_train(open_console, trainer):
    async with open_console() as console:
        await focus_field(console, "data.n_samples")
        await retype(console, "many")
        await console.see("✗", "must be a whole number")
        await console.press("enter")
        await console.notice("data.n_samples")
        await console.press("escape", "enter")
        assert console.app.pane == "presets"
        await console.press("4", "s")
        assert trainer.configs == []


async def test_a_corrected_value_can_be_opened_in_train(open_console, trainer):
    async with open_console() as console:
        await focus_field(console, "data.n_samples")
        await retype(console, "1")
        await console.see("must be at least 2")
        await retype(console, "12")
        await console.see_no("must be at least 2")
        await console.press("enter")
        await console.until(lambda: console.app.pane == "train", "the Train pane")


async def test_an_edited_value_has_a_dot_and_undo_removes_both(open_console):
    async with open_console() as console:
        assert "•" not in console.text()
        await focus_field(console, "data.n_samples")
        await retype(console, "77")
        await console.until(lambda: any("•" in line for line in console.lines("n_samples")), "the dot")
        await console.press("escape", "u")
        await console.until(lambda: "•" not in "".join(console.lines("n_samples")), "the end of the dot")
        assert any(str(load_preset("quick").data.n_samples) in line for line in console.lines("n_samples"))


async def test_an_edited_preset_is_started_with_its_edits(open_console, trainer):
    async with open_console() as console:
        await focus_field(console, "train.learning_rate")
        await retype(console, "0.003")
        await console.press("enter")
        await console.until(lambda: any("0.003" in line for line in console.lines("learning_rate")), "the edit")
        await console.press("s")
        await console.until(lambda: trainer.configs, "the start")
    assert trainer.configs[0].train.learning_rate == 0.003
    assert trainer.configs[0].data == load_preset("quick").data


async def test_e_returns_to_the_field_edited_last(open_console):
    async with open_console() as console:
        await console.see("n_samples")
        await console.press("e")
        fields = console.app.query_one(FieldList)
        await console.until(lambda: fields.field.has_focus and fields.current == "data.n_samples", "the first field")
        await console.press("down")
        below = fields.current
        assert below != "data.n_samples"
        await console.press("escape", "j", "e")
        await console.until(lambda: fields.field.has_focus, "a field")
        assert fields.current == below


async def test_text_typed_right_after_a_step_is_in_the_new_field(open_console):
    async with open_console() as console:
        await focus_field(console, "data.n_samples")
        for key in ("9", "down", "down", "x", "tab", "up", "up", "backspace"):  # as fast as a terminal can send them
            console.app.post_message(Key(key, key if len(key) == 1 else None))
        fields = console.app.query_one(FieldList)
        await console.until(lambda: fields.current == "data.test_size", "the last step")
        await console.see("n_samples               6009", "test_size               0.", "max_length              128x")


async def test_a_click_puts_the_cursor_on_a_field_and_a_step_beyond_the_ends_leaves_the_list(open_console):
    async with open_console(size=(120, 60)) as console:
        await console.see("n_samples", "learning_rate")
        fields = console.app.query_one(FieldList)
        line = next(y for y, line in enumerate(console.text().splitlines()) if "learning_rate" in line)
        await console.pilot.click(offset=(35, line))
        await console.until(lambda: fields.field.has_focus and fields.current == "train.learning_rate", "the field")
        await console.see("train.learning_rate  ")
        await console.pilot.click(offset=(60, line + 1))
        await console.until(lambda: fields.current != "train.learning_rate", "the field below")
        fields.go("model.init")
        await console.press("up")
        assert not fields.field.has_focus


async def test_the_selected_field_is_visible(open_console):
    async with open_console(size=(80, 24)) as console:
        await console.see("quick")
        await console.press("e")
        await console.see("data.n_samples  Number of reviews")
        fields = console.app.query_one(FieldList)
        for _ in range(60):
            if not fields.field.has_focus:
                break
            name = fields.current.partition(".")[2]
            await console.until(lambda name=name: console.lines(f"{name} "), f"the line of {name}")
            await console.press("down")
        assert name == field_names()[-1].partition(".")[2]


async def test_edits_survive_a_visit_to_another_preset_and_another_pane(open_console):
    async with open_console() as console:
        await focus_field(console, "data.n_samples")
        await retype(console, "77")
        await console.press("escape", "j", "5", "1", "k")
        await console.until(lambda: any("77" in line for line in console.lines("n_samples")), "the edit")


async def test_save_as_puts_the_edited_preset_into_the_menu_and_leaves_the_shipped_one(open_console):
    async with open_console() as console:
        await focus_field(console, "data.n_samples")
        await retype(console, "77")
        await console.press("escape", "ctrl+s")
        await console.see("my-quick")
        await console.press("ctrl+u", *"mine", "enter")
        await console.notice("Saved as")
        await console.see("mine")
        await console.until(lambda: any("77" in line for line in console.lines("n_samples")), "the saved value")
    assert load_preset("mine").data.n_samples == 77
    assert load_preset("quick").data.n_samples != 77


async def test_save_as_refuses_the_name_of_another_preset(open_console):
    async with open_console() as console:
        await console.press("ctrl+s", "ctrl+u", *"scratch", "enter")
        await console.see("already a preset 'scratch'", "enter accepts")
        await console.press(*"/2", "enter")
        await console.see("'scratch/2' is not a valid preset name")
        await console.press("backspace", "backspace", *"-2", "enter")
        await console.notice("Saved as")


async def test_an_invalid_preset_file_is_listed_with_its_error_and_cannot_be_opened_in_train(open_console, tmp_path):
    folder = tmp_path / "own-presets"
    folder.mkdir()
    (folder / "typo.toml").write_text("[train]\nlearning_rat = 1\n", encoding="utf-8")
    async with open_console(preset="typo") as console:
        await console.see("typo", "invalid file", "learning_rat")
        await console.press("enter")
        await console.notice("is invalid")
        assert console.app.pane == "presets"
        await console.press("k")
        await console.see("n_samples")


async def test_the_data_set_of_the_command_line_applies_to_every_preset(open_console, trainer, reviews_csv):
    async with open_console(data=str(reviews_csv)) as console:
        await console.start()
    assert trainer.configs[0].data.source == str(reviews_csv)


async def test_control_characters_of_a_preset_file_do_not_reach_the_screen(open_console, tmp_path):
    folder = tmp_path / "own-presets"
    folder.mkdir()
    text = 'title = "\\u001b[2J title"\ndescription = "\\u001b]0;x\\u0007 words"\n[model]\ncheckpoint = "\\u001b[31m"\n'
    (folder / "nasty.toml").write_text(text, encoding="utf-8")
    async with open_console(preset="nasty") as console:
        await console.see("␛]0;x␇ words")
        assert not [char for char in console.text() if ord(char) < 32 and char != "\n"]


async def test_undo_removes_an_invalid_value(open_console):
    async with open_console() as console:
        await focus_field(console, "data.n_samples")
        await retype(console, "many")
        await console.see("must be a whole number")
        await console.press("escape", "u", "enter")
        await console.until(lambda: console.app.pane == "train", "the Train pane")


async def test_undo_removes_the_dot_from_the_list(open_console):
    async with open_console() as console:
        await focus_field(console, "data.n_samples")
        await retype(console, "77")
        await console.see("•")
        await console.press("escape", "u")
        await console.see_no("•")
