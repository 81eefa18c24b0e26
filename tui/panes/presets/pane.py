"""Presets: a list of presets, and the description, origins, time and fields of the selected one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from core.config.presets import Preset, check_name, list_presets, save_preset
from core.config.schema import RunConfig, choices, configure, describe_field
from core.errors import InputError
from core.formatting import duration, printable
from tui.panes.pane import Pane
from tui.panes.presets.field_list import FieldList
from tui.panes.presets.planning import Planner

if TYPE_CHECKING:
    from tui.messages import PlanReady
    from tui.panes.pane import Console


HELP = "Press enter to open this preset in Train, e to edit its fields, ctrl+s to save it under a new name."


class PresetList(OptionList):
    """The list of presets; the footer shows what enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "open in Train")]


class PresetsPane(Pane):
    """The list on the left, the selected preset and its fields on the right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "edit"),
        Binding("ctrl+s", "save_as", "save as"),
        Binding("u", "undo", "undo edits"),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
    ]

    def __init__(self, console: Console, *, id: str) -> None:
        super().__init__(console, id=id)
        self._presets: list[Preset] = []
        self._edited: dict[str, RunConfig] = {}
        self._drawn_name = ""
        self._planner = Planner(console.root, self.post_message)

    def compose(self) -> ComposeResult:
        yield PresetList(id="preset-list")
        with VerticalScroll(id="preset-details", can_focus=False):
            yield Static(id="preset-description", markup=False)
            yield Static(id="preset-origins", markup=False)
            yield FieldList(id="fields", first="data.n_samples")
        yield Static(id="field-help", markup=False)

    def on_mount(self) -> None:
        self._read_presets(self.console.first_preset)
        self.screen.set_focus(self.query_one(OptionList))
        self.call_after_refresh(self._after_first_frame)

    def _after_first_frame(self) -> None:
        if self.is_attached:  # the console may have been closed meanwhile
            self._planner.enable()
            self._plan_all()

    def _read_presets(self, select: str | None = None) -> None:
        self._presets = list_presets()
        menu = self.query_one(OptionList)
        menu.clear_options()
        menu.add_options(Option(self._menu_entry(preset), id=preset.name) for preset in self._presets)
        names = [preset.name for preset in self._presets]
        menu.highlighted = names.index(select) if select in names else 0
        self._show_current()
        self._plan_all()

    def _plan_all(self) -> None:
        for preset in self._presets:
            if preset.config is not None:
                self._planner.request(self._config_of(preset))

    def run_ended(self) -> None:
        """Estimate the times again, now that another run was measured."""
        self._planner.forget()
        self._plan_all()

    def preset_saved(self, name: str) -> None:
        """Read the presets again and select the new one."""
        self._drawn_name = ""
        self._read_presets(name)

    def _menu_entry(self, preset: Preset) -> Text:
        entry = Text(overflow="ellipsis", no_wrap=True)
        edited = " •" if preset.name in self._edited else ""
        entry.append(f"{printable(preset.name)}{edited}", style="bold")
        if preset.config is None:
            entry.append("\n✗ invalid file", style="red")
        else:
            plan = self.console.plans.get(self._config_of(preset))
            entry.append(f"  ~{duration(plan.seconds)}" if plan else "", style="dim")
            entry.append(f"\n{printable(preset.config.title)}", style="dim")
        return entry

    def _config_of(self, preset: Preset) -> RunConfig:
        """Return the preset with the user's edits and the data set of the command line."""
        assert preset.config is not None
        config = self._edited.get(preset.name, preset.config)
        if self.console.data is not None and config.data.source == preset.config.data.source:
            config = configure(config, [], self.console.data)
        return config

    @property
    def _current(self) -> Preset | None:
        number = self.query_one(OptionList).highlighted
        return self._presets[number] if number is not None and number < len(self._presets) else None

    @on(OptionList.OptionHighlighted)
    def _show_current(self) -> None:
        preset = self._current
        if preset is None or preset.name == self._drawn_name:
            return
        self._drawn_name = preset.name
        description = Text()
        fields = self.query_one(FieldList)
        fields.display = preset.config is not None
        fields.errors.clear()
        self._show_help()
        if preset.config is None:
            description.append(f"{printable(preset.name)}\n\n", style="bold")
            description.append(f"✗ {printable(preset.error)}\n\n", style="red")
            description.append("Correct the file and restart the console, or choose another preset.")
            self.query_one("#preset-description", Static).update(description)
            self.query_one("#preset-origins", Static).update("")
            return
        description.append(f"{printable(preset.config.title)}\n", style="bold")
        description.append(printable(preset.config.description))
        self.query_one("#preset-description", Static).update(description)
        config = self._config_of(preset)
        fields.show(config, preset.config)
        self.query_one("#preset-details").scroll_home(animate=False)
        self._show_plan(config)

    def _show_plan(self, config: RunConfig) -> None:
        plan = self.console.plans.get(config)
        self._planner.request(config)
        table = Table.grid(padding=(0, 1))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        rows = {"time": "…", "tokenizer": "…", "weights": "…", "reviews": "…"}
        if plan is not None:
            rows = {"time": f"about {duration(plan.seconds)}, {plan.basis}", **plan.origins}
        for thing, value in rows.items():
            table.add_row(thing, Text(printable(value)))
        self.query_one("#preset-origins", Static).update(table)
        self.call_after_refresh(self.query_one(FieldList).reveal)  # the table may have grown

    def on_plan_ready(self, message: PlanReady) -> None:
        self.console.plans[message.config] = message
        menu = self.query_one(OptionList)
        for number, preset in enumerate(self._presets):
            if preset.config is not None and self._config_of(preset) == message.config:
                menu.replace_option_prompt_at_index(number, self._menu_entry(preset))
                if preset is self._current:
                    self._show_plan(message.config)

    # Editing

    def on_field_list_edited(self, event: FieldList.Edited) -> None:
        preset = next((preset for preset in self._presets if preset.config is event.original), None)
        if preset is None or preset.config is None:
            return
        name, before, fields = event.name, self._config_of(preset), self.query_one(FieldList)
        is_current = preset is self._current  # the user may have moved to another preset
        try:
            after = before.set(name, event.value)
        except InputError as error:
            if is_current:
                fields.refuse(name, str(error))
                self._show_help(fields.current)
            return
        if is_current:
            fields.accept(name, after)
            self._show_help(fields.current)
        if after == before:
            return
        self._edited[preset.name] = after
        if after == preset.config:
            del self._edited[preset.name]
        self._show_edited(preset)

    def _show_edited(self, preset: Preset) -> None:
        """Update the dot in the list, and the plan."""
        number = self._presets.index(preset)
        self.query_one(OptionList).replace_option_prompt_at_index(number, self._menu_entry(preset))
        if preset is self._current:
            self._show_plan(self._config_of(preset))

    def _show_help(self, name: str = "") -> None:
        """Show the meaning of the focused field, or the problem with its value; without a field, the keys."""
        text = Text(f"{name}  " if name else "", style="bold")
        if not name:
            text.append(HELP)
        elif error := self._errors.get(name):
            text.append(f"✗ {printable(error)}", style="red")
        else:
            options = choices(name)
            text.append(describe_field(name) + (f" [{' | '.join(options)}]" if options else ""))
        self.query_one("#field-help", Static).update(text)

    def on_field_list_entered(self, event: FieldList.Entered) -> None:
        self._show_help(event.name)

    def on_descendant_focus(self) -> None:
        fields = self.query_one(FieldList)
        self._show_help(fields.current if fields.field.has_focus else "")
        self.call_after_refresh(fields.reveal)

    @property
    def _errors(self) -> dict[str, str]:
        return self.query_one(FieldList).errors

    def unsaved_presets(self) -> list[str]:
        return list(self._edited)

    # Keys

    def activate(self) -> None:
        self.call_after_refresh(self._after_first_frame)
        self.leave_field()

    def leave_field(self) -> None:
        self.screen.set_focus(self.query_one(OptionList))

    def action_move(self, step: int) -> None:
        menu = self.query_one(OptionList)
        (menu.action_cursor_down if step > 0 else menu.action_cursor_up)()

    def action_edit(self) -> None:
        self.screen.set_focus(self.query_one(FieldList).field)

    def action_undo(self) -> None:
        preset = self._current
        if preset is not None and preset.config is not None:
            self._edited.pop(preset.name, None)
            self.query_one(FieldList).show(self._config_of(preset), preset.config)
            self._show_edited(preset)
            self._show_help()

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    async def action_open_in_train(self) -> None:
        preset = self._current
        if preset is None or preset.config is None:
            self.app.notify("The file of this preset is invalid. Choose another preset.", severity="warning")
        elif self._errors:
            self.app.notify(next(iter(self._errors.values())), severity="error")
        else:
            await self.console.show_train(self._config_of(preset))

    def action_save_as(self) -> None:
        preset = self._current
        if preset is None or preset.config is None or self._errors:
            reason = next(iter(self._errors.values()), "the file of this preset is invalid")
            self.app.notify(f"Not saved: {reason}", severity="warning")
            return
        from tui.screens.confirm import AskText, message_of

        ask = AskText("Save this preset under the name:", f"my-{preset.name}", check=message_of(check_name))
        self.app.push_screen(ask, self._save_named)

    def _save_named(self, name: str | None) -> None:
        preset = self._current
        if not name or preset is None or preset.config is None:
            return
        try:
            path = save_preset(self._config_of(preset), name)
        except InputError as error:
            self.app.notify(str(error), severity="error")
            return
        self._edited.pop(preset.name, None)
        self.console.preset_saved(name)
        self.app.notify(f"Saved as {path}.")
