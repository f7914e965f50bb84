"""Whatever bytes arrive, only ``KlingError`` leaves, in time."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import trustme
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.fakes import FakeClock
from support.rawserver import RawServer, http

from kling_facade import errors
from kling_facade.clock import RealClock

CALLS: list[Callable[[Any], object]] = [
    lambda kling: kling.submit("https://a.test/1.jpg", "p"),
    lambda kling: kling.task("t1").status(),
    lambda kling: kling.task("t1").wait(timeout=60),
    lambda kling: kling.credits(),
    lambda kling: kling.upload(b"\xff\xd8\xff picture"),
]
LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 520 \r\n",
        b"HTTP/1.1 302 Found\r\nLocation: //[\r\n",
        b"HTTP/9 999 \xff\r\n",
    ]
)
HEADERS = st.sampled_from(
    [
        b"",
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Set-Cookie: \xff=\x00\r\n",
        b"Retry-After: \xb2\r\n",
        b": \r\n",
    ]
)
ANSWERS = st.binary(max_size=200) | st.builds(
    lambda line, header, body: line + header + b"\r\n" + body, LINES, HEADERS, st.binary(max_size=100)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=ANSWERS)
@example(answer=http(b"[" * 200_000))
@example(answer=http(b'{"code":' + b"9" * 5000 + b"}"))
@example(answer=http(b'{"code":200,"data":{"taskId":"t1"', status=200))
@example(answer=http(b"", status=204))
@example(answer=b"")
def test_any_bytes_let_only_kling_errors_out(connect: Any, answer: bytes) -> None:
    with RawServer(answer) as server:
        kling = connect(server.url, timeout=5.0)
        for call in CALLS:
            with contextlib.suppress(errors.KlingError):
                call(kling)
        creates = [request for request in server.requests if b"createTask" in request]
        assert len(creates) <= 1 or b" 429" in answer


def test_an_endless_answer_is_not_read_to_its_end(connect: Any) -> None:
    def pour(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with RawServer(pour) as server, pytest.raises(errors.SubmissionUncertainError, match="4,194,304"):
        connect(server.url).submit("https://a.test/1.jpg", "p")


@pytest.mark.parametrize("behaviour", ["silent", "dripping"])
def test_wait_ends_at_its_deadline_whatever_the_server_does(connect: Any, behaviour: str) -> None:
    with RawServer(b"") as server:
        server.behaviour = getattr(server, behaviour)
        kling = connect(server.url, clock=RealClock())
        began = time.monotonic()
        with pytest.raises(errors.WaitTimeoutError, match="t1"):
            kling.task("t1").wait(timeout=0.4)
        assert 0.39 < time.monotonic() - began < 0.7


@pytest.mark.parametrize("behaviour", ["silent", "dripping"])
def test_a_create_without_an_answer_is_uncertain_after_the_timeout(connect: Any, behaviour: str) -> None:
    with RawServer(b"") as server:
        server.behaviour = getattr(server, behaviour)
        kling = connect(server.url, timeout=0.3)
        with pytest.raises(errors.SubmissionUncertainError, match=r"never|not sent again"):
            kling.submit("https://a.test/1.jpg", "p")
        assert len(server.requests) == 1


def test_a_refused_connection_means_that_nothing_was_bought(connect: Any) -> None:
    with RawServer(b"") as server:
        url = server.url
    clock = FakeClock()
    with pytest.raises(errors.ConnectionFailedError, match="Nothing was sent"):
        connect(url, clock=clock).submit("https://a.test/1.jpg", "p")
    assert len(clock.sleeps) == 3


def test_an_untrusted_certificate_is_final_and_costs_nothing(connect: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    handshakes = []

    def shake_hands(connection: Any) -> None:
        handshakes.append(1)
        with contextlib.suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()

    with TlsServer(shake_hands) as server:
        clock = FakeClock()
        with pytest.raises(errors.ConnectionFailedError, match="certificate"):
            connect(server.url.replace("http://127.0.0.1", "https://localhost"), clock=clock).submit(
                "https://a.test/1.jpg", "p"
            )
    assert handshakes == [1]
    assert clock.sleeps == []


class TlsServer(RawServer):
    """Hands the connection over before anything is read."""

    def _serve(self, connection: Any) -> None:
        with connection:
            assert callable(self.behaviour)
            self.behaviour(connection)


def test_an_answer_that_echoes_the_key_does_not_show_it(connect: Any) -> None:
    body = b'{"code": 401, "msg": "wrong key canary-key-123"}'
    with RawServer(http(body)) as server:
        with pytest.raises(errors.AuthenticationError) as caught:
            connect(server.url, api_key="canary-key-123").credits()
        assert "canary-key-123" not in f"{caught.value} {caught.value.message}"
    with RawServer(http(b"<html> canary-key-123", headers=b"")) as server:
        with pytest.raises(errors.UnexpectedResponseError) as unread:
            connect(server.url, api_key="canary-key-123").credits()
        assert b"canary-key-123" not in unread.value.excerpt


def test_no_redirect_is_followed_with_the_key(connect: Any) -> None:
    with RawServer(http(b'{"code":200,"data":1}')) as elsewhere:
        redirect = b"HTTP/1.1 307 Moved\r\nLocation: %b/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        with RawServer(redirect % elsewhere.url.encode()) as server:
            kling = connect(server.url)
            with pytest.raises(errors.SubmissionUncertainError):
                kling.submit("https://a.test/1.jpg", "p")
            with pytest.raises(errors.UnexpectedResponseError):
                kling.credits()
        assert elsewhere.requests == []


def test_creates_never_use_a_kept_connection(connect: Any) -> None:
    """An idle connection that died would make "you may have paid" out of nothing."""
    connections: list[int] = []
    lock = threading.Lock()

    def serve(connection: Any) -> None:
        with lock:
            connections.append(1)
        answer = b'{"code":200,"data":{"taskId":"t1","state":"waiting"}}'
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer)
        connection.sendall(reply)
        while connection.recv(65536):
            connection.sendall(reply)

    with RawServer(serve) as server:
        kling = connect(server.url)
        for _ in range(3):
            kling.task("t1").status()
        assert len(connections) == 1
        for _ in range(3):
            kling.submit("https://a.test/1.jpg", "p")
        assert len(connections) == 4
        kling.close()
