"""When to look at a task next; pure."""

from __future__ import annotations

import math
import threading
from random import Random
from typing import TYPE_CHECKING

from attrs import frozen

from kling_facade.errors import InvalidInputError
from kling_facade.settings import check_seconds

if TYPE_CHECKING:
    from collections.abc import Hashable

FIRST_LOOK = 10.0  # seconds; for want of anything better known
_ENOUGH = 3  # durations that tell something
_SHORTEST, _LONGEST = 1.0, 24 * 3600.0  # seconds
_MEMORY = 60  # durations after which one is forgotten, more or less
_SPREAD, _BELIEF = 0.8, 3.0  # standard deviation of the log duration before any is known, and its weight
_LADDER = ((30.0, 2.5), (120.0, 7.0), (math.inf, 20.0))  # the documents: until this age, this often
_CALLED_GAP = 30.0  # seconds between looks where callbacks arrive, and looks are for the lost ones
_CALLED_LOOK = 240.0  # seconds; the first of these for want of anything better known: most have ended by then
_P90 = 1.2816  # standard deviations above the median


@frozen
class _Habit:
    """How long tasks of one kind take: a lognormal distribution, the latest durations weighing most."""

    weight: float = 0.0
    mean: float = 0.0  # of the log of the seconds
    squares: float = 0.0  # weighted sum of squared deviations from it

    def after(self, seconds: float) -> _Habit:
        """What is known once another task has taken so long."""
        kept = 1 - 1 / _MEMORY
        weight, deviation = kept * self.weight + 1, math.log(seconds) - self.mean
        mean = self.mean + deviation / weight
        return _Habit(weight, mean, kept * self.squares + deviation * (math.log(seconds) - mean))

    def quantile(self, deviations: float) -> float:
        """Seconds that lie so many standard deviations from the median."""
        variance = (self.squares + _BELIEF * _SPREAD**2) / (self.weight + _BELIEF)
        return math.exp(self.mean + deviations * math.sqrt(variance))


class PollPolicy:
    """How often a waiting task is looked at: a trade of requests for delay.

    It learns from finished tasks how long their kind takes, looks first shortly before most of them end, then
    at even gaps, and at longer ones once a task is unusually late. Threads and clients may share one.

    Args:
        delay: seconds that may pass, on average, between the end of a task and its discovery. The gap between
            two looks is about twice that.
        seed: makes the jitter repeatable.

    Raises:
        InvalidInputError: ``delay`` is not a length of time, ``seed`` no whole number.
    """

    def __init__(self, delay: float = 2.7, *, seed: int | None = None) -> None:
        self._gap: float | None = 2.05 * check_seconds("delay", delay)
        self._random = Random(_check_seed(seed))
        self._lock = threading.Lock()
        self._habits: dict[Hashable, _Habit] = {}

    @classmethod
    def documented(cls, *, seed: int | None = None) -> PollPolicy:
        """The ladder the documents advise: every 2.5 s for 30 s, every 7 s to 2 minutes, every 20 s after."""
        policy = cls(seed=seed)
        policy._gap = None
        return policy

    def learn(self, kind: Hashable, seconds: float) -> None:
        """Takes in how long a finished task took; what no video takes, by a wrong clock, teaches nothing."""
        if _SHORTEST <= seconds <= _LONGEST:
            with self._lock:
                self._habits[kind] = self._habits.get(kind, _Habit()).after(seconds)

    def first(self, kind: Hashable, age: float, *, queue: float = 0.0, called: bool = False) -> float:
        """Seconds until the first look at a task of that kind.

        Args:
            kind: anything that tells apart what takes differently long.
            age: seconds since the task was submitted.
            queue: seconds that a look has to wait for its turn at present.
            called: whether callbacks are known to arrive, so that looks are only for the lost ones.
        """
        return max(0.0, self._due(kind, queue, called=called) - age)

    def next(self, kind: Hashable, age: float, *, queue: float = 0.0, called: bool = False) -> float:
        """Seconds until the look after one at that age; arguments as for ``first``."""
        gap = _CALLED_GAP if called else self._stretched(kind, age)
        return max(gap * self._random.uniform(0.9, 1.1), self.first(kind, age, queue=queue, called=called))

    def _due(self, kind: Hashable, queue: float, *, called: bool) -> float:
        habit = self._habit(kind)
        if called:
            return _CALLED_LOOK if habit is None else habit.quantile(_P90)
        if self._gap is None:
            return _LADDER[0][1]
        if habit is None:
            return FIRST_LOOK
        # fitted to the exact optimum: the rarer the looks, the later the first
        early = 1.9 - 0.6 * math.log(20 * (self._gap + queue) / habit.quantile(0))
        return habit.quantile(-min(max(early, 0.7), 4.0))

    def _stretched(self, kind: Hashable, age: float) -> float:
        if self._gap is None:
            return next(gap for until, gap in _LADDER if age < until)
        habit = self._habit(kind)
        if habit is None:
            return self._gap
        # past the bulk an end gets less likely with age, and the best gap grows as the root of it
        late = min(habit.quantile(2.2), 2.5 * habit.quantile(0))
        return self._gap * min(max(math.sqrt(age / late), 1.0), 3.0)

    def _habit(self, kind: Hashable) -> _Habit | None:
        """What is known of the kind, if it is enough to go by."""
        habit = self._habits.get(kind)
        return habit if habit and habit.weight > _ENOUGH - 0.5 else None


def _check_seed(seed: object) -> int | None:
    if seed is None or (isinstance(seed, int) and not isinstance(seed, bool)):
        return seed
    raise InvalidInputError("seed", f"a whole number or None, not {seed!r}")
