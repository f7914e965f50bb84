"""One POST without a redirect, a proxy or a cookie; only to where the sandbox may call."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from urllib.parse import SplitResult


MOST_READ = 4096  # bytes of an answer's body
SOON = 0.25  # real seconds for it: the status is the answer, the rest is for people


class NotPostedError(Exception):
    """Nobody answered, or nobody may be asked."""


async def post(
    url: str, headers: Mapping[str, str], body: bytes, *, allow: bool | Collection[str]
) -> tuple[int, bytes]:
    """Posts and returns the HTTP status of the answer and the beginning of its body.

    Args:
        url: http or https.
        headers: besides Host and Content-Length.
        body: what is posted.
        allow: True for public hosts too, or names of hosts; loopback is always allowed.

    Raises:
        NotPostedError: with the reason.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotPostedError("the callback URL is not one of http or https")
        if not allow and not _is_loopback(parts.hostname):
            raise NotPostedError(f"this sandbox calls nobody but loopback, and not {parts.hostname}")
        secure = ssl.create_default_context() if parts.scheme == "https" else None
        reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
        try:
            _check_peer(parts.hostname, writer, allow=allow)
            return await _exchange(parts, headers, body, reader, writer)
        finally:
            writer.transport.abort()
    except (OSError, ValueError, h11.ProtocolError) as problem:
        raise NotPostedError(f"{type(problem).__name__}: {problem}") from problem


async def _exchange(
    url: SplitResult,
    headers: Mapping[str, str],
    body: bytes,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> tuple[int, bytes]:
    connection = h11.Connection(h11.CLIENT)
    head = {"host": url.netloc.rpartition("@")[2], "content-length": str(len(body)), "connection": "close"}
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    request = h11.Request(method="POST", target=target, headers=[*{**headers, **head}.items()])
    for event in (request, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(connection.send(event) or b"")
    await writer.drain()
    status, said = await _read_status(connection, reader), bytearray()
    with contextlib.suppress(TimeoutError, OSError, NotPostedError, h11.ProtocolError):
        async with asyncio.timeout(SOON):
            await _read_body(connection, reader, said)
    return status, bytes(said[:MOST_READ])


async def _read_status(connection: h11.Connection, reader: asyncio.StreamReader) -> int:
    while True:
        event = await _next_event(connection, reader)
        if isinstance(event, h11.Response):
            return event.status_code
        if isinstance(event, h11.ConnectionClosed):
            raise NotPostedError("the connection was closed without an answer")


async def _read_body(connection: h11.Connection, reader: asyncio.StreamReader, body: bytearray) -> None:
    while len(body) < MOST_READ:
        event = await _next_event(connection, reader)
        if not isinstance(event, h11.Data):
            return
        body += event.data


async def _next_event(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(65_536))
    return event


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_peer(host: str, writer: asyncio.StreamWriter, *, allow: bool | Collection[str]) -> None:
    """Looks at the address after connecting: a name can resolve to anything."""
    address = ipaddress.ip_address(str(writer.get_extra_info("peername")[0]).partition("%")[0])
    named = not isinstance(allow, bool) and host in allow
    if not (address.is_loopback or named or (allow and address.is_global)):
        raise NotPostedError(f"{host} is at the private address {address}")
