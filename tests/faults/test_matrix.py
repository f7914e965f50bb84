"""Every fault of the wire, for every call: nothing is bought twice, and the error says so."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import trustme
from attrs import frozen
from support import faulty
from support.faulty import Act, FaultyApikley, answer, cuts, drips, says, success
from support.rawserver import wait_for

from kling_facade import errors

IMAGE = "https://a.test/1.jpg"
Error = type[errors.KlingError]


def patience(name: str) -> float:
    """Seconds of one call; short only where the fault is that they pass."""
    return 0.25 if name in ("read timeout", "dripped headers") else 10.0


@frozen
class Fault:
    """What goes wrong, and what the library has to make of it.

    Attributes:
        act: how the service answers the call; None where the fault is on the way to it.
        create: the error of a create; None where it succeeds.
        query: the same of a question.
        read: creates that arrive whole.
        refuses: whether the service refuses before any work, so that none of them is a video.
        doubles: whether a client that tries again, whatever happened, buys more than one.
    """

    act: Act | None
    create: Error | None
    query: Error | None
    read: int = 1
    refuses: bool = False
    doubles: bool = True


def said(code: int, text: str = "words") -> Act:
    """The service's own no, in HTTP 200."""
    return says(answer(body={"code": code, "msg": text, "data": None}))


def page(status: int, **headers: str) -> Act:
    """A gateway's page."""
    return says(answer(status, b"<html>Oh</html>", {"Content-Type": "text/html", **headers}))


def uncertain(act: Act, query: Error) -> Fault:
    return Fault(act, errors.SubmissionUncertainError, query)


def refused(act: Act, error: Error, *, query: Error | None = None, read: int = 1) -> Fault:
    return Fault(act, error, query or error, read=read, refuses=True, doubles=False)


def unreached(create: Error) -> Fault:
    return Fault(None, create, errors.ConnectionFailedError, read=0, doubles=False)


UNREACHED, UNREADABLE = errors.ConnectionFailedError, errors.UnexpectedResponseError
LIMITED, CLOSED = errors.RateLimitedError, errors.MaintenanceError
OUTAGE, REJECTED = errors.ServerError, errors.RequestRejectedError
JSON = b'{"code":200,"data":{"taskId":"t1","state":"waiting"}}'
BLANK = "generate playground failed, task id is blank"
AGAIN = "/api/v1/jobs/createTask?again"

ANSWERED = {
    "disconnect after the body": uncertain(faulty.hangs_up, UNREACHED),
    "reset after the body": uncertain(faulty.resets, UNREACHED),
    "read timeout": uncertain(faulty.is_silent, UNREACHED),
    "dripped headers": uncertain(drips(0.2), UNREACHED),
    "500": uncertain(page(500), OUTAGE),
    "502": uncertain(page(502), OUTAGE),
    "520": uncertain(page(520), OUTAGE),
    "HTML": uncertain(page(200), UNREADABLE),
    "truncated JSON": uncertain(says(answer(200, JSON[:30])), UNREADABLE),
    "truncated answer": uncertain(cuts(answer(200, JSON[:30], length=100)), UNREACHED),
    "empty": uncertain(says(answer(200)), UNREADABLE),
    "302": uncertain(page(302, Location=AGAIN), UNREADABLE),
    "307": uncertain(page(307, Location=AGAIN), UNREADABLE),
    "code 500": uncertain(said(500, "Server exception, please try again later"), OUTAGE),
    "code 429": refused(said(429), LIMITED, read=5),
    "code 430": refused(said(430), LIMITED, read=5),
    "code 455": refused(said(455), CLOSED, read=5),
    "validation under 500": refused(said(500, "This field is required"), REJECTED),
    "task id is blank": refused(said(422, BLANK), OUTAGE, query=REJECTED),
}
ON_THE_WAY = {
    "connection refused": unreached(UNREACHED),
    "TLS failure": unreached(UNREACHED),
    "certificate error": unreached(UNREACHED),
    "disconnect before the request is read": unreached(errors.SubmissionUncertainError),
    "reset of an idle kept connection": Fault(None, None, None, doubles=False),
}
FAULTS = {**ANSWERED, **ON_THE_WAY}


