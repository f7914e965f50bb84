"""A server whose every byte a test decides, and an Apikley made of it that counts what it sold."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from attrs import field, frozen

Handler = Callable[["Incoming", socket.socket], None]
Act = Callable[[socket.socket, threading.Event], None]


class HangupError(Exception):
    """Raised by a handler that wants the connection closed."""


@frozen
class Incoming:
    """A request that was read whole."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = field(repr=False)


class FaultyServer:
    """Serves connections side by side, each until it is closed or the handler has enough of it.

    Args:
        handler: answers a request as it likes.
        greet: is given each new connection before a byte is read; a ``HangupError`` ends it there.
        tls: makes it an HTTPS server.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        greet: Callable[[socket.socket], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.handler = handler
        self.requests: list[Incoming] = []
        self.accepted = 0
        self.closing = threading.Event()
        self._greet = greet
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._port = self._socket.getsockname()[1]
        self._threads: set[threading.Thread] = set()
        self._open: set[socket.socket] = set()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"https://localhost:{self._port}" if self._tls else f"http://127.0.0.1:{self._port}"

    @property
    def busy(self) -> int:
        """Connections that are open."""
        return len(self._threads)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self.refuse()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in [self._acceptor, *self._threads]:
            thread.join(5)

    def refuse(self) -> None:
        """From now on nobody listens here."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.accepted += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.add(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        try:
            with contextlib.suppress(OSError, HangupError), connection:
                connection.settimeout(30)
                if self._greet is not None:
                    self._greet(connection)
                if self._tls is None:
                    self._converse(connection)
                else:
                    with self._tls.wrap_socket(connection, server_side=True) as secured:
                        self._open.add(secured)
                        self._converse(secured)
                        self._open.discard(secured)
        finally:
            self._open.discard(connection)
            self._threads.discard(threading.current_thread())

    def _converse(self, connection: socket.socket) -> None:
        while (request := read_request(connection)) is not None:
            self.requests.append(request)
            self.handler(request, connection)


def read_request(connection: socket.socket) -> Incoming | None:
    """The next request, its body included; None if the other side closed first."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (part := connection.recv(65536)):
            return None
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.lower(): value.strip() for name, value in pairs}
    while len(body) < int(headers.get("content-length", "0")):
        if not (part := connection.recv(65536)):
            return None
        body += part
    return Incoming(method, target, headers, body)


def answer(
    status: int = 200, body: bytes | object = b"", headers: dict[str, str] | None = None, *, length: int = -1
) -> bytes:
    """A whole HTTP answer; ``length`` makes its Content-Length lie."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(content) if length < 0 else length
    lines = {"Content-Type": "application/json", "Content-Length": str(size), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content


def reset(connection: socket.socket) -> None:
    """Ends the connection with a RST instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise HangupError


def says(data: bytes) -> Act:
    """An act: these bytes, and no more."""

    def act(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(data)

    return act


def cuts(data: bytes) -> Act:
    """An act: these bytes, then the end of the connection."""

    def act(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(data)
        raise HangupError

    return act


def hangs_up(connection: socket.socket, closing: threading.Event) -> None:
    """An act: closes without a word."""
    raise HangupError


def resets(connection: socket.socket, closing: threading.Event) -> None:
    """An act: see ``reset``."""
    reset(connection)


def is_silent(connection: socket.socket, closing: threading.Event) -> None:
    """An act: reads, and says nothing."""
    closing.wait(30)
    raise HangupError


def drips(seconds: float) -> Act:
    """An act: an endless header, one byte in so many seconds."""

    def act(connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        while not closing.wait(seconds):
            connection.sendall(b"x")

    return act


CREATED = answer(body={"code": 200, "msg": "success", "data": {"taskId": "t1"}})


def record(state: str, **fields: object) -> bytes:
    """An answer of recordInfo."""
    return answer(body={"code": 200, "msg": "success", "data": {"taskId": "t1", "state": state, **fields}})


def success(*urls: str) -> bytes:
    """An answer of recordInfo: the video is made."""
    return record("success", resultJson=json.dumps({"resultUrls": urls}))


class FaultyApikley(FaultyServer):
    """Plays the API; each call may be told to act otherwise.

    A create counts as read once its whole body is here. A video is sold for it, whatever becomes of the
    answer, unless the act is one of the service's refusals: that is what makes sending it again expensive.
    """

    def __init__(
        self,
        *,
        create: Act | None = None,
        look: Act | None = None,
        refuses: bool = False,
        greet: Callable[[socket.socket], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(self._answer, greet=greet, tls=tls)
        self.acts = {
            "createTask": create or says(CREATED),
            "recordInfo": look or says(success("https://a.test/1.mp4")),
        }
        self._refuses = refuses
        self.read = 0
        self.sold = 0

    def looks(self) -> int:
        """Requests for the record."""
        return sum("recordInfo" in request.target for request in self.requests)

    def _answer(self, request: Incoming, connection: socket.socket) -> None:
        call = "createTask" if request.method == "POST" and "createTask" in request.target else "recordInfo"
        if call == "createTask":
            self.read += 1
            self.sold += not self._refuses
        self.acts[call](connection, self.closing)


def in_turn(*acts: Act) -> Act:
    """An act: each of these once, the last one again and again."""
    left = list(acts)

    def act(connection: socket.socket, closing: threading.Event) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection, closing)

    return act
