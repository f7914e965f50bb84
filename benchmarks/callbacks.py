"""P13 and P14: ``python -m benchmarks.callbacks``; what it costs to receive a callback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import http.client
import json
import multiprocessing
import socket
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Rounds, Row, at_most, take_turns
from benchmarks.records import TASK_ID, kling
from kling_facade.callbacks import CallbackInbox, CallbackVerifier, asgi_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "a webhook key"
TOLERANCE = 3600.0  # seconds; a run takes longer than the five minutes of the real thing
BODY = json.dumps(
    {
        "code": 200,
        "msg": "Playground task completed successfully.",
        "data": json.loads(kling("success"))["data"],
    }
).encode()
ROUNDS, REQUESTS = 15, 300


def rows() -> list[Row]:
    """Both."""
    return [_check(), _endpoint()]


def _headers() -> dict[str, str]:
    stamp = str(int(time.time()))
    mac = hmac.new(KEY.encode(), f"{TASK_ID}.{stamp}".encode(), hashlib.sha256).digest()
    return {
        "Host": "app.example.test",
        "User-Agent": "service",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "X-Webhook-Timestamp": stamp,
        "X-Webhook-Signature": base64.b64encode(mac).decode(),
    }


def _check() -> Row:
    headers, verifier = _headers(), CallbackVerifier([KEY], tolerance=TOLERANCE)

    def inline() -> bool:
        task_id = json.loads(BODY)["data"]["taskId"]
        text = f"{task_id}.{headers['X-Webhook-Timestamp']}".encode()
        expected = base64.b64encode(hmac.new(KEY.encode(), text, hashlib.sha256).digest())
        return hmac.compare_digest(expected, headers["X-Webhook-Signature"].encode())

    assert inline()
    acts = {"ours": lambda: verifier.verify(headers, BODY), "inline": inline}
    rounds = take_turns(acts, rounds=31, times=2000)
    return at_most(
        "P13",
        "callback checked / json.loads + hmac.new",
        rounds.ratio("ours", "inline"),
        1.25,
        text=rounds.spread("ours", "inline"),
        remark="also reads six headers in any case and the clock, and refuses two ids in one body",
    )


def _endpoint() -> Row:
    costs: dict[str, list[float]] = {"ours": [], "nothing": []}
    with ExitStack() as stack:
        ports = {name: stack.enter_context(_serving(name)) for name in costs}
        for _ in range(ROUNDS):
            for name, port in ports.items():
                costs[name].append(_cost(port))
    rounds = Rounds(costs)
    return at_most(
        "P14",
        "ASGI endpoint with the check / the same server doing nothing, CPU",
        rounds.ratio("ours", "nothing"),
        1.9,
        text=rounds.spread("ours", "nothing"),
        remark="uvicorn in a process of its own, one kept connection",
    )


def _cost(port: int) -> float:
    """CPU seconds that the server spent on so many callbacks."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = _headers()

    def ask(method: str, body: bytes | None = None) -> bytes:
        connection.request(method, "/kling", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return text

    ask("POST", BODY)
    began = float(ask("GET"))
    for _ in range(REQUESTS):
        ask("POST", BODY)
    ended = float(ask("GET"))
    connection.close()
    return ended - began


@contextmanager
def _serving(name: str) -> Iterator[int]:
    # asyncio turns Nagle's delay off only where the protocol is named
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        context = multiprocessing.get_context("fork")
        process = context.Process(target=_serve, args=(name, listener), daemon=True)
        process.start()
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.join()


def _serve(name: str, listener: socket.socket) -> None:
    import uvicorn

    inbox = CallbackInbox(CallbackVerifier([KEY], tolerance=TOLERANCE))
    app = _with_clock(asgi_app(inbox) if name == "ours" else _nothing)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="none"))
    asyncio.run(server.serve([listener]))


def _with_clock(app: Callable[..., Any]) -> Callable[..., Any]:
    """A GET tells the CPU seconds of this process."""

    async def timed(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("method") == "GET":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": str(time.process_time()).encode()})
        else:
            await app(scope, receive, send)

    return timed


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body and answers 200."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


if __name__ == "__main__":
    for row in rows():
        verdict = "reached" if row.reached else "NOT reached"
        print(f"{row.number}  {row.what}: {row.figure}, goal {row.goal}, {verdict} ({row.remark})")
