"""The best that any schedule can do against a known distribution: an exact dynamic programme."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from attrs import frozen

from benchmarks.economy import ANSWER_TIME

if TYPE_CHECKING:
    from collections.abc import Callable


@frozen
class Optimum:
    """The cheapest schedule at some price of delay.

    Attributes:
        looks: ages, in seconds, at which to ask.
        requests: for one task, on average.
        mean_delay: seconds.
    """

    looks: tuple[float, ...]
    requests: float
    mean_delay: float


class Grid:
    """The ages at which a look is possible, and what is known of the tasks at each.

    Args:
        ended: the share of tasks that has ended by an age.
        horizon: seconds by which all have, or nearly all; the age of the last look.
        step: seconds between two ages.
    """

    def __init__(self, ended: Callable[[float], float], *, horizon: float, step: float = 0.25) -> None:
        self.ages = [step * i for i in range(round(horizon / step) + 1)]
        self.ended = [ended(age) for age in self.ages]
        slices = ((a + b) / 2 * step for a, b in pairwise(self.ended))
        self._area = list(accumulate(slices, initial=0.0))
        self._nearest = math.ceil(ANSWER_TIME / step)
        self._widest = round(60.0 / step)  # no best gap is longer, but for the first

    def candidates(self, i: int) -> range:
        """The ages at which the look after one at age ``i`` may be."""
        last = len(self.ages) - 1
        return range(min(i + self._nearest, last), 1 + (last if i == 0 else min(last, i + self._widest)))

    def waited(self, i: int, j: int) -> float:
        """Seconds of delay, over all tasks, of those that end between two looks."""
        between = self.ended[j] - self.ended[i]
        gap = self.ages[j] - self.ages[i]
        return self._area[j] - self._area[i] - self.ended[i] * gap + ANSWER_TIME * between


def optimum(grid: Grid, price: float) -> Optimum:
    """Minimises requests + ``price`` x delay over all schedules on the grid.

    Args:
        grid: what is known.
        price: requests that a second of mean delay is worth.
    """
    last = len(grid.ages) - 1
    following = [last] * (last + 1)
    cost = [0.0] * (last + 1)  # still to come after a look at that age, for all tasks together
    for i in range(last - 1, -1, -1):
        best = math.inf
        for j in grid.candidates(i):
            candidate = price * grid.waited(i, j) + cost[j]
            if candidate < best:
                best, following[i] = candidate, j
        cost[i] = 1 - grid.ended[i] + best  # each look is made by those that had not ended at the one before
    return _walk(grid, following)


def _walk(grid: Grid, following: list[int]) -> Optimum:
    looks, requests, delay, i = list[float](), 0.0, 0.0, 0
    while i < len(grid.ages) - 1:
        j = following[i]
        looks.append(grid.ages[j])
        requests += 1 - grid.ended[i]
        delay += grid.waited(i, j)
        i = j
    return Optimum(tuple(looks), requests, delay)


def requests_at(frontier: list[Optimum], delay: float) -> float:
    """The fewest requests for a mean delay, between the two nearest points of a frontier.

    Raises:
        ValueError: the frontier does not reach so far.
    """
    ordered = sorted(frontier, key=lambda point: point.mean_delay)
    for near, far in pairwise(ordered):
        if near.mean_delay <= delay <= far.mean_delay:
            part = (delay - near.mean_delay) / (far.mean_delay - near.mean_delay)
            return near.requests + part * (far.requests - near.requests)
    raise ValueError(f"no optimum near a mean delay of {delay:g} s")
