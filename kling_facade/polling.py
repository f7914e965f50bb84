"""When to look at a task next; pure."""

from __future__ import annotations

from random import Random

from kling_facade.settings import check_seconds

FIRST_LOOK = 10.0  # seconds; nothing was ever finished sooner
_LADDER = ((30.0, 2.5), (120.0, 7.0), (float("inf"), 20.0))  # the documents: until this age, this often


class PollPolicy:
    """How often a waiting task is looked at: a trade of requests for delay.

    Args:
        delay: seconds that may pass, on average, between the end of a task and its discovery. The gap between
            two looks is about twice that.
        seed: makes the jitter repeatable.

    Raises:
        InvalidInputError: ``delay`` is not a length of time.
    """

    def __init__(self, delay: float = 2.7, *, seed: int | None = None) -> None:
        self._gap: float | None = 2 * check_seconds("delay", delay)
        self._random = Random(seed)

    @classmethod
    def documented(cls, *, seed: int | None = None) -> PollPolicy:
        """The ladder the documents advise: every 2.5 s for 30 s, every 7 s to 2 minutes, every 20 s after."""
        policy = cls(seed=seed)
        policy._gap = None
        return policy

    def first(self, age: float) -> float:
        """Seconds until the first look at a task submitted ``age`` seconds ago."""
        return max(0.0, (FIRST_LOOK if self._gap else _LADDER[0][1]) - age)

    def next(self, age: float) -> float:
        """Seconds until the look after one at ``age`` seconds."""
        gap = self._gap or next(gap for until, gap in _LADDER if age < until)
        return gap * self._random.uniform(0.9, 1.1)
