"""The proxy spoils answers the way sockets do; seen with plain sockets."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from kling_facade.sandbox import FaultyProxy, Sandbox, SocketFault

CREDIT = "/api/v1/chat/credit"


@pytest.fixture(scope="module")
def target() -> Iterator[Sandbox]:
    with Sandbox(speed=1e-9) as sandbox:  # every answer has the same date
        yield sandbox


def ask(proxy: FaultyProxy, *, timeout: float = 5) -> tuple[bytes, str]:
    """The bytes of an answer, and how they ended: "end", "reset" or "silence"."""
    host = urlsplit(proxy.url)
    got = b""
    with socket.create_connection((host.hostname, host.port), timeout=timeout) as connection:
        head = f"GET {CREDIT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox-key\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        try:
            while data := connection.recv(10_000):
                got += data
        except ConnectionResetError:
            return got, "reset"
        except TimeoutError:
            return got, "silence"
    return got, "end"


def test_without_a_fault_everything_passes(target: Sandbox) -> None:
    with FaultyProxy(target.url) as proxy:
        answer, how = ask(proxy)
        body = bytes(range(256)) * 4000
        echoed = httpx.post(proxy.url + "/file-upload/api/file-stream-upload", content=body, timeout=10)
    assert (answer.split(b"\r\n")[0], how) == (b"HTTP/1.1 200 OK", "end")
    assert echoed.json()["code"] == 401
    assert target.requests[-1].body == body


@pytest.mark.parametrize("after", [0, 10, 100])
def test_a_connection_is_cut_or_reset_after_so_many_bytes(target: Sandbox, after: int) -> None:
    with FaultyProxy(target.url, fault=SocketFault("cut", after=after)) as proxy:
        whole, _ = ask_plainly(target)
        assert ask(proxy) == (whole[:after], "end")
    if after == 0:  # a reset may overtake what was sent before it
        with FaultyProxy(target.url, fault=SocketFault("reset")) as proxy:
            assert ask(proxy) == (b"", "reset")


def ask_plainly(target: Sandbox) -> tuple[bytes, str]:
    with FaultyProxy(target.url) as proxy:
        return ask(proxy)


def test_silence_keeps_the_connection_open(target: Sandbox) -> None:
    with FaultyProxy(target.url, fault=SocketFault("silence", after=12)) as proxy:
        assert ask(proxy, timeout=0.2) == (b"HTTP/1.1 200", "silence")


def test_a_drip_takes_its_time(target: Sandbox) -> None:
    with FaultyProxy(target.url, fault=SocketFault("drip", pause=0.001)) as proxy:
        real = time.monotonic()
        answer, how = ask(proxy)
    assert (answer, how) == (ask_plainly(target)[0], "end")
    assert time.monotonic() - real > len(answer) * 0.001


def test_a_length_can_be_a_lie(target: Sandbox) -> None:
    whole, _ = ask_plainly(target)
    with FaultyProxy(target.url, fault=SocketFault("lying_length")) as proxy:
        answer, how = ask(proxy)
        with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
            httpx.get(proxy.url + CREDIT, timeout=5)
    body = whole.split(b"\r\n\r\n")[1]
    assert (answer.split(b"\r\n\r\n")[1], how) == (body, "end")
    assert f"content-length: {2 * len(body) + 1}".encode() in answer


def test_only_so_many_connections_meet_the_fault_and_it_can_change(target: Sandbox) -> None:
    with FaultyProxy(target.url, fault=SocketFault("reset", connections=2)) as proxy:
        assert [ask(proxy)[1] for _ in range(3)] == ["reset", "reset", "end"]
        proxy.fault = SocketFault("cut")
        assert ask(proxy) == (b"", "end")
        proxy.fault = SocketFault()
        assert ask(proxy)[0].startswith(b"HTTP/1.1 200")


def test_a_dead_target_is_a_broken_connection() -> None:
    with FaultyProxy("http://127.0.0.1:9") as proxy:
        assert ask(proxy)[0] == b""


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="http URL"):
        FaultyProxy("https://example.com")
    unknown: Any = "explode"
    with pytest.raises(ValueError, match="kind"):
        SocketFault(unknown)


def test_a_proxy_leaves_nothing_behind(target: Sandbox) -> None:
    threads = set(threading.enumerate())
    for _ in range(5):
        FaultyProxy(target.url)  # never entered
        silent = FaultyProxy(target.url, fault=SocketFault("silence"))
        with silent, contextlib.suppress(httpx.ReadTimeout):
            httpx.get(silent.url + CREDIT, timeout=0.05)
    gc.collect()  # warnings are errors
    assert set(threading.enumerate()) == threads
