"""Fetches pictures from elsewhere, only where that was allowed, and never from inside by surprise."""

from __future__ import annotations

import http.client
import ipaddress
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

if TYPE_CHECKING:
    from collections.abc import Collection

TIMEOUT = 20.0  # seconds without a byte


class NotFetchedError(Exception):
    """The file could not be had, or may not."""


def fetch(url: str, *, hosts: Collection[str], most: int) -> bytes:
    """One GET, following redirects.

    Args:
        url: http or https.
        hosts: names that may be asked although their address is private.
        most: bytes to take at most.

    Raises:
        NotFetchedError: with the reason.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise NotFetchedError("only http and https are fetched")
    opener = urllib.request.OpenerDirector()
    for handler in (
        _PlainHandler(hosts),
        _TlsHandler(hosts),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            data: bytes = answer.read(most + 1)
    except (OSError, URLError, http.client.HTTPException, ValueError) as problem:
        raise NotFetchedError(str(problem)) from problem
    if len(data) > most:
        raise NotFetchedError(f"more than {most} bytes")
    return data


class _Guard(http.client.HTTPConnection):
    """Looks at the address it is connected to: a name can resolve to anything, and differently each time."""

    hosts: Collection[str] = ()

    def connect(self) -> None:
        super().connect()
        address = ipaddress.ip_address(self.sock.getpeername()[0].partition("%")[0])
        if not address.is_global and self.host not in self.hosts:
            self.close()
            raise NotFetchedError(f"{self.host} is at the private address {address}")


class _TlsGuard(http.client.HTTPSConnection, _Guard):
    """The same; http.client wraps the socket in TLS after the look."""


class _PlainHandler(urllib.request.HTTPHandler):
    def __init__(self, hosts: Collection[str]) -> None:
        super().__init__()
        self._hosts = hosts

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: Any) -> http.client.HTTPConnection:
        connection = _Guard(host, **options)
        connection.hosts = self._hosts
        return connection


class _TlsHandler(urllib.request.HTTPSHandler):
    def __init__(self, hosts: Collection[str]) -> None:
        super().__init__()
        self._hosts = hosts

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: Any) -> http.client.HTTPConnection:
        connection = _TlsGuard(host, **options)
        connection.hosts = self._hosts
        return connection
