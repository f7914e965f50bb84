"""What somebody who waits for a task hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kling_facade.callbacks import CallbackInbox
    from kling_facade.wire import IO


class Ear:
    """Sleeps until there is a callback, or long enough.

    Args:
        inbox: where callbacks arrive; None if they do not arrive here.
        task_id: the task that is waited for.

    Attributes:
        woken: whether a callback ended the last sleep.
    """

    def __init__(self, inbox: CallbackInbox | None, task_id: str) -> None:
        self._waiters = inbox.waiters if inbox else None
        self._task_id = task_id
        self._known = 0
        self.woken = False

    @property
    def called(self) -> bool:
        """Whether a callback will tell, so that a look is only for the case that it is lost."""
        return self._waiters is not None and self._waiters.relied_on(self._task_id)

    def attend(self) -> None:
        """A look is about to be taken, which will answer all the news there is."""
        if self._waiters is not None:
            self._known = self._waiters.news(self._task_id)

    def ended(self) -> None:
        """The look has shown the end."""
        if self._waiters is not None:
            self._waiters.miss(self._task_id)

    async def sleep(self, io: IO, seconds: float) -> None:
        """Returns when that many seconds have passed, or there is news; at once if there was some already."""
        if self._waiters is None:
            await io.sleep(seconds)
            return
        with self._waiters.sleeping(self._task_id, known=self._known) as wake:
            await io.sleep(seconds, wake)
            self.woken = wake.done()
