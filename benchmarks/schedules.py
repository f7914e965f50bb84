"""When each SDK looks at a waiting task, by its own published code, and when this one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from kling_facade import PollPolicy


def _forget(_seconds: float) -> None:
    """What a client does with the durations of finished tasks unless it learns from them."""


@frozen
class Schedule:
    """One client's way of looking.

    Attributes:
        name: for tables.
        pause: seconds before the next look, from the task's age at the last answer, the looks so far, and how
            many seconds a look waits for its turn.
        learn: told the duration of each finished task.
    """

    name: str
    pause: Callable[[float, int, float], float]
    learn: Callable[[float], None] = _forget


def every(name: str, gap: float, *, at_once: bool) -> Schedule:
    """Looks at an even gap."""
    return Schedule(name, lambda _age, looks, _queue: 0.0 if at_once and looks == 0 else gap)


def growing(name: str, gap: float, *, factor: float, most: float) -> Schedule:
    """Looks at once, then at gaps that grow."""

    def pause(_age: float, looks: int, _queue: float) -> float:
        return min(most, gap * factor ** min(looks - 1, 60)) if looks else 0.0

    return Schedule(name, pause)


def runwayml(random: Random) -> Schedule:
    """``runwayml.lib.polling``: sleep(6 + random() * 3 - 1.5) before every look, the first too."""
    return Schedule("runwayml", lambda _age, _looks, _queue: 6 + random.random() * 3 - 1.5)


def rivals(random: Random) -> list[Schedule]:
    """The schedules in the rivals' packages, as they are unless the user asks for others."""
    return [
        runwayml(random),
        every("openai", 1.0, at_once=True),
        every("fal-client", 0.1, at_once=True),
        every("replicate", 0.5, at_once=False),
        growing("popnow", 2.0, factor=1.5, most=15.0),
    ]


def ours(policy: PollPolicy, name: str = "kling_facade") -> Schedule:
    """The policy itself, asked as a wait asks it."""

    def pause(age: float, looks: int, queue: float) -> float:
        ask = policy.next if looks else policy.first
        return ask("task", age, queue=queue)

    return Schedule(name, pause, lambda seconds: policy.learn("task", seconds))
