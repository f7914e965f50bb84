"""What the sandbox does differently at the moment: its scenario, its quirks, its faults."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from kling_facade.sandbox.faults import Fault, Operation, Trap
from kling_facade.sandbox.quirks import QUIRKS, TABLE, Sending
from kling_facade.sandbox.scenarios import SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kling_facade.sandbox.drafts import Draft


class Rules:
    """Safe to change while requests are answered.

    Args:
        scenario: one of ``SCENARIOS`` or its name.
        quirks: names, besides those of the scenario.
        seed: of what happens by chance.
    """

    def __init__(self, scenario: Scenario | str, quirks: Iterable[str], seed: int) -> None:
        self._lock = threading.Lock()
        self._chance = random.Random(seed)
        self._traps: list[Trap] = []
        self.scenario = self._find(scenario)
        self._own = _known(quirks)
        self._standing = [Trap(fault) for fault in self.scenario.faults]

    def use(self, scenario: Scenario | str | None, quirks: Iterable[str] | None) -> None:
        """Changes what is given.

        Raises:
            ValueError: a name that there is not; nothing is changed.
        """
        found = None if scenario is None else self._find(scenario)
        known = None if quirks is None else _known(quirks)
        with self._lock:
            self._own = self._own if known is None else known
            if found is not None:
                self.scenario = found
                self._standing = [Trap(fault) for fault in found.faults]

    @property
    def quirks(self) -> frozenset[str]:
        """Names of the quirks that are on."""
        return self._own | self.scenario.quirks

    def add(self, fault: Fault) -> None:
        """Sets a trap; those set first are met first."""
        with self._lock:
            self._traps.append(Trap(fault))

    @property
    def traps(self) -> list[Trap]:
        """Those set and not yet spent, without the scenario's own."""
        with self._lock:
            return [trap for trap in self._traps if not trap.is_spent]

    def clear(self) -> None:
        """Takes the traps away, but not the scenario's own."""
        with self._lock:
            self._traps = []

    def take(self, operation: Operation, task_id: str) -> Fault | None:
        """The fault that this request meets, if any."""
        with self._lock:
            self._traps = [trap for trap in self._traps if not trap.is_spent]
            for trap in (*self._traps, *self._standing):
                if trap.springs(operation, task_id, self._chance.random()):
                    return trap.fault
        return None

    def edit(self, where: str, draft: Draft) -> None:
        """Applies the quirks that concern an operation or a callback, in the order of the table."""
        active = self.quirks
        for quirk in TABLE:
            if quirk.name in active and where in quirk.on:
                quirk.edit(draft)

    def plan(self) -> list[Sending]:
        """The callbacks that are sent when a task has ended."""
        active, sendings = self.quirks, [Sending()]
        for quirk in TABLE:
            if quirk.name in active and quirk.plan:
                sendings = quirk.plan(sendings, self._chance)
        return sendings

    @staticmethod
    def _find(scenario: Scenario | str) -> Scenario:
        if isinstance(scenario, Scenario):
            _known(scenario.quirks)
            return scenario
        if scenario not in SCENARIOS:
            raise ValueError(f"no such scenario: {scenario!r}; there are {', '.join(SCENARIOS)}")
        return SCENARIOS[scenario]


def _known(quirks: Iterable[str]) -> frozenset[str]:
    names = frozenset((quirks,) if isinstance(quirks, str) else quirks)
    if unknown := sorted(names - QUIRKS.keys()):
        raise ValueError(f"no such quirk: {', '.join(unknown)}; there are {', '.join(QUIRKS)}")
    return names
