"""Calls that cost nothing: asked again when the answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kling_facade import inputs
from kling_facade.envelope import Accepted
from kling_facade.errors import RateLimitedError
from kling_facade.flows.calling import Call, Patience, make, take_turn, tell_retry
from kling_facade.images import Picture, upload_request
from kling_facade.operations import CREDITS, LINK, RECORD, UPLOAD

if TYPE_CHECKING:
    from kling_facade.flows.session import Session
    from kling_facade.records import TaskStatus

T = TypeVar("T")

_UPLOAD_BYTES_PER_SECOND = 100_000  # the slowest line that an upload is given time for


async def ask(session: Session, call: Call[T], *, timeout: float | None = None) -> T:
    """What the operation reads from the answer, all attempts within ``timeout`` seconds.

    Raises:
        KlingError: what ``judge`` made of the last answer.
    """
    io, patience, attempt = session.io, Patience(), 0
    limit = timeout or session.settings.timeout
    deadline = io.now() + limit
    while True:
        attempt += 1
        place = await take_turn(session, session.queries, deadline=deadline)
        if place is None:
            raise no_turn(call, limit)
        left = deadline - io.now()
        outcome = await make(session, call, session.queries, place, timeout=left, attempt=attempt)
        if isinstance(outcome, Accepted):
            return outcome.value
        pause = patience.pause(outcome)
        if pause is None or io.now() + pause >= deadline:
            raise outcome.error
        tell_retry(session, call, outcome, attempt=attempt, pause=pause)
        await io.sleep(pause)


def no_turn(call: Call[object], limit: float) -> RateLimitedError:
    """The error of a caller whose turn could not come in time."""
    return RateLimitedError(
        f"{call.operation.name}: too many calls wait before this one to get its turn within {limit:g} s. "
        "Nothing was sent or charged; give it more time, or raise Limits if the service allows more.",
        code=429,
        http_status=429,
        retryable=True,
    )


async def look(session: Session, task_id: str) -> TaskStatus:
    """The task as the service knows it now."""
    request = inputs.record_request(session.settings, task_id)
    return await ask(session, Call(RECORD, request, task_id))


async def ask_credits(session: Session) -> float:
    """The credits that are left."""
    return await ask(session, Call(CREDITS, inputs.credits_request(session.settings)))


async def ask_link(session: Session, url: str) -> str:
    """A fresh link to a file the service made."""
    request = inputs.link_request(session.settings, inputs.check_url("url", url))
    return await ask(session, Call(LINK, request))


async def upload(session: Session, picture: Picture, *, timeout: float | None = None) -> str:
    """The link to a picture that the service now holds; the longer the picture, the longer it may take."""
    patience = session.settings.timeout + len(picture.content) / _UPLOAD_BYTES_PER_SECOND
    request = upload_request(session.settings, picture)
    return await ask(session, Call(UPLOAD, request), timeout=min(patience, timeout or patience))