def greets_with_garbage(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n" * 20)
    raise faulty.HangupError


def hangs_up_at_once(connection: socket.socket) -> None:
    raise faulty.HangupError


@pytest.fixture(scope="module")
def untrusted() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    return context


class KeptConnection:
    """The look after which the connection stays open, until it is let go with a reset."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def act(self, connection: socket.socket, closing: threading.Event) -> None:
        connection.sendall(success("https://a.test/1.mp4"))
        assert self.let_go.wait(5)
        faulty.reset(connection)


@contextlib.contextmanager
def service(name: str, fault: Fault, untrusted: ssl.SSLContext) -> Iterator[FaultyApikley]:
    """The service behind that fault, whichever call is made."""
    greet: Callable[[socket.socket], None] | None = {
        "TLS failure": greets_with_garbage,
        "disconnect before the request is read": hangs_up_at_once,
    }.get(name)
    tls = untrusted if name in ("certificate error", "TLS failure") else None
    with FaultyApikley(
        create=fault.act, look=fault.act, refuses=fault.refuses, greet=greet, tls=tls
    ) as server:
        if name == "connection refused":
            server.refuse()
        yield server


def warm_up(kling: Any, server: FaultyApikley) -> None:
    """Leaves an idle connection, and resets it."""
    kept = KeptConnection()
    server.acts["recordInfo"] = kept.act
    kling.task("t0").status()
    server.acts["recordInfo"] = says(success("https://a.test/1.mp4"))
    kept.let_go.set()
    wait_for(lambda: server.busy == 0)


CREATING: dict[str, Callable[[Any], object]] = {
    "submit": lambda kling: kling.submit(IMAGE, "p"),
    "generate": lambda kling: kling.generate(IMAGE, "p", timeout=120),
}


def outcome(act: Callable[[Any], object], kling: Any) -> errors.KlingError | None:
    try:
        act(kling)
    except errors.KlingError as error:
        return error
    return None


def check_money(error: errors.KlingError) -> None:
    """No more and no less than is known."""
    if isinstance(error, errors.SubmissionUncertainError):
        assert "may have been accepted and paid for, so it is not sent again" in str(error)
        assert error.submission_id in str(error)
        assert not hasattr(error, "charged")
        return
    assert isinstance(error, errors.ApiError | errors.ConnectionFailedError)
    assert error.charged is False
    assert "Nothing was charged." in str(error) or "Nothing was sent or charged." in str(error)


@pytest.mark.parametrize("call", CREATING)
@pytest.mark.parametrize("name", FAULTS)
def test_a_create_is_accepted_at_most_once(
    connect: Any, untrusted: ssl.SSLContext, name: str, call: str
) -> None:
    fault = FAULTS[name]
    with service(name, fault, untrusted) as server:
        kling = connect(server.url, timeout=patience(name))
        if fault.create is None:
            warm_up(kling, server)
        error = outcome(CREATING[call], kling)
        assert type(error) is (fault.create or type(None))
        if error is not None:
            check_money(error)
        assert server.read == fault.read
        assert server.sold == (0 if fault.refuses else fault.read) <= 1


@pytest.mark.parametrize("name", FAULTS)
def test_a_question_has_the_named_error_and_buys_nothing(
    connect: Any, untrusted: ssl.SSLContext, name: str
) -> None:
    fault = FAULTS[name]
    with service(name, fault, untrusted) as server:
        kling = connect(server.url, timeout=patience(name))
        if fault.query is None:
            warm_up(kling, server)
        error = outcome(lambda kling: kling.task("t1").status(), kling)
        assert type(error) is (fault.query or type(None))
        if error is not None:
            assert any(words in str(error) for words in ("Asking costs nothing", "Nothing was"))
        assert server.read == 0


@pytest.mark.parametrize("name", ANSWERED)
def test_a_fault_of_the_looks_never_touches_what_was_bought(connect: Any, name: str) -> None:
    fault = ANSWERED[name]
    with FaultyApikley(look=fault.act) as server:
        kling = connect(server.url, timeout=patience(name))
        error = outcome(lambda kling: kling.generate(IMAGE, "p", timeout=20), kling)
        assert error is not None
        assert error.task_id == "t1"
        assert (server.read, server.sold) == (1, 1)
        if fault.query is REJECTED:
            assert (type(error), server.looks()) == (REJECTED, 1)
        else:
            assert type(error) is errors.WaitTimeoutError
            assert server.looks() > 1
            assert "is paid for: do not submit again" in str(error)


@pytest.mark.parametrize("name", ["connection refused", "disconnect before the request is read"])
def test_a_service_that_goes_away_after_the_create_leaves_one_task_and_its_id(
    connect: Any, name: str
) -> None:
    gone = threading.Event()

    def greet(connection: socket.socket) -> None:
        if gone.is_set():
            raise faulty.HangupError

    with FaultyApikley(greet=greet) as server:

        def create(connection: socket.socket, closing: threading.Event) -> None:
            gone.set()
            if name == "connection refused":
                server.refuse()
            connection.sendall(faulty.CREATED)

        server.acts["createTask"] = create
        error = outcome(lambda kling: kling.generate(IMAGE, "p", timeout=20), connect(server.url))
        assert isinstance(error, errors.WaitTimeoutError)
        assert (error.task_id, server.sold, server.looks()) == ("t1", 1, 0)


def buy_naively(url: str) -> None:
    """What most clients do: three times, whatever happens."""
    body = {"model": "kling-2.6/image-to-video", "input": {"prompt": "p"}}
    with httpx.Client(timeout=0.1, follow_redirects=True) as client:
        for _ in range(3):
            with contextlib.suppress(httpx.HTTPError, ValueError, KeyError, TypeError):
                reply = client.post(f"{url}/api/v1/jobs/createTask", json=body)
                if reply.json()["data"]["taskId"]:
                    return


@pytest.mark.parametrize("name", FAULTS)
def test_the_harness_sees_what_a_naive_client_buys_twice(untrusted: ssl.SSLContext, name: str) -> None:
    """The negative control of this module."""
    fault = FAULTS[name]
    with service(name, fault, untrusted) as server:
        buy_naively(server.url)
        assert (server.sold > 1) is fault.doubles


def test_the_table_above_is_complete() -> None:
    """At most one video in every cell, and a control that doubles wherever a video may have been sold."""
    assert len(FAULTS) == 24
    for fault in ANSWERED.values():
        assert fault.doubles is not fault.refuses
