"""The menu of presets: what each does, its parameters, from where its things come, how long it takes."""

from __future__ import annotations

import threading
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
from tui.widgets.field_list import FieldList

if TYPE_CHECKING:
    from pathlib import Path

    from tui.messages import PlanReady
    from tui.panes.pane import Console


FIRST_WORDS = "enter takes this preset to Train, where s starts it · e edits its fields · ctrl+s saves it as your own"


class PresetList(OptionList):
    """The menu; enter is named in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "to Train")]


class PresetsPane(Pane):
    """List on the left, the chosen preset and its fields on the right."""

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
        self._asked: set[RunConfig] = set()
        self._shown_name = ""
        self._planning = threading.Lock()
        self._wants_plans = False  # until the first frame is there

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
        if self.is_attached:  # not left already
            self._wants_plans = True
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
                self._plan(self._config_of(preset))

    def run_ended(self) -> None:
        """Estimate the times again, now that another run was measured."""
        self._asked.clear()
        self._plan_all()

    def preset_saved(self, name: str) -> None:
        """Read the presets again and select the new one."""
        self._shown_name = ""
        self._read_presets(name)

    def _menu_entry(self, preset: Preset) -> Text:
        entry = Text(overflow="ellipsis", no_wrap=True)
        edited = " •" if preset.name in self._edited else ""
        entry.append(f"{printable(preset.name)}{edited}", style="bold")
        if preset.config is None:
            entry.append("\n✗ broken file", style="red")
        else:
            plan = self.console.plans.get(self._config_of(preset))
            entry.append(f"  ~{duration(plan.seconds)}" if plan else "", style="dim")
            entry.append(f"\n{printable(preset.config.title)}", style="dim")
        return entry

    def _config_of(self, preset: Preset) -> RunConfig:
        """The preset with the person's edits and the command line's data."""
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
        if preset is None or preset.name == self._shown_name:
            return
        self._shown_name = preset.name
        words = Text()
        fields = self.query_one(FieldList)
        fields.display = preset.config is not None
        fields.errors.clear()
        self._help()
        if preset.config is None:
            words.append(f"{printable(preset.name)}\n\n", style="bold")
            words.append(f"✗ {printable(preset.error)}\n\n", style="red")
            words.append("Mend the file and open the console again, or choose another preset.")
            self.query_one("#preset-description", Static).update(words)
            self.query_one("#preset-origins", Static).update("")
            return
        words.append(f"{printable(preset.config.title)}\n", style="bold")
        words.append(printable(preset.config.description))
        self.query_one("#preset-description", Static).update(words)
        config = self._config_of(preset)
        fields.show(config, preset.config)
        self.query_one("#preset-details").scroll_home(animate=False)
        self._show_plan(config)

    def _show_plan(self, config: RunConfig) -> None:
        plan = self.console.plans.get(config)
        self._plan(config)
        table = Table.grid(padding=(0, 1))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        rows = {"time": "…", "tokenizer": "…", "weights": "…", "reviews": "…"}
        if plan is not None:
            rows = {"time": f"about {duration(plan.seconds)}, {plan.basis}", **plan.origins}
        for thing, words in rows.items():
            table.add_row(thing, Text(printable(words)))
        self.query_one("#preset-origins", Static).update(table)
        self.call_after_refresh(self.query_one(FieldList).reveal)  # the table may be higher now

    def _plan(self, config: RunConfig) -> None:
        """Works out where things come from and how long it takes, once a configuration."""
        if self._wants_plans and config not in self._asked:
            self._asked.add(config)
            arguments = (config, self.console.root)
            threading.Thread(target=self._work_out_plan, args=arguments, name="plan", daemon=True).start()

    def _work_out_plan(self, config: RunConfig, root: Path) -> None:
        """In a thread of its own, as it may wait for the Hub: perhaps until the console is gone."""
        from core.engine.device import usable_cores
        from core.runs.directory import list_runs
        from core.runs.estimate import estimate
        from core.sources.resolve import plan
        from tui.messages import PlanReady

        with self._planning:
            try:
                runs = list_runs(root)
            except InputError:
                runs = []
            try:
                guess = estimate(config, runs, usable_cores())
                message = PlanReady(config, plan(config), guess.seconds, guess.basis)
            except Exception as error:
                message = PlanReady(config, {"error": str(error)}, 0.0, "unknown")
        self.post_message(message)

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
        is_shown = preset is self._current  # and not left in the moment after the edit
        try:
            after = before.set(name, event.value)
        except InputError as error:
            if is_shown:
                fields.refuse(name, str(error))
                self._help(fields.current)
            return
        if is_shown:
            fields.accept(name, after)
            self._help(fields.current)
        if after == before:
            return
        self._edited[preset.name] = after
        if after == preset.config:
            del self._edited[preset.name]
        self._show_edited(preset)

    def _show_edited(self, preset: Preset) -> None:
        """The menu's dot and the plan follow an edit."""
        number = self._presets.index(preset)
        self.query_one(OptionList).replace_option_prompt_at_index(number, self._menu_entry(preset))
        if preset is self._current:
            self._show_plan(self._config_of(preset))

    def _help(self, name: str = "") -> None:
        """What the focused field means, or what is wrong in it; with no field, what to press."""
        words = Text(f"{name}  " if name else "", style="bold")
        if not name:
            words.append(FIRST_WORDS)
        elif error := self._errors.get(name):
            words.append(f"✗ {printable(error)}", style="red")
        else:
            options = choices(name)
            words.append(describe_field(name) + (f" [{' | '.join(options)}]" if options else ""))
        self.query_one("#field-help", Static).update(words)

    def on_field_list_entered(self, event: FieldList.Entered) -> None:
        self._help(event.name)

    def on_descendant_focus(self) -> None:
        fields = self.query_one(FieldList)
        self._help(fields.current if fields.field.has_focus else "")
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
            self._help()

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    async def action_take(self) -> None:
        preset = self._current
        if preset is None or preset.config is None:
            self.app.notify("this preset's file is broken; choose another", severity="warning")
        elif self._errors:
            self.app.notify(next(iter(self._errors.values())), severity="error")
        else:
            await self.console.show_train(self._config_of(preset))

    def action_save_as(self) -> None:
        preset = self._current
        if preset is None or preset.config is None or self._errors:
            why = next(iter(self._errors.values()), "this preset's file is broken")
            self.app.notify(f"not saved: {why}", severity="warning")
            return
        from tui.screens.confirm import AskText, message_of

        ask = AskText("Save this preset under the name", f"my-{preset.name}", check=message_of(check_name))
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
        self.app.notify(f"saved as {path}")
