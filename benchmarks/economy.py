"""What a schedule of looks costs: requests, and the delay until the end of a task is known."""

from __future__ import annotations

import math
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.schedules import Schedule
    from benchmarks.worlds import World

ANSWER_TIME = 0.15  # seconds from a look to its answer


@frozen
class Economy:
    """Requests for one task, and seconds from its end to the answer that tells of it."""

    requests: float
    mean_delay: float
    p95_delay: float

    def over(self, other: Economy) -> tuple[float, float, float]:
        """The ratios to another economy, in the order of the attributes."""
        return (
            self.requests / other.requests,
            self.mean_delay / other.mean_delay,
            self.p95_delay / other.p95_delay,
        )


def follow(schedule: Schedule, duration: float) -> tuple[int, float]:
    """The looks that one task takes, and the delay with which its end is known."""
    looks, answered = 0, 0.0
    while True:
        asked = answered + schedule.pause(answered, looks, 0.0)
        answered = asked + ANSWER_TIME
        looks += 1
        if asked >= duration:
            return looks, answered - duration


def measure(schedule: Schedule, durations: Iterable[float]) -> Economy:
    """The economy over tasks that come one after the other; the schedule learns from each."""
    looks: list[int] = []
    delays: list[float] = []
    for duration in durations:
        taken, delay = follow(schedule, duration)
        looks.append(taken)
        delays.append(delay)
        schedule.learn(duration)
    return Economy(fmean(looks), fmean(delays), sorted(delays)[math.ceil(0.95 * len(delays)) - 1])


def live(world: World, schedule: Schedule, *, seen: int, tasks: int, seed: int) -> Economy:
    """The economy in a world, after so many finished tasks; the same seed brings the same tasks."""
    random = Random(seed)
    for _ in range(seen):
        schedule.learn(world.learned.draw(random))
    return measure(schedule, (world.durations.draw(random) for _ in range(tasks)))
