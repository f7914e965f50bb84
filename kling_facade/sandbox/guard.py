"""Keeps tests from reaching anything but this machine."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class ForeignHostError(RuntimeError):
    """A test wanted to reach another machine. Not an OSError: nobody shall take it for a bad network."""


@contextmanager
def loopback_only() -> Generator[None]:
    """While it lasts, nobody in this process connects to another machine or looks up its name."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded(method: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
        def call(connection: socket.socket, address: Any) -> Any:
            if connection.family in (socket.AF_INET, socket.AF_INET6):
                _check(address[0])
            return method(connection, address)

        return call

    def guarded_look_up(host: Any, *args: Any, **options: Any) -> Any:
        _check(host)
        return look_up(host, *args, **options)

    changes = {"connect": guarded(connect), "connect_ex": guarded(connect_ex)}
    for name, method in changes.items():
        setattr(socket.socket, name, method)
    socket.getaddrinfo = guarded_look_up
    try:
        yield
    finally:
        setattr(socket.socket, "connect", connect)  # noqa: B010 - as above; a type checker sees no such slot
        setattr(socket.socket, "connect_ex", connect_ex)  # noqa: B010
        socket.getaddrinfo = look_up


def _check(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    try:
        allowed = ipaddress.ip_address(name.partition("%")[0]).is_loopback or name in ("0.0.0.0", "::")  # noqa: S104
    except ValueError:
        allowed = name.lower() in ("", "localhost") or name.lower().endswith(".localhost")
    if not allowed:
        raise ForeignHostError(
            f"this test uses the Kling sandbox and may reach nothing but this machine, and not {name!r};"
            " @pytest.mark.kling(allow_fetch=True) lifts that"
        )
