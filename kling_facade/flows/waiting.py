"""Looking at a task until it has ended, and not a second longer than allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kling_facade.envelope import Again, Denied
from kling_facade.errors import (
    KlingError,
    ResultMissingError,
    TaskFailedError,
    TaskNotFoundError,
    WaitTimeoutError,
)
from kling_facade.events import Event, log
from kling_facade.flows.calling import Call, make, take_turn
from kling_facade.flows.listening import Ear
from kling_facade.flows.session import Sighting
from kling_facade.flows.submitting import submit
from kling_facade.inputs import record_request
from kling_facade.kinds import kind_seen
from kling_facade.operations import RECORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from kling_facade.flows.session import Session
    from kling_facade.flows.submitting import Bought
    from kling_facade.images import Image
    from kling_facade.inputs import Inputs
    from kling_facade.records import TaskStatus

_NOT_VISIBLE_FOR = 30.0  # seconds; right after a create the service may not know its own task
_LAST_LOOK = 1.0  # seconds before the deadline: worth a look, so that a finished task is not called late


class Watch:
    """One wait for one task; ``step`` after ``step`` until it has ended.

    Args:
        session: the client's.
        task_id: the task.
        timeout: seconds until the waiting ends.
        bought: what the submission told of the task; None if another process submitted it.
    """

    def __init__(
        self, session: Session, task_id: str, *, timeout: float, bought: Bought | None = None
    ) -> None:
        self._session = session
        self._call = Call(RECORD, record_request(session.settings, task_id), task_id)
        self._sighting = session.sightings.setdefault(task_id, Sighting())
        self._timeout = timeout
        self._began = session.io.now()
        self._deadline = self._began + timeout
        self._submitted_at = bought.at if bought else None
        self._kind = bought.kind if bought else None
        self._ear = Ear(session.inbox, task_id)
        self._first_look: float | None = None
        self._last_look = self._began
        self._pause = self._first_pause()
        self._status: TaskStatus | None = None
        self._trouble: KlingError | None = None

    async def step(self) -> TaskStatus | None:
        """Waits for the next look and returns what it saw; None once the task has ended.

        Raises:
            WaitTimeoutError: the deadline came first.
            KlingError: an answer that waiting cannot mend.
        """
        if self._status is not None and self._status.done:
            return None
        while True:
            await self._wait()
            seen = self._seen_by_another() or await self._look()
            now = self._session.io.now()
            self._last_look = now
            if seen is not None:
                self._status, self._trouble = seen, None
                if seen.done:
                    self._ear.ended()
                self._get_to_know(seen, now)
                self._pause = self._next_pause(now)
                return seen

    async def _wait(self) -> None:
        io = self._session.io
        left = self._deadline - io.now()
        if self._pause >= left:
            soon = self._first_look is None  # even a short wait is worth one look
            self._pause = left - min(_LAST_LOOK, left / 2) if soon or left > 2 * _LAST_LOOK else left
        if self._pause > 0:
            await self._ear.sleep(io, self._pause)
        if io.now() >= self._deadline:
            raise self._too_late() from self._trouble

    def _seen_by_another(self) -> TaskStatus | None:
        """What somebody else who waits for the same task has seen since this one's last look."""
        status = self._sighting.status if self._sighting.at > self._last_look else None
        # a callback is younger than what did not see the end yet
        return None if status and self._ear.woken and not status.done else status

    async def _look(self) -> TaskStatus | None:
        session = self._session
        place = await take_turn(session, session.queries, deadline=self._deadline)
        if place is None:
            self._pause = self._deadline - session.io.now()
            return None
        now = session.io.now()
        self._first_look = now if self._first_look is None else self._first_look
        timeout = min(session.settings.timeout, self._deadline - now)
        self._ear.attend()
        outcome = await make(session, self._call, session.queries, place, timeout=timeout)
        now = session.io.now()
        if isinstance(outcome, Denied):
            self._pause = self._next_pause(now)
            self._endure(outcome)
            return None
        self._sighting.at, self._sighting.status = now, outcome.value
        session.events.tell(Event(name="looked", at=now, call=RECORD.name, task_id=self._call.subject))
        return outcome.value

    def _first_pause(self) -> float:
        """Nothing for a task that may have ended long ago."""
        if self._submitted_at is None:
            return 0.0
        session, age = self._session, self._began - self._submitted_at
        return session.polling.first(self._kind, age, queue=session.queries.wait(), called=self._ear.called)

    def _next_pause(self, now: float) -> float:
        session = self._session
        age = now - (self._began if self._submitted_at is None else self._submitted_at)
        return session.polling.next(self._kind, age, queue=session.queries.wait(), called=self._ear.called)

    def _get_to_know(self, seen: TaskStatus, now: float) -> None:
        """Takes kind and age from the record where no submission told them."""
        self._kind = self._kind or kind_seen(seen)
        if self._submitted_at is None and seen.elapsed is not None:
            self._submitted_at = now - seen.elapsed
        self._session.learn(seen, self._kind)

    def _endure(self, denied: Denied) -> None:
        """Keeps what waiting may mend; raises the rest."""
        error = denied.error
        error.task_id = self._call.subject
        young = self._session.io.now() - (self._first_look or 0.0) < _NOT_VISIBLE_FOR
        passing = denied.again in (Again.FREE, Again.UNSENT) or (
            isinstance(error, TaskNotFoundError) and young
        )
        if not passing:
            raise error
        log.debug("task %s: %s", error.task_id, error)
        self._trouble = error
        self._pause = max(self._pause, denied.after)

    def _too_late(self) -> WaitTimeoutError:
        task_id = self._call.subject
        seen = f"its last state was {self._status.state!r}" if self._status else "no look at it succeeded"
        trouble = f"; the last trouble: {self._trouble}" if self._trouble else ""
        text = (
            f"task {task_id} has not ended within {self._timeout:g} s ({seen}{trouble}). It goes "
            f"on and is paid for: do not submit again, resume with kling.task({task_id!r}).wait()."
        )
        if (
            self._status is None
            and isinstance(self._trouble, TaskNotFoundError)
            and self._submitted_at is None
        ):
            text = f"within {self._timeout:g} s the service did not know a task {task_id!r}. Is the id right?"
        return WaitTimeoutError(text, task_id=task_id, status=self._status)


