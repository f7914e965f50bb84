"""What an inbox tells the log; the sender hears no more than a status and a line."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger

    from kling_facade.errors import CallbackRejectedError

_PERIOD = 60.0  # seconds; whoever knows the URL can send any number


class Complaints:
    """Warns of refused callbacks: of each reason once a minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._said: dict[str, float] = {}

    def refused(self, error: CallbackRejectedError) -> None:
        """A delivery was not let in; without this only its sender would know why."""
        now = time.monotonic()
        with self._lock:
            if now - self._said.get(error.reason, -_PERIOD) < _PERIOD:
                return
            self._said[error.reason] = now
        _logger().warning("a callback was refused (%d): %s", error.http_status, error.reason)

    def failed(self, text: str, error: Exception) -> None:
        """Something here went wrong, with its traceback."""
        _logger().error("%s", text, exc_info=error)


def _logger() -> Logger:
    from logging import getLogger  # a receiver that nothing goes wrong in does without

    return getLogger("kling_facade")
