"""Handles that need nothing but an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kling_facade.flows.asking import look
from kling_facade.flows.waiting import Watch, wait
from kling_facade.ports import run
from kling_facade.settings import check_seconds
from kling_facade.videos import AsyncVideo, Video

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from kling_facade.flows.session import Session
    from kling_facade.flows.submitting import Bought
    from kling_facade.records import TaskStatus

WAIT = 900.0  # seconds; the documents advise to give up after 10 to 15 minutes


class _Handle:
    """What both kinds of task know.

    Attributes:
        id: the service's id, a plain string; all that is needed to come back to the task.
        submission_id: this attempt's id in log and journal; None where another process submitted.
    """

    def __init__(self, session: Session, task_id: str, bought: Bought | None = None) -> None:
        self._session = session
        self._bought = bought
        self.id = task_id
        self.submission_id = bought.submission_id if bought else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    def _watch(self, timeout: float) -> Watch:
        timeout = check_seconds("timeout", timeout)
        return Watch(self._session, self.id, timeout=timeout, bought=self._bought)


class Task(_Handle):
    """A video being made, in this process or another."""

    def status(self) -> TaskStatus:
        """What the service knows of it now; one request.

        Raises:
            TaskNotFoundError: the service knows no such task; in the first seconds it may not know it yet.
            KlingError: see ``kling_facade.errors``.
        """
        return run(look(self._session, self.id))

    def updates(self, *, timeout: float = WAIT) -> Iterator[TaskStatus]:
        """Yields what each look saw, changed or not, up to the last; may be left with ``break``.

        Ends with the status that is ``done``, and does not raise when the task has failed.

        Args:
            timeout: seconds from this call on.

        Raises:
            WaitTimeoutError: the task is still running; it goes on, and stays paid for.
            KlingError: an answer that waiting cannot mend.
        """
        return _sync_steps(self._watch(timeout))

    def wait(
        self, *, timeout: float = WAIT, on_update: Callable[[TaskStatus], object] | None = None
    ) -> Video:
        """Returns the video as soon as it is known to be made.

        Args:
            timeout: seconds; kept exactly, whatever the network does.
            on_update: called with what each look saw.

        Raises:
            TaskFailedError: the service gave up; failed tasks are refunded.
            ResultMissingError: success without a link.
            WaitTimeoutError: the task is still running; call this again, never submit again.
            KlingError: an answer that waiting cannot mend.
        """
        return Video(self._session, run(wait(self._watch(timeout), on_update)))


class AsyncTask(_Handle):
    """A video being made, in this process or another; see ``Task``."""

    async def status(self) -> TaskStatus:
        """See ``Task.status``."""
        return await look(self._session, self.id)

    def updates(self, *, timeout: float = WAIT) -> AsyncIterator[TaskStatus]:
        """See ``Task.updates``; for ``async for``."""
        return _async_steps(self._watch(timeout))

    async def wait(
        self, *, timeout: float = WAIT, on_update: Callable[[TaskStatus], object] | None = None
    ) -> AsyncVideo:
        """See ``Task.wait``; ``asyncio.timeout`` around it is safe too."""
        return AsyncVideo(self._session, await wait(self._watch(timeout), on_update))


def _sync_steps(watch: Watch) -> Iterator[TaskStatus]:
    while (status := run(watch.step())) is not None:
        yield status


async def _async_steps(watch: Watch) -> AsyncIterator[TaskStatus]:
    while (status := await watch.step()) is not None:
        yield status
