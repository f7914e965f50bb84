"""The paid call: sent once, and never again when it may have been accepted."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from uuid import uuid4

from attrs import evolve, frozen

from kling_facade.envelope import Accepted, Denied
from kling_facade.errors import (
    ConfigurationError,
    ConnectionFailedError,
    InvalidInputError,
    SubmissionUncertainError,
)
from kling_facade.events import Event, log
from kling_facade.flows.asking import no_turn, upload
from kling_facade.flows.calling import Call, Patience, make, take_turn, tell_retry
from kling_facade.images import Picture, read_image
from kling_facade.inputs import MODEL, create_request
from kling_facade.jsons import encode
from kling_facade.kinds import kind_asked
from kling_facade.operations import CREATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from kling_facade.flows.session import Session
    from kling_facade.images import Image
    from kling_facade.inputs import Inputs
    from kling_facade.journal import Journal, Submission
    from kling_facade.kinds import Kind
    from kling_facade.limits import Place
    from kling_facade.wire import Request

_LOOK_AGAIN = 0.2  # seconds between two looks at what another process is about to buy


@frozen
class Bought:
    """A task that was accepted.

    Attributes:
        submission_id: of the attempt that was accepted.
        kind: what was asked for.
        at: when, on the client's clock; None if it was accepted before.
    """

    task_id: str
    submission_id: str
    kind: Kind
    at: float | None = None


@frozen
class Order:
    """What is to be bought, once.

    Attributes:
        key: the caller's name for it; None if it may be bought again.
        digest: of what is asked for; where the news of it go does not matter.
        kind: of task.
        deadline: on the client's clock, for all that comes before the create.
        timeout: the same as a length of time, for messages.
    """

    key: str | None
    digest: str
    kind: Kind
    deadline: float
    timeout: float


async def submit(
    session: Session, image: Image, inputs: Inputs, *, key: str | None, timeout: float
) -> Bought:
    """Checks and uploads the picture, then creates the task.

    Args:
        session: the client's.
        image: see ``read_image``.
        inputs: checked.
        key: see ``Order``.
        timeout: seconds for everything before the create is sent.
    """
    deadline = session.io.now() + timeout
    source = await session.io.blocking(lambda: read_image(image))
    order = Order(key, _digest(inputs, source), kind_asked(inputs), deadline, timeout)
    if (known := await _recall(session, order)) is not None:
        return known
    image_url = await upload(session, source, timeout=timeout) if isinstance(source, Picture) else source

    def spell(submission_id: str) -> Request:
        marked = _mark_callback_url(session, inputs, submission_id)
        return create_request(session.settings, marked, image_url)

    bought = await _buy(session, order, spell)
    if session.inbox is not None and session.inbox.url is not None and inputs.callback_url is None:
        session.inbox.waiters.expect(bought.task_id)
    return bought


async def place_image(session: Session, image: Image) -> str:
    """The link under which the service finds the image; uploads what is not a link yet."""
    source = await session.io.blocking(lambda: read_image(image))
    return await upload(session, source) if isinstance(source, Picture) else source


async def recover(session: Session) -> list[Submission]:
    """What the journal knows to be submitted or uncertain; sends nothing."""
    journal = session.journal
    if journal is None:
        raise ConfigurationError("there is no journal to recover from: Kling(journal='submissions.db')")
    return await session.io.blocking(journal.submissions)


async def _buy(session: Session, order: Order, spell: Callable[[str], Request]) -> Bought:
    io, patience, attempt = session.io, Patience(), 0
    while True:
        attempt += 1
        if io.now() >= order.deadline:
            raise ConnectionFailedError(
                f"{order.timeout:g} s passed before the create was sent. Nothing was charged."
            )
        submission_id = uuid4().hex
        call = Call(CREATE, spell(submission_id), submission_id)
        turn = await take_turn(session, session.creates, deadline=order.deadline)
        if turn is None:
            raise no_turn(call, order.timeout)
        offer = _Offer(session, order, call, turn, attempt)
        outcome = await io.finish(offer.make, orphaned=_report_orphan)
        if isinstance(outcome, Accepted):
            return Bought(outcome.value, call.subject, order.kind, io.now())
        if not isinstance(outcome, Denied):  # another process has the key by now
            if (known := await _recall(session, order)) is not None:
                return known
            continue
        pause = patience.pause(outcome)
        if pause is None or io.now() + pause >= order.deadline:
            raise outcome.error
        tell_retry(session, call, outcome, attempt=attempt, pause=pause)
        await io.sleep(pause)


@frozen
class _Offer:
    """One attempt, from the committed intent to the committed outcome; it must run to its end."""

    session: Session
    order: Order
    call: Call[str]
    turn: Place
    attempt: int

    async def make(self) -> Accepted[str] | Denied | Submission:
        """What the service said, or who has the key already."""
        session, settings = self.session, self.session.settings
        try:
            other = await self._begin()
        except BaseException:
            session.creates.answered(self.turn, session.io.now())
            raise
        if other is not None:
            session.creates.answered(self.turn, session.io.now())
            return other
        # the full timeout even when the caller's deadline is near: a cut answer would only be uncertain
        outcome = await make(
            session, self.call, session.creates, self.turn, timeout=settings.timeout, attempt=self.attempt
        )
        await self._end(outcome)
        if isinstance(outcome, Accepted):
            log.info("task %s created", outcome.value)
            session.events.tell(
                Event(
                    name="submitted",
                    at=session.io.now(),
                    call=CREATE.name,
                    task_id=outcome.value,
                    submission_id=self.call.subject,
                    attempt=self.attempt,
                )
            )
        return outcome

    async def _begin(self) -> Submission | None:
        journal, settings, order = self.session.journal, self.session.settings, self.order
        if journal is None:
            return None
        return await self.session.io.blocking(
            lambda: journal.begin(
                self.call.subject,
                service=settings.base_url,
                key=order.key,
                digest=order.digest,
                timeout=settings.timeout,
            )
        )

    async def _end(self, outcome: Accepted[str] | Denied) -> None:
        """A journal that fails now must not make the task's id, or the refusal, unknown to the caller."""
        journal, submission_id = self.session.journal, self.call.subject
        if journal is None:
            return
        try:
            await self.session.io.blocking(lambda: _write_down(journal, submission_id, outcome))
        except ConfigurationError as error:
            became = f"task {outcome.value}" if isinstance(outcome, Accepted) else str(outcome.error)
            log.error("submission %s (%s) could not be written down: %s", submission_id, became, error)


