"""Calls that cost nothing: asked again when the answer is lost."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

from kling_facade import inputs
from kling_facade.envelope import Accepted, Again, Denied, Operation, judge
from kling_facade.images import Picture, upload_request
from kling_facade.operations import CREDITS, LINK, RECORD, UPLOAD

if TYPE_CHECKING:
    from kling_facade.flows.session import Session
    from kling_facade.records import TaskStatus
    from kling_facade.wire import Request

T = TypeVar("T")

_UPLOAD_BYTES_PER_SECOND = 100_000  # the slowest line that an upload is given time for
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


async def ask(
    session: Session,
    operation: Operation[T],
    request: Request,
    *,
    subject: str = "",
    timeout: float | None = None,
) -> T:
    """What the operation reads from the answer, all attempts within ``timeout`` seconds.

    Raises:
        KlingError: what ``judge`` made of the last answer.
    """
    io, patience = session.io, Patience()
    deadline = io.now() + (timeout or session.settings.timeout)
    while True:
        outcome = judge(operation, await io.send(request, timeout=deadline - io.now()), subject=subject)
        if isinstance(outcome, Accepted):
            return outcome.value
        pause = patience.pause(outcome)
        if pause is None or io.now() + pause >= deadline:
            raise outcome.error
        await io.sleep(pause)


async def look(session: Session, task_id: str) -> TaskStatus:
    """The task as the service knows it now."""
    request = inputs.record_request(session.settings, task_id)
    return await ask(session, RECORD, request, subject=task_id)


async def ask_credits(session: Session) -> float:
    """The credits that are left."""
    return await ask(session, CREDITS, inputs.credits_request(session.settings))


async def ask_link(session: Session, url: str) -> str:
    """A fresh link to a file the service made."""
    return await ask(session, LINK, inputs.link_request(session.settings, inputs.check_url("url", url)))


async def upload(session: Session, picture: Picture, *, timeout: float | None = None) -> str:
    """The link to a picture that the service now holds; the longer the picture, the longer it may take."""
    patience = session.settings.timeout + len(picture.content) / _UPLOAD_BYTES_PER_SECOND
    request = upload_request(session.settings, picture)
    return await ask(session, UPLOAD, request, timeout=min(patience, timeout or patience))
