"""A server of one answer: the bytes it is given, HTTP or not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

Behaviour = Callable[[socket.socket], None]


class RawServer:
    """Reads each request whole, then does as it is told; counts the requests by their first line."""

    def __init__(self, behaviour: Behaviour | bytes) -> None:
        self.behaviour = behaviour
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in [self._acceptor, *self._threads]:
            thread.join(5)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads = [old for old in self._threads if old.is_alive()] + [thread]
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.requests.append(_read_request(connection))
                if isinstance(self.behaviour, bytes):
                    connection.sendall(self.behaviour)
                else:
                    self.behaviour(connection)
            except OSError:
                pass

    def silent(self, connection: socket.socket) -> None:
        """A behaviour: accepts, reads, and says nothing."""
        self._closing.wait(30)

    def dripping(self, connection: socket.socket) -> None:
        """A behaviour: a byte of an endless header at a time."""
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        while not self._closing.wait(0.1):
            connection.sendall(b"x")


def http(body: bytes, *, status: int = 200, headers: bytes = b"Content-Type: application/json\r\n") -> bytes:
    """A whole HTTP answer."""
    return b"HTTP/1.1 %d X\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
        status,
        headers,
        len(body),
        body,
    )


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    while len(body) < length and (part := connection.recv(65536)):
        body += part
    return head + b"\r\n\r\n" + body


def wait_for(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """For what another thread is about to do."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.005)
