"""A host of one video, which keeps to HTTP or does not; the API that knows its link beside it."""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.faulty import FaultyServer, HangupError, Incoming, answer, success


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def film(size: int = 400_000, *, seed: int = 1) -> bytes:
    """The bytes of an MP4, as far as its boxes go."""
    pictures = random.Random(seed).randbytes(size)
    return _box(b"ftyp", b"isomiso2") + _box(b"moov", b"index" * 50) + _box(b"mdat", pictures)


class FileHost(FaultyServer):
    """Serves ``content`` at /a.mp4, with Range and an ETag; each request may be answered otherwise.

    Attributes:
        acts: for one request each, then the last one again and again; none: as HTTP says.
        fresh: the link that the API makes of an expired one, "" for none.
    """

    def __init__(self, *acts: FileAct, content: bytes | None = None, fresh: str = "") -> None:
        super().__init__(self._answer)
        self.content = film() if content is None else content
        self.etag = '"1"'
        self.fresh = fresh
        self.acts = list(acts)

    @property
    def downloads(self) -> list[Incoming]:
        """The requests for the file."""
        return [request for request in self.requests if "/api/" not in request.target]

    def _answer(self, request: Incoming, connection: socket.socket) -> None:
        if "recordInfo" in request.target:
            connection.sendall(success(f"{self.url}/a.mp4"))
        elif "download-url" in request.target:
            no = {"code": 422, "msg": "The url is not one of ours", "data": None}
            yes = {"code": 200, "msg": "success", "data": self.fresh}
            connection.sendall(answer(body=yes if self.fresh else no))
        elif not self.acts:
            self.serve(request, connection)
        else:
            act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
            act(self, request, connection)

    def serve(
        self, request: Incoming, connection: socket.socket, *, until: int | None = None, **headers: str
    ) -> None:
        """As HTTP says; or the file up to that byte, then the end of the connection."""
        head, rest = self.prepare(request, **headers)
        start = len(self.content) - len(rest)
        connection.sendall(head + (rest if until is None else rest[: max(0, until - start)]))
        if until is not None:
            raise HangupError

    def prepare(self, request: Incoming, **headers: str) -> tuple[bytes, bytes]:
        """The head and the body that HTTP asks for."""
        size, start = len(self.content), _range_start(request, self.etag)
        if start >= size:
            return answer(416, headers={"Content-Range": f"bytes */{size}"}), b""
        names = {"Content-Type": "video/mp4", "ETag": self.etag}
        if start:
            names["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        names |= {name.replace("_", "-"): value for name, value in headers.items()}
        return answer(206 if start else 200, headers=names, length=size - start), self.content[start:]


FileAct = Callable[[FileHost, Incoming, socket.socket], None]


def _range_start(request: Incoming, etag: str) -> int:
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    return int(asked[1]) if asked and request.headers.get("if-range") == etag else 0


def honest(host: FileHost, request: Incoming, connection: socket.socket) -> None:
    """An act: as HTTP says."""
    host.serve(request, connection)


def cut(fraction: float, **headers: str) -> FileAct:
    """An act: the connection ends when so much of the whole file is there."""

    def act(host: FileHost, request: Incoming, connection: socket.socket) -> None:
        host.serve(request, connection, until=int(len(host.content) * fraction), **headers)

    return act


def lying(by: int) -> FileAct:
    """An act: the whole file, under a Content-Length that is wrong by so many bytes."""

    def act(host: FileHost, request: Incoming, connection: socket.socket) -> None:
        length = str(len(host.prepare(request)[1]) + by)
        host.serve(request, connection, until=len(host.content), Content_Length=length)

    return act


def unannounced(fraction: float = 1.0) -> FileAct:
    """An act: no length; the end of the connection is all that says that the file has ended."""

    def act(host: FileHost, request: Incoming, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\n")
        connection.sendall(host.content[: int(len(host.content) * fraction)])
        raise HangupError

    return act


def stalled(host: FileHost, request: Incoming, connection: socket.socket) -> None:
    """An act: half of it, then silence."""
    head, rest = host.prepare(request)
    connection.sendall(head + rest[: len(rest) // 2])
    host.closing.wait(30)
    raise HangupError


def says(data: bytes) -> FileAct:
    """An act: these bytes."""

    def act(host: FileHost, request: Incoming, connection: socket.socket) -> None:
        connection.sendall(data)

    return act


def video_of(connect: Any, host: FileHost, **options: Any) -> Any:
    """The finished video that the host has."""
    return connect(host.url, **options).task("t1").wait()


def names(folder: Path) -> list[str]:
    """All that is in it."""
    return sorted(path.name for path in folder.iterdir())
