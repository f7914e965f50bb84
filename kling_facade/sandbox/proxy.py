"""A TCP proxy that spoils answers the way sockets do; for clients in any language."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from contextlib import suppress
from typing import Literal, Self
from urllib.parse import urlsplit

from attrs import field, frozen, validators

KINDS = ("none", "reset", "cut", "silence", "drip", "lying_length")
CHUNK = 65_536
LENGTH = re.compile(rb"(?i)(\r\ncontent-length:[ \t]*)(\d+)")


@frozen
class SocketFault:
    """What happens to the answers on a connection.

    Attributes:
        kind: "reset" (RST) or "cut" (FIN) the connection, fall into "silence" and keep it open, "drip" the
            rest byte by byte, announce more than is sent ("lying_length"), or "none".
        after: bytes of the answer that pass first, the head among them.
        pause: real seconds between two bytes that drip.
        connections: how many connections meet it; None for all.
    """

    kind: Literal["none", "reset", "cut", "silence", "drip", "lying_length"] = field(
        default="none", validator=validators.in_(KINDS)
    )
    after: int = 0
    pause: float = 0.05
    connections: int | None = None


class FaultyProxy:
    """Listens on loopback and passes everything on, as long as the ``with`` block lasts.

    Links inside answers still point at the target; put ``proxy.url`` in their place to spoil a download.

    Args:
        target_url: http, such as ``sandbox.url``; only its host and port count.
        fault: for all connections made from now on; can be set again at any time.
        port: 0 for any free one.
    """

    def __init__(self, target_url: str, *, fault: SocketFault | None = None, port: int = 0) -> None:
        target = urlsplit(target_url)
        if target.scheme != "http" or not target.hostname:
            raise ValueError("target_url must be an http URL with a host")
        self._target = (target.hostname, target.port or 80)
        self._port = port
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self.fault = fault or SocketFault()
        self.url = ""

    @property
    def fault(self) -> SocketFault:
        """What the next connection meets."""
        with self._lock:
            return self._fault if self._left != 0 else SocketFault()

    @fault.setter
    def fault(self, fault: SocketFault) -> None:
        with self._lock:
            self._fault, self._left = fault, fault.connections

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self._port))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = self._serve(listener)
        self._thread = threading.Thread(
            target=asyncio.run, args=(serving,), name="kling-sandbox-proxy", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_problem: object) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connect, sock=listener)
        self._ready.set()
        await self._stopping.wait()
        server.close()

    def _take_fault(self) -> SocketFault:
        fault = self.fault
        with self._lock:
            if self._left:
                self._left -= 1
        return fault

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        fault = self._take_fault()
        try:
            upstream = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        asking = asyncio.create_task(_pour(reader, upstream[1]))
        try:
            with suppress(OSError):
                await _answer(fault, upstream[0], writer)
        finally:
            asking.cancel()
            upstream[1].transport.abort()
            writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.close()


async def _answer(fault: SocketFault, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes the answer on, up to where the fault begins."""
    if fault.kind == "none":
        await _pour(upstream, writer)
    elif fault.kind == "lying_length":
        await _lie(upstream, writer)
    else:
        await _pass(fault.after, upstream, writer)
        await _spoil(fault, upstream, writer)


async def _pass(count: int, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes exactly so many bytes on, or fewer if there are no more."""
    while count > 0 and (data := await upstream.read(min(count, CHUNK))):
        count -= len(data)
        writer.write(data)
        await writer.drain()


async def _spoil(fault: SocketFault, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    first = await upstream.read(1)  # the fault begins with the answer, not with the connection
    if fault.kind == "reset":
        linger = struct.pack("ii", 1, 0)  # a close then sends RST
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    elif fault.kind == "silence":
        while await upstream.read(CHUNK):
            pass
        await asyncio.Event().wait()
    elif fault.kind == "drip":
        while first:
            writer.write(first)
            await writer.drain()
            await asyncio.sleep(fault.pause)
            first = await upstream.read(1)


async def _lie(upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announces twice the body, and closes after the whole of it."""
    head = await upstream.readuntil(b"\r\n\r\n")
    found = LENGTH.search(head)
    length = int(found[2]) if found else 0
    writer.write(LENGTH.sub(lambda match: match[1] + str(2 * length + 1).encode(), head))
    await _pass(length, upstream, writer)
