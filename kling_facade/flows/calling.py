"""One call of the API: it waits for its turn, is sent once, and its answer gets its meaning."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import frozen

from kling_facade.envelope import Accepted, Again, Denied, Operation, judge
from kling_facade.errors import (
    ApiError,
    KlingError,
    RateLimitedError,
    SubmissionUncertainError,
    UnexpectedResponseError,
)
from kling_facade.events import Event

if TYPE_CHECKING:
    from kling_facade.events import EventName
    from kling_facade.flows.session import Session
    from kling_facade.limits import Place, Turns
    from kling_facade.wire import Request

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_PAUSES = {Again.UNSENT: (0.5, 1.0, 2.0), Again.FREE: (0.5, 1.0)}  # seconds before each repetition
_OFFERS = 5  # a create that is refused for want of a turn is offered this often


class Patience:
    """How often one call is made again, and how long after."""

    def __init__(self) -> None:
        self._spent = dict.fromkeys(Again, 0)

    def pause(self, denied: Denied) -> float | None:
        """Seconds before the next attempt; None when there should be none."""
        nth = self._spent[denied.again]
        self._spent[denied.again] += 1
        if denied.again is Again.REFUSED:
            return denied.after + random.random() if nth < _OFFERS - 1 else None
        pauses = _PAUSES.get(denied.again, ())
        return max(denied.after, random.uniform(0, pauses[nth])) if nth < len(pauses) else None


@frozen
class Call(Generic[T_co]):
    """A call and what it is about.

    Attributes:
        subject: the task id of a lookup, the submission id of a create.
    """

    operation: Operation[T_co]
    request: Request
    subject: str = ""


async def take_turn(session: Session, turns: Turns, *, deadline: float) -> Place | None:
    """The turn, which must be ``answered``; None if it cannot come before the deadline."""
    io, place = session.io, turns.enter()
    try:
        while (delay := turns.delay(place, io.now())) > 0:
            if io.now() + delay >= deadline:
                turns.leave(place)
                return None
            await io.sleep(delay)
    except BaseException:
        turns.leave(place)
        raise
    return place


async def make(
    session: Session, call: Call[T], turns: Turns, place: Place, *, timeout: float, attempt: int = 1
) -> Accepted[T] | Denied:
    """Sends once, in a turn that was taken; what the answer means."""
    io, began, refused = session.io, session.io.now(), False
    _tell(session, "sent", call, attempt)
    try:
        outcome = judge(call.operation, await io.send(call.request, timeout=timeout), subject=call.subject)
        refused = isinstance(outcome, Denied) and isinstance(outcome.error, RateLimitedError)
    finally:
        turns.answered(place, io.now(), refused=refused)
    _tell(session, "answered", call, attempt, outcome=outcome, seconds=io.now() - began)
    return outcome


def tell_retry(session: Session, call: Call[object], denied: Denied, *, attempt: int, pause: float) -> None:
    """Says that the call will be made again."""
    _tell(session, "retried", call, attempt, outcome=denied, seconds=pause)


def _tell(
    session: Session,
    name: EventName,
    call: Call[object],
    attempt: int,
    *,
    outcome: Accepted[object] | Denied | None = None,
    seconds: float | None = None,
) -> None:
    if not session.events:
        return
    http_status, code = _numbers(outcome.error) if isinstance(outcome, Denied) else (None, None)
    session.events.tell(
        Event(
            name=name,
            at=session.io.now(),
            call=call.operation.name,
            task_id=call.subject if call.operation.lookup else None,
            submission_id=call.subject if call.operation.paid else None,
            attempt=attempt,
            http_status=http_status,
            code=code,
            seconds=seconds,
        )
    )


def _numbers(error: KlingError) -> tuple[int | None, int | None]:
    """HTTP status and code of the answer behind an error."""
    if isinstance(error, ApiError | SubmissionUncertainError):
        return error.http_status, error.code
    return (error.http_status, None) if isinstance(error, UnexpectedResponseError) else (None, None)
