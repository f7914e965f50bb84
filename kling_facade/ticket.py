"""Whether a request was sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from kling_facade.wire import AnswerLost, NotSent

if TYPE_CHECKING:
    from collections.abc import Mapping


class Ticket:
    """Knows whether a request was sent; once it is abandoned, it never will be."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._abandoned = False
        self.sent = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpx at each stage; raising here stops the request before its first byte."""
        if event.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            with self._lock:
                if self._abandoned:
                    raise InterruptedError
                self.sent = True

    async def async_trace(self, event: str, info: Mapping[str, Any]) -> None:
        """The same, as the asynchronous client wants it."""
        self.trace(event, info)

    def abandon(self, reason: str) -> NotSent | AnswerLost:
        """What can be said of a request that nobody waits for any longer."""
        with self._lock:
            self._abandoned = True
            return AnswerLost(reason) if self.sent else NotSent(reason)
