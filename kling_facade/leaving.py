"""What is said of calls whose caller has left: a paid one may still bring an id, which must not be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kling_facade.events import log
from kling_facade.wire import AnswerLost, Reply

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from concurrent.futures import Future

    from kling_facade.ticket import Ticket
    from kling_facade.wire import Answer

T = TypeVar("T")


def abandon(call: Future[Answer] | asyncio.Future[Answer], ticket: Ticket | None, timeout: float) -> Answer:
    """What is known of a call at its deadline."""
    reason = f"no answer within {timeout:g} s"
    if ticket is None:
        return AnswerLost(reason)
    answer = ticket.abandon(reason)
    if isinstance(answer, AnswerLost):
        call.add_done_callback(_report_late_answer)
    return answer


def _report_late_answer(call: Future[Answer] | asyncio.Future[Answer]) -> None:
    if not call.cancelled() and isinstance(answer := call.result(), Reply):
        log.warning("the answer to a create came too late: HTTP %s %r", answer.status, answer.body[:300])


def deliver(create: Future[T] | asyncio.Future[T], orphaned: Callable[[T], None]) -> None:
    """Hands on what the caller of a create no longer waits for."""
    if create.cancelled():
        log.warning("the event loop ended while a create was on its way; it may have been accepted")
    elif create.exception() is None:
        orphaned(create.result())
