"""Seven worlds: how long tasks take, and what a client had seen before counting began."""

from __future__ import annotations

import math
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

SIGMA = math.log(2.4) / NormalDist().inv_cdf(0.95)  # so that the 95th percentile is 2.4 times the median


@frozen
class Durations:
    """A distribution of durations, in seconds.

    Attributes:
        draw: one of them.
        ended: the share of tasks that has ended by an age.
    """

    draw: Callable[[Random], float]
    ended: Callable[[float], float]


@frozen
class World:
    """How long tasks take.

    Attributes:
        name: for tables.
        durations: of the tasks that are counted.
        learned: of the tasks seen before; others where the world has changed since.
    """

    name: str
    durations: Durations
    learned: Durations


def lognormal(median: float) -> Durations:
    """Durations around a median, with a long tail."""
    log = NormalDist(math.log(median), SIGMA)
    return Durations(
        draw=lambda random: random.lognormvariate(log.mean, log.stdev),
        ended=lambda age: log.cdf(math.log(age)) if age > 0 else 0.0,
    )


def mixed(*parts: Durations) -> Durations:
    """Each task from any of the parts, all equally likely."""
    return Durations(
        draw=lambda random: random.choice(parts).draw(random),
        ended=lambda age: fmean(part.ended(age) for part in parts),
    )


def sometimes_stuck(usual: Durations, *, share: float, until: float) -> Durations:
    """A share of the tasks ends exactly then."""
    return Durations(
        draw=lambda random: until if random.random() < share else usual.draw(random),
        ended=lambda age: (1 - share) * usual.ended(age) + (share if age >= until else 0.0),
    )


def steady(name: str, durations: Durations) -> World:
    """A world that is as it always was."""
    return World(name, durations, learned=durations)


LOGNORMAL = steady("median 100", lognormal(100))
WORLDS = (
    LOGNORMAL,
    steady("median 60", lognormal(60)),
    World("twice slower than learned", lognormal(200), learned=lognormal(100)),
    World("three times faster than learned", lognormal(100 / 3), learned=lognormal(100)),
    steady("medians 45 and 180", mixed(lognormal(45), lognormal(180))),
    steady("medians 60 and 400", mixed(lognormal(60), lognormal(400))),
    steady("5 % stuck until 900", sometimes_stuck(lognormal(100), share=0.05, until=900)),
)
