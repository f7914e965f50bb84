"""Many tasks in flight at once, more than a limit of queries can look at as often as is wished."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Generator
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING

from attrs import frozen

from benchmarks.economy import ANSWER_TIME
from benchmarks.schedules import Schedule, every, ours
from kling_facade import Limits, PollPolicy
from kling_facade.limits import Turns

if TYPE_CHECKING:
    from benchmarks.worlds import Durations

Pauses = Generator[float, None, None]  # a waiter: yields the seconds until it wants to go on


@frozen
class Crowd:
    """What was seen of a crowd of waiting tasks.

    Attributes:
        mean_delay: seconds from the end of a task to the answer that told of it.
        asked: when each query was sent, in seconds.
    """

    mean_delay: float
    asked: tuple[float, ...]

    def most_in(self, period: float) -> int:
        """The most queries that were sent within one period, wherever it begins."""
        most, first = 0, 0
        for last, moment in enumerate(self.asked):
            while self.asked[first] <= moment - period:
                first += 1
            most = max(most, last - first + 1)
        return most


class Simulation:
    """A number of tasks in flight: each that is found to have ended makes room for the next.

    Args:
        schedule: when each task is to be looked at.
        durations: of the tasks.
        in_flight: tasks at any time.
        seed: of everything that happens by chance.
    """

    def __init__(self, schedule: Schedule, durations: Durations, *, in_flight: int, seed: int) -> None:
        limits = Limits()
        self._turns = Turns(limits.queries, limits.query_period)
        self._schedule = schedule
        self._durations = durations
        self._in_flight = in_flight
        self._random = Random(seed)
        self._now = 0.0
        self._asked: list[float] = []
        self._delays: list[float] = []

    def run(self, seconds: float, *, warm: float) -> Crowd:
        """Lets time pass; only tasks found after ``warm`` seconds are counted."""
        order = itertools.count()
        agenda = [(0.0, next(order), self._chain(warm)) for _ in range(self._in_flight)]
        while agenda[0][0] < seconds:
            self._now, _, waiter = heapq.heappop(agenda)
            heapq.heappush(agenda, (self._now + next(waiter), next(order), waiter))
        return Crowd(fmean(self._delays), tuple(self._asked))

    def _chain(self, warm: float) -> Pauses:
        yield self._random.uniform(0, 200)  # they did not all begin at once
        while True:
            begun, duration = self._now, self._durations.draw(self._random)
            yield from self._wait(begun, begun + duration)
            self._schedule.learn(duration)
            if self._now > warm:
                self._delays.append(self._now - begun - duration)

    def _wait(self, begun: float, end: float) -> Pauses:
        for looks in itertools.count():
            yield self._schedule.pause(self._now - begun, looks, self._turns.wait())
            place = self._turns.enter()
            while (delay := self._turns.delay(place, self._now)) > 0:
                yield delay
            self._asked.append(self._now)
            asked = self._now
            yield ANSWER_TIME
            self._turns.answered(place, self._now)
            if asked >= end:
                return


def compare(durations: Durations, *, in_flight: int, seconds: float, seed: int) -> tuple[Crowd, Crowd]:
    """This client's way, and fair round robin through the same limit: everybody in turn, without a pause."""

    def run(schedule: Schedule) -> Crowd:
        simulation = Simulation(schedule, durations, in_flight=in_flight, seed=seed)
        return simulation.run(seconds, warm=seconds / 3)

    return run(ours(PollPolicy(seed=seed))), run(every("fair round robin", 0.0, at_once=True))