async def _recall(session: Session, order: Order) -> Bought | None:
    """What the journal knows of the key; waits for another process that is about to buy it."""
    journal, key = session.journal, order.key
    if key is None:
        return None
    if journal is None:
        raise InvalidInputError("key", "needs a journal to remember it: Kling(journal='submissions.db')")
    while True:
        known = await session.io.blocking(lambda: journal.find(key, service=session.settings.base_url))
        if known is None:
            return None
        if known.digest != order.digest:
            raise InvalidInputError(
                "key", f"{key!r} was used for other inputs (submission {known.submission_id})"
            )
        if known.task_id is not None:
            return Bought(known.task_id, known.submission_id, order.kind)
        if known.state == "unknown" or session.io.now() >= order.deadline:
            raise SubmissionUncertainError(
                f"create task: submission {known.submission_id} of key {key!r} may have been accepted and "
                "paid for, so it is not sent again. Look at your account's task list; then "
                "journal.adopt(submission_id, task_id), or journal.forget(submission_id) if it is not there.",
                submission_id=known.submission_id,
            )
        await session.io.sleep(_LOOK_AGAIN)


def _write_down(journal: Journal, submission_id: str, outcome: Accepted[str] | Denied) -> None:
    if isinstance(outcome, Accepted):
        journal.end(submission_id, "submitted", outcome.value)
    elif isinstance(outcome.error, SubmissionUncertainError):
        journal.end(submission_id, "unknown", None)
    else:
        journal.end(submission_id, "refused", None)


def _mark_callback_url(session: Session, inputs: Inputs, submission_id: str) -> Inputs:
    """The inbox's URL, unless the caller named one: that may be anybody's, and is sent as it is."""
    if session.inbox is None or inputs.callback_url is not None:
        return inputs
    return evolve(inputs, callback_url=session.inbox.callback_url(submission_id))


def _digest(inputs: Inputs, source: str | Picture) -> str:
    image = source if isinstance(source, str) else source.name
    asked = [MODEL, image, inputs.prompt, inputs.duration, inputs.sound]
    return hashlib.sha256(encode(asked)).hexdigest()


def _report_orphan(outcome: Accepted[str] | Denied | Submission) -> None:
    """The caller was cancelled while the create was on its way: its id must not be lost."""
    if isinstance(outcome, Accepted):
        log.warning(
            "task %s was created after its caller had gone; kling.task(%r) resumes it",
            outcome.value,
            outcome.value,
        )
    elif isinstance(outcome, Denied):
        log.warning("a create whose caller had gone ended so: %s", outcome.error)
