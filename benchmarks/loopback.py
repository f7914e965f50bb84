"""A server on loopback, in a process of its own, that answers with prepared bytes and counts."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Answers = Mapping[str, bytes]  # by the beginning of the path
COUNTS = "/counts"


@frozen
class Loopback:
    """A running server."""

    url: str

    def connections(self) -> int:
        """How many were made so far, without the one that asks."""
        with urllib.request.urlopen(self.url + COUNTS) as answer:
            return int(json.load(answer)["connections"]) - 1


@contextmanager
def serving(answers: Answers, content_type: str = "application/json") -> Iterator[Loopback]:
    """Serves as long as the block lasts.

    Args:
        answers: bodies.
        content_type: of all of them.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(dict(answers), content_type, theirs), daemon=True)
    process.start()
    try:
        yield Loopback(f"http://127.0.0.1:{ours.recv()}")
    finally:
        process.terminate()
        process.join()


def _run(answers: Answers, content_type: str, parent: Connection) -> None:
    asyncio.run(_serve(answers, content_type, parent))


async def _serve(answers: Answers, content_type: str, parent: Connection) -> None:
    loop = asyncio.get_running_loop()
    prepared = {path.encode(): _whole(body, content_type) for path, body in answers.items()}
    counts = {"connections": 0}
    server = await loop.create_server(lambda: _Protocol(prepared, counts), "127.0.0.1", 0, backlog=2048)
    parent.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _whole(body: bytes, content_type: str) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Protocol(asyncio.Protocol):
    """Just enough HTTP/1.1 to cost next to nothing: keep-alive, and requests without surprises."""

    def __init__(self, answers: Mapping[bytes, bytes], counts: dict[str, int]) -> None:
        self._answers = answers
        self._counts = counts
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            length = _content_length(head)
            if len(rest) < length:
                return
            self._received = rest[length:]
            self._transport.write(self._answer(head.split(b" ", 2)[1]))

    def _answer(self, path: bytes) -> bytes:
        if path.startswith(COUNTS.encode()):
            return _whole(json.dumps(self._counts).encode(), "application/json")
        return next(answer for start, answer in self._answers.items() if path.startswith(start))


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0