async def wait(watch: Watch, on_update: Callable[[TaskStatus], object] | None = None) -> TaskStatus:
    """The status of a video that is made.

    Raises:
        TaskFailedError: the service gave up.
        ResultMissingError: success without a link.
        WaitTimeoutError: the deadline came first.
    """
    last: TaskStatus | None = None
    while (status := await watch.step()) is not None:
        last = status
        if on_update is not None:
            on_update(status)
    if last is None:
        raise RuntimeError("a watch that has ended cannot be waited for again")
    return settle(last)


def settle(status: TaskStatus) -> TaskStatus:
    """The status if it is a success with a link; else what it is."""
    if status.failure is not None:
        failure = status.failure
        raise TaskFailedError(
            f"task {status.task_id} failed: {failure.code} {failure.message!r} ({failure.kind}). "
            f"Failed tasks are refunded. {_ADVICE[failure.kind]}",
            status=status,
            failure=failure,
        )
    if not status.urls:
        raise ResultMissingError(
            f"task {status.task_id} succeeded, but its record holds no link. It is paid for: look again "
            f"later with kling.task({status.task_id!r}).status(), or ask the service.",
            status=status,
        )
    return status


_ADVICE = {
    "moderation": "Change the prompt or the picture; the same again will be refused again.",
    "input": "Change the picture or the parameter that it names.",
    "transient": "The fault was the service's; submit it again.",
    "credits": "Top up the account.",
    "unknown": "If it fails again the same way, try another picture or prompt.",
}


async def generate(
    session: Session,
    image: Image,
    inputs: Inputs,
    *,
    key: str | None,
    timeout: float,
    on_update: Callable[[TaskStatus], object] | None = None,
) -> TaskStatus:
    """Submits and waits, one deadline for all of it; the id survives whatever interrupts it."""
    deadline = session.io.now() + timeout
    bought = await submit(session, image, inputs, key=key, timeout=timeout)
    try:
        left = max(deadline - session.io.now(), 0.001)
        watch = Watch(session, bought.task_id, timeout=left, bought=bought)
        return await wait(watch, on_update)
    except KlingError:
        raise  # names the task
    except BaseException:
        log.warning("interrupted; task %s goes on: kling.task(%r) resumes it", bought.task_id, bought.task_id)
        raise
