"""What was asked of the sandbox and what it answered, kept to be looked at."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field, frozen
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive, Scope, Send

MOST_OF_AN_ANSWER = 64 * 1024  # bytes kept of one answer; envelopes are shorter, videos are not for reading


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


@define(eq=False)
class Exchange:
    """One request and what became of it.

    Attributes:
        number: in order of arrival, from 1.
        request: as it arrived.
        task_id: the task it is about, or empty.
        faulty: a fault answered in the sandbox's place.
        over: nothing more will be sent.
        status: of the answer; None before there is one, and when the connection was closed instead.
        headers: of the answer, names in lower case.
        body: of the answer, its first ``MOST_OF_AN_ANSWER`` bytes.
        size: bytes of the whole body.
    """

    number: int
    request: RecordedRequest
    task_id: str = ""
    faulty: bool = False
    over: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)
    size: int = 0


class Recorder:
    """The latest requests; the oldest are forgotten beyond a count and a total of body bytes."""

    def __init__(self, *, most: int = 10_000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._most_bytes = most_bytes
        self._numbers = itertools.count(1)
        self._exchanges: deque[Exchange] = deque()
        self._bytes = 0

    def add(self, request: RecordedRequest) -> Exchange:
        """Keeps one more, for its answer to be noted in."""
        with self._lock:
            exchange = Exchange(next(self._numbers), request)
            self._exchanges.append(exchange)
            self._bytes += len(request.body)
            self._forget()
            return exchange

    def all(self) -> list[RecordedRequest]:
        """Those still kept, oldest first."""
        return [exchange.request for exchange in self.exchanges()]

    def exchanges(self) -> list[Exchange]:
        """The same with their answers."""
        with self._lock:
            return list(self._exchanges)

    def note(self, exchange: Exchange, message: Message) -> None:
        """Notes a part of the answer as it is sent."""
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            pairs: list[tuple[bytes, bytes]] = message["headers"]
            exchange.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        elif message["type"] == "http.response.body":
            part: bytes = message.get("body", b"")
            exchange.size += len(part)
            kept = part[: MOST_OF_AN_ANSWER - len(exchange.body)]
            with self._lock:
                exchange.body += kept
                # forgotten while it was answered: its bytes were never or are no longer counted
                if self._exchanges and exchange.number >= self._exchanges[0].number:
                    self._bytes += len(kept)
                    self._forget()

    def _forget(self) -> None:
        while len(self._exchanges) > self._most or self._bytes > self._most_bytes:
            forgotten = self._exchanges.popleft()
            self._bytes -= len(forgotten.request.body) + len(forgotten.body)


class Watched(Response):
    """Another response, noted as it goes out."""

    def __init__(self, response: Response, exchange: Exchange, recorder: Recorder) -> None:
        super().__init__()
        self._response = response
        self._exchange = exchange
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends and notes."""

        async def send_noted(message: Message) -> None:
            await send(message)  # first: further out headers are added
            self._recorder.note(self._exchange, message)

        try:
            await self._response(scope, receive, send_noted)
        finally:
            self._exchange.over = True
