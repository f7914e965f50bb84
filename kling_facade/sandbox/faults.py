"""Answers that take the place of the sandbox's own."""

from __future__ import annotations

from typing import Literal, get_args

from attrs import define, field, frozen, validators

from kling_facade.sandbox.answers import Answer

Operation = Literal["create", "record", "credits", "link", "upload", "result"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

FAULTS = {
    "too_fast": Answer.envelope(430, "Your call frequency is too high. Please try again later."),
    "too_fast_429": Answer.envelope(
        429, "Your call frequency is too high. Please try again later.", status=429
    ),
    "sub_key_limit": Answer.envelope(433, "The request limit of this key is used up", status=433),
    "maintenance": Answer.envelope(455, "The service is under maintenance", status=455),
    "gateway": Answer(520, {"content-type": "text/html"}, b"<html><h1>520 Unknown Error</h1></html>"),
    "server_error": Answer.envelope(500, "Server exception, please try again later"),
    "blank_task_id": Answer.envelope(422, "generate playground failed, task id is blank"),
    "image_not_fetched": Answer.envelope(451, "Failed to fetch the image"),
    "disabled": Answer.envelope(505, "This feature is temporarily disabled"),
    "html": Answer(200, {"content-type": "text/html"}, b"<html><h1>Welcome</h1></html>"),
    "empty": Answer(200, {"content-type": "application/json"}),
    "truncated": Answer(200, {"content-type": "application/json"}, b'{"code": 200, "msg": "success", "da'),
    "dropped": Answer(drop=True),
}


def find_fault(answer: Answer | str) -> Answer:
    """An answer, or the one that has this name.

    Raises:
        ValueError: none has.
    """
    if isinstance(answer, Answer):
        return answer
    if answer not in FAULTS:
        raise ValueError(f"no such fault: {answer!r}; there are {', '.join(FAULTS)}")
    return FAULTS[answer]


@frozen
class Fault:
    """Which requests meet which answer.

    Attributes:
        on: their operation.
        answer: what goes out.
        accept: the request is worked on first, so that a create is accepted and charged.
        times: how many requests meet it; None for all.
        after: how many pass before.
        task_id: only requests about this task.
        chance: that one of them meets it, 0 to 1.
    """

    on: Operation = field(validator=validators.in_(OPERATIONS))
    answer: Answer
    accept: bool = False
    times: int | None = 1
    after: int = 0
    task_id: str | None = None
    chance: float = 1.0


@define
class Trap:
    """A fault, and what has met it so far."""

    fault: Fault
    passed: int = 0
    met: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether nobody will meet it any more."""
        return self.fault.times is not None and self.met >= self.fault.times

    def springs(self, operation: Operation, task_id: str, dice: float) -> bool:
        """Whether this request meets the fault.

        Args:
            operation: what is asked for.
            task_id: about which task, or empty.
            dice: 0 to 1.
        """
        fault = self.fault
        if fault.on != operation or self.is_spent or fault.task_id not in (None, task_id):
            return False
        if self.passed < fault.after:
            self.passed += 1
            return False
        if dice >= fault.chance:
            return False
        self.met += 1
        return True
