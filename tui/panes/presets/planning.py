"""The threads that find out where a configuration's tokenizer, weights and reviews come from, and how long it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.config.schema import RunConfig
from core.errors import InputError
from tui.messages import PlanReady


class Planner:
    """Posts one PlanReady per configuration. Ignores requests until it is enabled, after the first frame."""

    def __init__(self, root: Path, post: Callable[[PlanReady], Any]) -> None:
        self._root, self._post = root, post
        self._requested: set[RunConfig] = set()
        self._lock = threading.Lock()
        self._enabled = False

    def enable(self) -> None:
        """Answer requests from now on."""
        self._enabled = True

    def forget(self) -> None:
        """Answer each configuration once more, because another run was measured."""
        self._requested.clear()

    def request(self, config: RunConfig) -> None:
        """Plan a configuration in a thread, unless that was requested before."""
        if self._enabled and config not in self._requested:
            self._requested.add(config)
            threading.Thread(target=self._work, args=(config,), name="plan", daemon=True).start()

    def _work(self, config: RunConfig) -> None:
        from core.engine.device import usable_cores
        from core.runs.directory import list_runs
        from core.runs.estimate import estimate
        from core.sources.resolve import plan

        with self._lock:  # the Hub may take seconds to answer: one configuration after the other
            try:
                runs = list_runs(self._root)
            except InputError:
                runs = []
            try:
                time = estimate(config, runs, usable_cores())
                message = PlanReady(config, plan(config), time.seconds, time.basis)
            except Exception as error:
                message = PlanReady(config, {"error": str(error)}, 0.0, "unknown")
        self._post(message)
