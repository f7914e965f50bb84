"""What was asked of the sandbox, kept for tests to look at."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class RecordedRequest:
    """One request as it arrived.

    Attributes:
        method: in capitals.
        path: decoded, without the query.
        query: the last value of each parameter.
        headers: names in lower case.
        body: the bytes; empty when more were sent than the sandbox takes.
        at: simulated seconds on the sandbox's clock.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: float


class Recorder:
    """The latest requests; the oldest are forgotten beyond a count and a total of body bytes."""

    def __init__(self, *, most: int = 10_000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._most_bytes = most_bytes
        self._requests: deque[RecordedRequest] = deque()
        self._bytes = 0

    def add(self, request: RecordedRequest) -> None:
        """Keeps one more."""
        with self._lock:
            self._requests.append(request)
            self._bytes += len(request.body)
            while len(self._requests) > self._most or self._bytes > self._most_bytes:
                self._bytes -= len(self._requests.popleft().body)

    def all(self) -> list[RecordedRequest]:
        """Those still kept, oldest first."""
        with self._lock:
            return list(self._requests)
