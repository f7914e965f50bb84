"""What may happen to a task and to the service as a whole, under readable names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import field, frozen

from kling_facade.sandbox.faults import FAULTS, Fault, Operation
from kling_facade.sandbox.tasks import Course, Failure

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

WAITING, QUEUING = 0.05, 0.15  # parts of the whole that are over when the state ends


@frozen
class Timing:
    """How long tasks take: log-normal, as people report.

    Attributes:
        median: simulated seconds, by length of video.
        spread: standard deviation of the logarithm.
        tail: part of the tasks that wait for a place first, some minutes.
    """

    median: Mapping[str, float] = field(factory=lambda: {"5": 75.0, "10": 110.0})
    spread: float = 0.15
    tail: float = 0.0

    def draw(self, duration: str, chance: random.Random) -> Course:
        """A course as the service might take."""
        total = self.median[duration] * math.exp(chance.gauss(0.0, self.spread))
        held = chance.expovariate(1 / 180) if chance.random() < self.tail else 0.0
        return Course(held + total * WAITING, held + total * QUEUING, held + total)


@frozen(kw_only=True)
class Scenario:
    """A way that things may go.

    Attributes:
        name: what it is called.
        about: what happens.
        timing: how long tasks take; infinite for tasks that never end.
        failure: what every task ends with instead of a video.
        credits: the balance when the scenario begins; None leaves it.
        quirks: names of quirks.
        faults: answers that take the place of others.
    """

    name: str
    about: str
    timing: Timing = field(factory=Timing)
    failure: Failure | None = None
    credits: float | None = None
    quirks: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()


def _always(seconds: float) -> Timing:
    return Timing({"5": seconds, "10": seconds}, spread=0.0)


def _now_and_then(operation: Operation, name: str, chance: float) -> Fault:
    return Fault(operation, FAULTS[name], times=None, chance=chance)


_CALLS: tuple[Operation, ...] = ("create", "record", "credits", "link", "upload")

TABLE = (
    Scenario(name="ordinary", about="every task succeeds, most within a minute or two"),
    Scenario(
        name="instant", about="every task has succeeded when it is first looked at", timing=_always(0.0)
    ),
    Scenario(
        name="realistic",
        about="every task succeeds, in one to four minutes, a few much later",
        timing=Timing({"5": 100.0, "10": 150.0}, spread=0.4, tail=0.05),
    ),
    Scenario(name="stuck", about="tasks wait for ever", timing=_always(math.inf)),
    Scenario(
        name="moderated",
        about="every task is refused by the moderation, after it was accepted",
        failure=Failure("422", "Content was flagged by the safety system. Please modify your input."),
    ),
    Scenario(
        name="failing",
        about="every task fails for a fault of the service",
        failure=Failure("500", "Internal Error, Please try again later."),
    ),
    Scenario(
        name="flaky",
        about="one call in four goes wrong in a way that passes",
        faults=(
            _now_and_then("create", "too_fast", 0.25),
            _now_and_then("record", "server_error", 0.15),
            _now_and_then("record", "dropped", 0.1),
            _now_and_then("upload", "server_error", 0.25),
            _now_and_then("credits", "gateway", 0.25),
        ),
    ),
    Scenario(
        name="lost_answers",
        about="creates are accepted and paid for, and their answers lost",
        faults=(Fault("create", FAULTS["dropped"], accept=True, times=None),),
    ),
    Scenario(name="out_of_credits", about="the account is empty", credits=0.0),
    Scenario(
        name="maintenance",
        about="every call is refused with 455",
        faults=tuple(Fault(call, FAULTS["maintenance"], times=None) for call in _CALLS),
    ),
    Scenario(name="lost_callbacks", about="no callback comes", quirks=frozenset({"callbacks_lost"})),
    Scenario(
        name="unruly_callbacks",
        about="callbacks come late, twice, in no order, with forged ones between",
        quirks=frozenset({"callbacks_forged", "callbacks_twice", "callbacks_late"}),
    ),
    Scenario(
        name="documented",
        about="answers are what the documents say rather than what is seen",
        quirks=frozenset(
            {
                "cost_in_ms",
                "documented_fail_fields",
                "example_task_ids",
                "param_once",
                "unknown_as_404",
                "whole_credits",
                "without_credits_consumed",
                "without_record_id",
            }
        ),
    ),
)
SCENARIOS = {scenario.name: scenario for scenario in TABLE}
