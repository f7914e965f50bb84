"""Calling the handler: for each task until it has returned once, and never again after that."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kling_facade.callbacks.memory import RecentMemory
from kling_facade.errors import KlingError

if TYPE_CHECKING:
    from kling_facade.callbacks.complaints import Complaints
    from kling_facade.callbacks.memory import Memory
    from kling_facade.callbacks.verifier import Callback
    from kling_facade.workers import Workers

    Handler = Callable[[Callback], object]


T = TypeVar("T")


class Answer(NamedTuple):
    """What to answer the sender."""

    status: int
    body: bytes


DONE = Answer(200, b"ok")
AGAIN = Answer(503, b"try again")
FAILED = Answer(500, b"the handler failed")

_HANDLERS = 8  # threads; a handler that hangs holds up one


class _Claim(NamedTuple):
    """The right to call the handler for a task."""

    task_id: str
    owner: str
    taken_at: float


class Handling:
    """A handler, and what is remembered of whom it was called for.

    Args:
        handler: None if nothing is to be called.
        journal: see ``CallbackInbox``; None to remember in this process.
        timeout: seconds after which a handler is taken for dead.
        complaints: where failures go.
    """

    def __init__(
        self, handler: Handler | None, journal: Memory | None, *, timeout: float, complaints: Complaints
    ) -> None:
        self.journal = journal
        self._recent = RecentMemory()
        self._handler = handler
        self._timeout = timeout
        self._complaints = complaints
        self._unwritten = set[str]()  # handled, but the journal could not be told
        self._workers: Workers | None = None

    @property
    def memory(self) -> Memory:
        """What is remembered."""
        return self._recent if self.journal is None else self.journal

    @property
    def blocks(self) -> bool:
        """Whether taking a delivery in may take long."""
        return self._handler is not None or self.journal is not None

    def lend(self, journal: Memory) -> None:
        """Remembers in this journal, beside what came before it."""
        if self.journal is None:
            self.journal = journal
            self._recent.hand_over(journal)

    def handle(self, callback: Callback) -> Answer:
        """Calls the handler here."""
        if self._handler is None:
            return DONE
        claim = _make_claim(callback)
        return self._claim(claim) or self._call(self._handler, callback, claim)

    async def handle_async(self, callback: Callback) -> Answer:
        """Calls an asynchronous handler on this loop, an ordinary one on a thread."""
        handler = self._handler
        if handler is None:
            return DONE
        claim = _make_claim(callback)
        try:
            if (answer := await self.remember(lambda: self._claim(claim))) is not None:
                return answer
            if not _is_asynchronous(handler):
                return await self._call_on_thread(handler, callback, claim)
            await _awaited(handler(callback))
        except BaseException as error:  # noqa: BLE001 - raised again where it ends the task
            await self.remember(lambda: self._release(claim))
            return self._fail(claim, error)
        return await self.remember(lambda: self._succeed(claim))

    def _call(self, handler: Handler, callback: Callback, claim: _Claim) -> Answer:
        try:
            _refuse_awaitable(handler(callback))
        except BaseException as error:  # noqa: BLE001 - raised again where it ends the process
            self._release(claim)
            return self._fail(claim, error)
        return self._succeed(claim)

    async def _call_on_thread(self, handler: Handler, callback: Callback, claim: _Claim) -> Answer:
        """On threads of the handlers alone: those that hang hold up nobody else's work, nor each other's."""
        from asyncio import get_running_loop
        from contextvars import copy_context

        from kling_facade.workers import Workers, outcome

        def work() -> Answer:
            if time.monotonic() > claim.taken_at + self._timeout:
                return AGAIN  # it has waited for a thread so long that another may have the claim
            return within.run(self._call, handler, callback, claim)

        def give_up() -> None:
            if call.running():
                workers.replace(call)

        workers = self._workers = self._workers or Workers(_HANDLERS, name="kling-handler")
        within, call = copy_context(), workers.submit(work)
        timer = get_running_loop().call_later(self._timeout, give_up)
        try:
            return await outcome(call)
        finally:
            timer.cancel()

    async def remember(self, work: Callable[[], T]) -> T:
        """What ``work`` on the memory returns: done whoever is cancelled, on a thread if it may block."""
        if self.journal is None:
            return work()
        from kling_facade.workers import on_thread

        return await on_thread(work)

    def _claim(self, claim: _Claim) -> Answer | None:
        """None if the handler may be called, else what to answer."""
        if claim.task_id in self._unwritten:
            return self._succeed(claim)
        try:
            # what was handled, or begun, before there was a journal
            state = self._recent.look_up(claim.task_id) or self.memory.claim(
                claim.task_id, owner=claim.owner, seconds=self._timeout
            )
        except KlingError as error:  # the journal's; it may be well again at the sender's next attempt
            self._complaints.failed(f"the callback of task {claim.task_id} could not be handled", error)
            return AGAIN
        return {"taken": None, "busy": AGAIN, "finished": DONE}[state]

    def _succeed(self, claim: _Claim) -> Answer:
        self._recent.finish(claim.task_id)
        try:
            self.memory.finish(claim.task_id)
        except KlingError as error:  # the sender must not try again: the handler has succeeded
            self._unwritten.add(claim.task_id)
            self._complaints.failed(
                f"that the callback of task {claim.task_id} was handled could not be written down", error
            )
        else:
            self._unwritten.discard(claim.task_id)
        return DONE

    def _release(self, claim: _Claim) -> None:
        self._recent.release(claim.task_id, owner=claim.owner)
        try:
            self.memory.release(claim.task_id, owner=claim.owner)
        except KlingError as error:
            self._complaints.failed(f"task {claim.task_id} is held for {self._timeout:g} s more", error)

    def _fail(self, claim: _Claim, error: BaseException) -> Answer:
        if not isinstance(error, Exception):
            raise error
        self._complaints.failed(
            f"the handler of task {claim.task_id} raised; the next delivery calls it again", error
        )
        return FAILED


def _make_claim(callback: Callback) -> _Claim:
    return _Claim(callback.task_id, os.urandom(8).hex(), time.monotonic())


def _is_asynchronous(handler: Handler) -> bool:
    """Be it a function or an object that is called like one."""
    from inspect import iscoroutinefunction

    return iscoroutinefunction(handler) or iscoroutinefunction(type(handler).__call__)


async def _awaited(result: object) -> None:
    """A handler that is cancelled from within has failed; the delivery goes on."""
    from asyncio import CancelledError, current_task

    try:
        if isinstance(result, Awaitable):
            await result
    except CancelledError:
        task = current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("the handler was cancelled") from None


def _refuse_awaitable(result: Any) -> None:
    if hasattr(result, "__await__"):
        if hasattr(result, "close"):
            result.close()  # or Python would warn of a coroutine that was never awaited
        raise TypeError("an asynchronous handler is an `async def` behind asgi_app or receive_async")
