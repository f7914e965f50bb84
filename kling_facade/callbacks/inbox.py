"""Where callbacks arrive: checked, handled once, told to whoever waits."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from kling_facade.callbacks.complaints import Complaints
from kling_facade.callbacks.handling import AGAIN, Answer, Handling
from kling_facade.callbacks.verifier import Callback, CallbackVerifier
from kling_facade.callbacks.waiters import Waiters
from kling_facade.errors import CallbackRejectedError, InvalidInputError, KlingError

if TYPE_CHECKING:
    from asyncio import Task

    from kling_facade.callbacks.handling import Handler
    from kling_facade.callbacks.memory import Memory
    from kling_facade.callbacks.verifier import Headers, Text


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
            asynchronous behind ``asgi_app`` and ``receive_async``.
        journal: a ``Journal`` in which processes remember together what was handled; a client with
            ``inbox=`` and ``journal=`` lends its own. Else the last 10,000 tasks of this process are.
        handler_timeout: seconds after which a handler is taken for dead, and another delivery may call it.

    Raises:
        ConfigurationError: no webhook key.
        InvalidInputError: of field "verifier", "journal" or "handler_timeout".
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
        if verifier is not None and not hasattr(verifier, "verify"):
            raise InvalidInputError("verifier", "is none; give one like CallbackVerifier([key])")
        if isinstance(journal, str | PathLike):
            raise InvalidInputError("journal", f"{journal!r} is a path; give Journal({journal!r})")
        self.url = url
        self.waiters = Waiters()
        self._complaints = Complaints()
        self._verifier = verifier or CallbackVerifier()
        self._handling = Handling(handler, journal, timeout=handler_timeout, complaints=self._complaints)
        self._deliveries: set[Task[Answer]] = set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.url}>"

    def callback_url(self, submission_id: str) -> str | None:
        """The URL to submit, with the mark of the submission; None if the inbox does not know its URL."""
        if self.url is None:
            return None
        return f"{self.url}{'&' if '?' in self.url else '?'}{self._verifier.mark(submission_id)}"

    def lend(self, journal: Memory) -> None:
        """Remembers in this journal, unless it was made with one."""
        self._handling.lend(journal)

    def receive(self, headers: Headers, body: bytes, query: Text = "") -> Answer:
        """Takes one delivery in; the answer for its sender. Nothing is raised; the log has what went wrong.

        Args:
            headers: a mapping or pairs, names in any case.
            body: as received.
            query: of the URL, as received.
        """
        callback = self._verify(headers, body, query)
        if isinstance(callback, Answer):
            return callback
        return self._admit(callback) or self._handling.handle(callback)

    async def receive_async(self, headers: Headers, body: bytes, query: Text = "") -> Answer:
        """The same for asyncio: what may block runs on a thread, an asynchronous handler on this loop.

        What was let in is handled to its end, also where the caller is cancelled as the sender goes away.
        """
        callback = self._verify(headers, body, query)
        if isinstance(callback, Answer):
            return callback
        if not self._handling.blocks:
            return self._admit(callback) or self._handling.handle(callback)
        from asyncio import get_running_loop, shield

        delivery = get_running_loop().create_task(self._take_in(callback))
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)
        return await shield(delivery)

    async def _take_in(self, callback: Callback) -> Answer:
        refusal = await self._handling.remember(lambda: self._admit(callback))
        return refusal or await self._handling.handle_async(callback)

    def _verify(self, headers: Headers, body: bytes, query: Text) -> Callback | Answer:
        try:
            return self._verifier.verify(headers, body, query)
        except CallbackRejectedError as error:
            return self._refuse(error)
        except InvalidInputError as error:
            self._complaints.failed("a callback could not be read", error)
            return AGAIN

    def _admit(self, callback: Callback) -> Answer | None:
        """None if it may be handled; whoever waits for the task knows by then."""
        try:
            bound = self._bind(callback)
        except KlingError as error:  # the journal's; it may be well again at the sender's next attempt
            self._complaints.failed("a callback could not be taken in", error)
            return AGAIN
        if not bound:
            return self._refuse(
                CallbackRejectedError("the mark in the URL is another task's", http_status=401)
            )
        self.waiters.tell(callback.task_id)
        return None

    def _bind(self, callback: Callback) -> bool:
        submission_id, signed = callback.submission_id, callback.sent_at is not None
        return submission_id is None or self._handling.memory.bind(
            submission_id, callback.task_id, signed=signed
        )

    def _refuse(self, error: CallbackRejectedError) -> Answer:
        self._complaints.refused(error)
        return Answer(error.http_status, str(error).encode())
