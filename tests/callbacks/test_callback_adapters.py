"""Mounted anywhere, an inbox answers whatever arrives, and answers 500 only where a handler has failed."""

from __future__ import annotations

import asyncio
import io
import json
import urllib.error
import urllib.request
from collections.abc import Callable, MutableMapping
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.senders import AT, KEY, SIGNATURE, TASK, body, signed
from support.servers import asgi_server, wsgi_server

from kling_facade.callbacks import Callback, CallbackInbox, CallbackVerifier, asgi_app, wsgi_app

Pairs = list[tuple[bytes, bytes]]
Post = Callable[..., tuple[int, bytes]]
SIGNED: Pairs = [(name.lower().encode(), value.encode()) for name, value in signed().headers.items()]


def inbox(handler: Callable[[Callback], object] | None = None) -> CallbackInbox:
    return CallbackInbox(CallbackVerifier(KEY, clock=lambda: AT), url="https://a.test/k", handler=handler)


def through_asgi(
    receiver: CallbackInbox,
    content: bytes,
    headers: Pairs = SIGNED,
    query: bytes = b"",
    method: str = "POST",
    chunk: int = 65_536,
) -> tuple[int, bytes]:
    sent: list[MutableMapping[str, Any]] = []
    parts = [content[at : at + chunk] for at in range(0, len(content), chunk)] or [b""]
    reading = iter(enumerate(parts, start=1))

    async def receive() -> dict[str, Any]:
        number, part = next(reading)
        return {"type": "http.request", "body": part, "more_body": number < len(parts)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "headers": headers, "query_string": query, "path": "/k"}
    asyncio.run(asgi_app(receiver)(scope, receive, send))
    start, rest = sent
    assert dict(start["headers"])[b"content-length"] == str(len(rest["body"])).encode()
    return start["status"], rest["body"]


def through_wsgi(
    receiver: CallbackInbox,
    content: bytes,
    headers: Pairs = SIGNED,
    query: bytes = b"",
    method: str = "POST",
    more: dict[str, Any] | None = None,
) -> tuple[int, bytes]:
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": query.decode("latin-1")}
    environ |= {"CONTENT_LENGTH": str(len(content)), "wsgi.input": io.BytesIO(content)}
    for name, value in headers:  # as servers do with a header that comes twice
        known, text = f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}", value.decode("latin-1")
        environ[known] = f"{environ[known]},{text}" if known in environ else text
    environ |= more or {}
    setup_testing_defaults(environ)
    answered: list[str] = []

    def start_response(status: str, _headers: object, _problem: object = None) -> Callable[[bytes], object]:
        answered.append(status)
        return io.BytesIO().write

    content = b"".join(wsgi_app(receiver)(environ, start_response))
    return int(answered[0].split()[0]), content


@pytest.fixture(params=[through_asgi, through_wsgi], ids=["asgi", "wsgi"])
def post(request: pytest.FixtureRequest) -> Post:
    chosen: Post = request.param
    return chosen


def test_a_callback_comes_through(post: Post) -> None:
    handled: list[Callback] = []
    receiver = inbox(handled.append)
    assert post(receiver, body()) == (200, b"ok")
    assert post(receiver, body()) == (200, b"ok")
    assert [callback.task_id for callback in handled] == [TASK]


def test_a_mark_in_the_query_comes_through(post: Post) -> None:
    receiver = inbox()
    query = (receiver.callback_url("s1") or "").partition("?")[2].encode()
    assert post(receiver, body(), [], query) == (200, b"ok")
    assert post(receiver, body(), [], query[:-1])[0] == 401


def test_only_post_is_answered_with_anything_but_405(post: Post) -> None:
    for method in ("GET", "HEAD", "PUT", "post", "²"):
        assert post(inbox(), body(), method=method)[0] == 405


def test_a_handler_that_fails_is_the_only_way_to_500(post: Post) -> None:
    def fail(_callback: Callback) -> None:
        raise ValueError("secret of the application")

    status, text = post(inbox(fail), body())
    assert status == 500
    assert b"secret" not in text


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ([], body(), 401),
        (SIGNED, b"\xff\xfe", 400),
        (SIGNED, b"[" * 100_000, 400),
        (SIGNED, b"x" * 10_000_000, 413),
        (SIGNED, b"", 400),
        ([(b"x-webhook-signature", b"\xe9" * 44), SIGNED[0]], body(), 401),
        ([(b"x-webhook-signature", b"x" * 1_000_000), SIGNED[0]], body(), 401),
        ([(b"x-webhook-timestamp", b"\0"), SIGNED[1]], body(), 400),
    ],
)
def test_what_is_hostile_is_refused(post: Post, headers: Pairs, content: bytes, status: int) -> None:
    assert post(inbox(), content, headers)[0] == status


def test_a_header_that_comes_twice_is_refused(post: Post) -> None:
    assert 400 <= post(inbox(), body(), [*SIGNED, SIGNED[1]])[0] < 500


anything = st.binary() | st.sampled_from([str(AT).encode(), SIGNATURE.encode(), "²".encode(), b"\0"])
header_names = st.sampled_from([b"x-webhook-timestamp", b"x-webhook-signature", b"X-Other"]) | st.binary()


