"""Where callbacks arrive: checked, handled once, told to whoever waits."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from typing import TYPE_CHECKING, NamedTuple

from kling_facade.callbacks.memory import RecentMemory
from kling_facade.callbacks.verifier import Callback, CallbackVerifier
from kling_facade.callbacks.waiters import Waiters
from kling_facade.errors import CallbackRejectedError, InvalidInputError, KlingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kling_facade.callbacks.memory import ClaimState, Memory
    from kling_facade.callbacks.verifier import Headers

    Handler = Callable[[Callback], object]


class Answer(NamedTuple):
    """What to answer the sender."""

    status: int
    body: bytes


_DONE = Answer(200, b"ok")
_AGAIN = Answer(503, b"try again")
_FAILED = Answer(500, b"the handler failed")


class _Claim(NamedTuple):
    """The right to call the handler for a task."""

    task_id: str
    owner: str


class _Running(NamedTuple):
    """An asynchronous handler that was called and is not done."""

    claim: _Claim
    rest: Awaitable[object]


class CallbackInbox:
    """Receives the callbacks of one application.

    For each task the handler is called until it has returned once, and never again after that. If it raises,
    the answer is 500 and the sender's next attempt calls it again. While it runs, another delivery of the
    same task is answered 503: a 200 would be a lie if the handler then failed, and to wait for it would hold
    up a worker for longer than the sender has patience.

    Args:
        verifier: else one with the keys in ``APIKLEY_WEBHOOK_KEYS``.
        url: where the service can reach this inbox. A client with ``inbox=`` sends it with every submission,
            marked.
        handler: called with each Callback; quick, since the sender may give up after 15 s. It may be
            asynchronous behind ``asgi_app``.
        journal: a ``Journal`` in which processes remember together what was handled; a client with
            ``inbox=`` and ``journal=`` lends its own. Else the last 10,000 tasks of this process are.
        handler_timeout: seconds after which a handler is taken for dead, and another delivery may call it.

    Raises:
        ConfigurationError: no webhook key.
        InvalidInputError: of field "handler_timeout".
    """

    def __init__(
        self,
        verifier: CallbackVerifier | None = None,
        *,
        url: str | None = None,
        handler: Handler | None = None,
        journal: Memory | None = None,
        handler_timeout: float = 60.0,
    ) -> None:
        if not handler_timeout > 0:
            raise InvalidInputError("handler_timeout", f"{handler_timeout!r} is not above 0 seconds")
        self.url = url
        self.waiters = Waiters()
        self._verifier = verifier or CallbackVerifier()
        self._handler = handler
        self._handler_timeout = handler_timeout
        self._journal = journal
        self._memory = journal or RecentMemory()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.url}>"

    def callback_url(self, submission_id: str) -> str | None:
        """The URL to submit, with the mark of the submission; None if the inbox does not know its URL."""
        if self.url is None:
            return None
        return f"{self.url}{'&' if '?' in self.url else '?'}{self._verifier.mark(submission_id)}"

    def lend(self, journal: Memory) -> None:
        """Remembers in this journal, unless it was made with one."""
        if self._journal is None:
            self._journal = self._memory = journal

    def receive(self, headers: Headers, body: bytes, query: str = "") -> Answer:
        """Takes one delivery in; the answer for its sender. Nothing is raised.

        Args:
            headers: a mapping or pairs, names in any case.
            body: as received.
            query: of the URL, as received, without the question mark.
        """
        result = self._begin(headers, body, query)
        if isinstance(result, Answer):
            return result
        close: object = getattr(result.rest, "close", None)
        if callable(close):
            close()  # or Python would warn of a coroutine that was never awaited
        return self._fail(result.claim, TypeError("an asynchronous handler needs asgi_app"))

    async def receive_async(self, headers: Headers, body: bytes, query: str = "") -> Answer:
        """The same for asyncio: what may block runs on a thread, an asynchronous handler on this loop."""
        if self._handler is None and self._journal is None:
            result = self._begin(headers, body, query)
        else:
            from asyncio import to_thread

            result = await to_thread(self._begin, headers, body, query)
        return result if isinstance(result, Answer) else await self._go_on(result)

    def _begin(self, headers: Headers, body: bytes, query: str) -> Answer | _Running:
        """All of a delivery, but for what an asynchronous handler has yet to do."""
        try:
            callback = self._verifier.verify(headers, body, query)
            self._check_mark(callback)
            claim = _Claim(callback.task_id, os.urandom(8).hex())
            state = self._claim(claim)
        except CallbackRejectedError as error:
            return Answer(error.http_status, str(error).encode())
        except KlingError as error:  # the journal's; it may be well again at the sender's next attempt
            _report("a callback could not be taken in", error)
            return _AGAIN
        if state == "taken":
            return self._handle(callback, claim)
        self.waiters.tell(callback.task_id)
        return _AGAIN if state == "busy" else _DONE

    def _check_mark(self, callback: Callback) -> None:
        submission_id = callback.submission_id
        if submission_id is not None and not self._memory.bind(submission_id, callback.task_id):
            raise CallbackRejectedError("the mark in the URL is another task's", http_status=401)

    def _claim(self, claim: _Claim) -> ClaimState:
        if self._handler is None:
            return "finished"
        return self._memory.claim(claim.task_id, owner=claim.owner, seconds=self._handler_timeout)

    def _handle(self, callback: Callback, claim: _Claim) -> Answer | _Running:
        try:
            result = self._handler(callback) if self._handler else None
        except BaseException as error:  # noqa: BLE001 - raised again where it ends the process
            return self._fail(claim, error)
        return _Running(claim, result) if isinstance(result, Awaitable) else self._succeed(claim)

    async def _go_on(self, running: _Running) -> Answer:
        from asyncio import to_thread

        try:
            await running.rest
        except BaseException as error:  # noqa: BLE001 - raised again where it ends the process
            return self._fail(running.claim, error)
        return await to_thread(self._succeed, running.claim)

    def _succeed(self, claim: _Claim) -> Answer:
        try:
            self._memory.finish(claim.task_id)
        except KlingError as error:  # the sender must not try again: the handler has succeeded
            _report(f"that the callback of task {claim.task_id} was handled could not be written down", error)
        self.waiters.tell(claim.task_id)
        return _DONE

    def _fail(self, claim: _Claim, error: BaseException) -> Answer:
        try:
            self._memory.release(claim.task_id, owner=claim.owner)
        except KlingError as trouble:
            _report(f"task {claim.task_id} is held for {self._handler_timeout:g} s more", trouble)
        self.waiters.tell(claim.task_id)
        if not isinstance(error, Exception):
            raise error
        _report(f"the handler of task {claim.task_id} raised; the next delivery calls it again", error)
        return _FAILED


def _report(text: str, error: Exception) -> None:
    import logging

    logging.getLogger("kling_facade").error("%s", text, exc_info=error)
