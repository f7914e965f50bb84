"""Rounds that take turns, medians, and the rows of the table."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping


@frozen
class Row:
    """One figure of the table.

    Attributes:
        number: of the row, as in ``docs/performance.md``.
        what: was measured.
        figure: as text.
        goal: as text.
        reached: None where nothing was measured.
        remark: why not, or how.
    """

    number: str
    what: str
    figure: str
    goal: str
    reached: bool | None
    remark: str = ""


@frozen
class Rounds:
    """Costs of several acts that took turns, so that a noisy minute hits all of them."""

    costs: Mapping[str, list[float]]

    def cost(self, name: str) -> float:
        """The median."""
        return median(self.costs[name])

    def ratio(self, name: str, baseline: str) -> float:
        """The median of the ratios round by round."""
        pairs = zip(self.costs[name], self.costs[baseline], strict=True)
        return median(one / other for one, other in pairs)

    def spread(self, name: str, baseline: str) -> str:
        """The ratio, and between what bounds the middle half of the rounds lay."""
        ratios = sorted(a / b for a, b in zip(self.costs[name], self.costs[baseline], strict=True))
        quarter = len(ratios) // 4
        return f"{median(ratios):.2f}x ({ratios[quarter]:.2f}-{ratios[-1 - quarter]:.2f})"


def take_turns(acts: Mapping[str, Callable[[], object]], *, rounds: int, times: int) -> Rounds:
    """CPU seconds of this process for each act, per call.

    Args:
        acts: by name; each is called once before counting.
        rounds: how often each has its turn.
        times: calls in one turn.
    """
    for act in acts.values():
        act()
    costs: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(rounds):
        for name, act in acts.items():
            began = time.process_time()
            for _ in range(times):
                act()
            costs[name].append((time.process_time() - began) / times)
    return Rounds(costs)


async def async_take_turns(
    acts: Mapping[str, Callable[[], Awaitable[object]]], *, rounds: int, times: int
) -> Rounds:
    """The same for coroutines."""
    for act in acts.values():
        await act()
    costs: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(rounds):
        for name, act in acts.items():
            began = time.process_time()
            for _ in range(times):
                await act()
            costs[name].append((time.process_time() - began) / times)
    return Rounds(costs)


def at_most(number: str, what: str, value: float, goal: float, *, text: str = "", remark: str = "") -> Row:
    """A row whose figure is a ratio that must not exceed its goal."""
    return Row(number, what, text or f"{value:.2f}x", f"<= {goal:.2f}x", value <= goal, remark)