@given(st.lists(st.tuples(header_names, anything)), anything | st.just(body()), anything)
def test_whatever_arrives_is_answered_with_4xx(headers: Pairs, content: bytes, query: bytes) -> None:
    for through in (through_asgi, through_wsgi):
        status, _ = through(inbox(), content, headers, query)
        assert 400 <= status < 500 or (status == 200 and SIGNATURE.encode() in dict(headers).values())


def test_no_more_than_the_limit_is_read() -> None:
    read: list[int] = []

    class Endless(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            assert size >= 0
            read.append(size)
            return b"x" * size

    status, _ = through_wsgi(inbox(), b"", more={"CONTENT_LENGTH": str(10**11), "wsgi.input": Endless()})
    assert status == 413
    assert sum(read) <= 1024**2 + 1

    async def main() -> None:
        received = 0
        answers: list[Any] = []

        async def receive() -> dict[str, Any]:
            nonlocal received
            received += 1
            return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

        async def send(message: MutableMapping[str, Any]) -> None:
            answers.append(message)

        scope = {"type": "http", "method": "POST", "headers": SIGNED, "query_string": b""}
        await asgi_app(inbox())(scope, receive, send)
        assert answers[0]["status"] == 413
        assert received == 17

    asyncio.run(main())


@pytest.mark.parametrize("length", ["²", "-1", "1e3", "9" * 400, "abc", "1,1"])
def test_a_content_length_that_is_no_number_is_refused(length: str) -> None:
    assert through_wsgi(inbox(), body(), more={"CONTENT_LENGTH": length})[0] == 400


def test_a_body_of_unknown_length_is_read_only_where_the_server_ends_it() -> None:
    unknown = {"CONTENT_LENGTH": ""}
    assert through_wsgi(inbox(), body(), more=unknown)[0] == 411
    assert through_wsgi(inbox(), body(), more=unknown | {"wsgi.input_terminated": True})[0] == 200


def test_a_body_that_breaks_off_is_refused() -> None:
    class Broken(io.RawIOBase):
        def read(self, _size: int = -1, /) -> bytes:
            raise ConnectionResetError

    assert through_wsgi(inbox(), body(), more={"wsgi.input": Broken()})[0] == 400


@pytest.mark.parametrize("gone", [False, True])
def test_a_sender_that_has_gone_is_refused_in_case_somebody_listens(gone: bool) -> None:
    sent: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if gone:
            raise ConnectionResetError  # as some servers do then
        sent.append(message.get("status", 0))

    scope = {"type": "http", "method": "POST", "headers": SIGNED, "query_string": b""}
    asyncio.run(asgi_app(inbox())(scope, receive, send))
    assert sent == ([] if gone else [400, 0])


def test_standing_alone_it_starts_and_stops_and_takes_no_websocket() -> None:
    async def main() -> None:
        sent: list[str] = []
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, Any]:
            return {"type": next(messages)}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message["type"])

        app = asgi_app(inbox())
        await app({"type": "lifespan"}, receive, send)
        await app({"type": "websocket"}, receive, send)
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]

    asyncio.run(main())


# Real servers


def real_post(url: str, content: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, content, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code


def check_over_http(url: str, handled: list[Callback]) -> None:
    headers = dict(signed().headers)
    assert real_post(f"{url}?u=7", body(), headers) == 200
    assert real_post(url, body(), headers) == 200
    assert real_post(url, body(), {}) == 401
    assert real_post(url, json.dumps({"taskId": "x"}).encode(), headers) == 401
    assert [callback.task_id for callback in handled] == [TASK]


def test_it_stands_behind_a_real_wsgi_server() -> None:
    handled: list[Callback] = []
    with wsgi_server(wsgi_app(inbox(handled.append))) as url:
        check_over_http(url, handled)


def test_it_stands_behind_a_real_asgi_server() -> None:
    handled: list[Callback] = []

    async def handle(callback: Callback) -> None:
        handled.append(callback)

    with asgi_server(asgi_app(inbox(handle))) as url:
        check_over_http(url, handled)


def test_it_mounts_in_starlette() -> None:
    routing = pytest.importorskip("starlette.routing")
    applications = pytest.importorskip("starlette.applications")
    handled: list[Callback] = []
    mount = routing.Mount("/kling", app=asgi_app(inbox(handled.append)))
    with asgi_server(applications.Starlette(routes=[mount])) as url:
        check_over_http(f"{url}/kling/", handled)


def test_it_mounts_in_flask() -> None:
    flask = pytest.importorskip("flask", reason="flask is not installed, so nothing was mounted in it")
    middleware = pytest.importorskip("werkzeug.middleware.dispatcher")
    handled: list[Callback] = []
    app = flask.Flask("app")
    app.wsgi_app = middleware.DispatcherMiddleware(app.wsgi_app, {"/kling": wsgi_app(inbox(handled.append))})
    with wsgi_server(app) as url:
        check_over_http(f"{url}/kling", handled)


def test_the_headers_of_frameworks_are_taken_as_they_are() -> None:
    werkzeug = pytest.importorskip("werkzeug.datastructures", reason="werkzeug is not installed")
    starlette = pytest.importorskip("starlette.datastructures", reason="starlette is not installed")
    for headers in (werkzeug.Headers(signed().headers), starlette.Headers(dict(signed().headers))):
        assert inbox().receive(headers, body()).status == 200
    twice = starlette.Headers(raw=[*SIGNED, SIGNED[1]])
    assert inbox().receive(twice, body()).status == 400
