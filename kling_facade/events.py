"""What happens inside a client, told to whoever wants to count or trace it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from attrs import frozen

log = logging.getLogger("kling_facade")

EventName = Literal["sent", "answered", "retried", "submitted", "looked", "saved"]


@frozen(kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        name: "sent", "answered": a call of the API; "retried": it will be made again; "submitted": a task was
            accepted; "looked": a look at a task was answered; "saved": a file is in its place.
        at: the client's clock, in seconds.
        call: which call of the API, "" where the event is not about one.
        task_id: the task, where there is one yet.
        submission_id: the attempt to buy, where there is one.
        attempt: 1 for the first.
        http_status: of the answer, None when there was none.
        code: what ``ApiError.code`` would be; None for success or no answer.
        seconds: how long it took; for "retried", how long until the next attempt.
    """

    name: EventName
    at: float
    call: str = ""
    task_id: str | None = None
    submission_id: str | None = None
    attempt: int = 1
    http_status: int | None = None
    code: int | None = None
    seconds: float | None = None


Listener = Callable[[Event], object]


class Events:
    """Tells one listener, on the thread or loop that acts; what it raises is logged once and dropped."""

    def __init__(self, listener: Listener | None = None) -> None:
        self._listener = listener
        self._complained = False

    def __bool__(self) -> bool:
        return self._listener is not None

    def tell(self, event: Event) -> None:
        """Calls the listener, if there is one."""
        if self._listener is None:
            return
        try:
            self._listener(event)
        except Exception:
            if not self._complained:
                self._complained = True
                log.exception("on_event raised; its errors are dropped from now on")
