"""Calling the handler: for each task until it has returned once, and never again after that."""

from __future__ import annotations

import os
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
        """Remembers in this journal, with all that came before it."""
        if self.journal is None:
            self._recent.hand_over(journal)
            self.journal = journal

    def handle(self, callback: Callback) -> Answer:
        """Calls the handler here."""
        if self._handler is None:
            return DONE
        claim = _make_claim(callback)
        if (answer := self._claim(claim)) is not None:
            return answer
        try:
            _refuse_awaitable(self._handler(callback))
        except BaseException as error:  # noqa: BLE001 - raised again where it ends the process
            self._release(claim)
            return self._fail(claim, error)
        return self._succeed(claim)

    async def handle_async(self, callback: Callback) -> Answer:
        """Calls an asynchronous handler on this loop, an ordinary one on a thread."""
        if self._handler is None:
            return DONE
        if not _is_asynchronous(self._handler):
            return await self._on_thread(lambda: self.handle(callback))
        claim = _make_claim(callback)
        try:
            if (answer := await self.remember(lambda: self._claim(claim))) is not None:
                return answer
            result = self._handler(callback)
            if isinstance(result, Awaitable):
                await result
        except BaseException as error:  # noqa: BLE001 - raised again where it ends the task
            await self.remember(lambda: self._release(claim))
            return self._fail(claim, error)
        return await self.remember(lambda: self._succeed(claim))

    async def remember(self, work: Callable[[], T]) -> T:
        """What ``work`` on the memory returns: done whoever is cancelled, on a thread if it may block."""
        if self.journal is None:
            return work()
        from kling_facade.workers import on_thread

        return await on_thread(work)

    async def _on_thread(self, work: Callable[[], Answer]) -> Answer:
        """On threads of the handlers alone: those that hang hold up nobody else's work."""
        from kling_facade.workers import Workers, on_thread

        if self._workers is None:
            self._workers = Workers(_HANDLERS, name="kling-handler")
        return await on_thread(work, self._workers)

    def _claim(self, claim: _Claim) -> Answer | None:
        """None if the handler may be called, else what to answer."""
        if claim.task_id in self._unwritten:
            return self._succeed(claim)
        try:
            state = self.memory.claim(claim.task_id, owner=claim.owner, seconds=self._timeout)
        except KlingError as error:  # the journal's; it may be well again at the sender's next attempt
            self._complaints.failed(f"the callback of task {claim.task_id} could not be handled", error)
            return AGAIN
        return {"taken": None, "busy": AGAIN, "finished": DONE}[state]

    def _succeed(self, claim: _Claim) -> Answer:
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
    return _Claim(callback.task_id, os.urandom(8).hex())


def _is_asynchronous(handler: Handler) -> bool:
    """Be it a function or an object that is called like one."""
    from inspect import iscoroutinefunction

    return iscoroutinefunction(handler) or iscoroutinefunction(type(handler).__call__)


def _refuse_awaitable(result: Any) -> None:
    if hasattr(result, "__await__"):
        if hasattr(result, "close"):
            result.close()  # or Python would warn of a coroutine that was never awaited
        raise TypeError("an asynchronous handler is an `async def` behind asgi_app or receive_async")
