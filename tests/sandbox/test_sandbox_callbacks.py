"""Callbacks: genuine, repeated, lost, out of order, forged."""

from __future__ import annotations

import asyncio
import base64
import hmac
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from kling_facade.sandbox import Delivery, Sandbox
from kling_facade.sandbox.callbacks import sign

KEY = "test-webhook-hmac-key"
Make = Callable[..., Any]


class Receiver(http.server.ThreadingHTTPServer):
    """Somebody who is called back."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.delay = 0.0
        self.url = f"http://127.0.0.1:{self.server_port}/hook?kf=1"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        time.sleep(server.delay)
        self.send_response(server.answers.pop(0) if server.answers else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def create(api: Any, url: str) -> str:
    body = api.request_for() | {"callBackUrl": url}
    return str(api.post("/api/v1/jobs/createTask", json=body).json()["data"]["taskId"])


@pytest.mark.parametrize(
    ("task_id", "timestamp", "signature"),
    [
        (
            "ee9c2715375b7837f8bb51d641ff5863",
            1769670760,
            "xG6/yOyrMyJtUdc1yjmHpKLHSHF3MpzOPa6uxSj3qb4=",
        ),
        (
            "task_kling-2.6_1765182405025",
            1765182465,
            "E8OYzyWnrna8zFexUX06xYkd4QB/RiVau1qhGKyEe3s=",
        ),
    ],
)
def test_signatures_are_the_known_ones(task_id: str, timestamp: int, signature: str) -> None:
    assert sign(KEY, task_id, timestamp) == signature


def test_a_callback_comes_when_the_task_ends_though_nobody_polls(
    connect_to: Make, receiver: Receiver
) -> None:
    with Sandbox(webhook_key=KEY) as sandbox, connect_to(sandbox) as api:
        task_id = create(api, receiver.url)
        sandbox.clock.sleep(20)
        assert receiver.got == []
        sandbox.clock.sleep(600)
        [(headers, body)] = receiver.got
        [delivery] = sandbox.deliveries
        record = api.record(task_id)
    assert (delivery.status, delivery.attempt, delivery.forged) == (200, 1, None)
    assert delivery.body == body
    assert abs(delivery.at - sandbox_end(record, delivery)) < 1
    timestamp = headers["x-webhook-timestamp"]
    assert abs(int(timestamp) - time.time()) < 30
    digest = hmac.digest(KEY.encode(), f"{task_id}.{timestamp}".encode(), "sha256")
    assert headers["x-webhook-signature"] == base64.b64encode(digest).decode()
    said = json.loads(body)
    assert (said["code"], said["msg"]) == (200, "Playground task completed successfully.")
    data = said["data"]
    assert data == {name: record[name] for name in data}
    assert {"creditsConsumed", "failCode", "param"} <= data.keys()


def sandbox_end(record: dict[str, Any], delivery: Delivery) -> float:
    """When the task ended, on the sandbox's clock: it was created within the first second of it."""
    assert delivery.task_id == record["taskId"]
    return float(record["completeTime"] - record["createTime"]) / 1000


def test_a_jump_of_the_clock_sends_the_callback_too(connect_to: Make, receiver: Receiver) -> None:
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        create(api, receiver.url)
        sandbox.clock.advance(600)
        until = time.monotonic() + 5
        while not sandbox.deliveries and time.monotonic() < until:
            time.sleep(0.002)
        [(headers, _)] = receiver.got
    assert "x-webhook-signature" not in headers  # no key, no signature


def test_a_failure_is_501_without_times(connect_to: Make, receiver: Receiver) -> None:
    with Sandbox(scenario="moderated") as sandbox, connect_to(sandbox) as api:
        create(api, receiver.url)
        sandbox.clock.sleep(600)
    said = json.loads(receiver.got[0][1])
    assert (said["code"], said["msg"], said["data"]["state"]) == (501, "Playground task failed.", "fail")
    assert not {"resultJson", "completeTime", "costTime"} & said["data"].keys()


def test_an_answer_that_is_not_2xx_brings_three_retries(connect_to: Make, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 404, 503, 200]
    with Sandbox(webhook_key=KEY) as sandbox, connect_to(sandbox) as api:
        create(api, receiver.url)
        sandbox.clock.sleep(1200)
        deliveries = sandbox.deliveries
    assert [(one.attempt, one.status) for one in deliveries] == [(1, 500), (2, 302), (3, 404), (4, 503)]
    pauses = [round(later.at - one.at) for one, later in pairwise(deliveries)]
    assert pauses == [10, 30, 60]


def test_a_retry_that_is_answered_is_the_last(connect_to: Make, receiver: Receiver) -> None:
    receiver.answers = [500, 204]
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        create(api, receiver.url)
        sandbox.clock.sleep(1200)
    assert [one.status for one in sandbox.deliveries] == [500, 204]  # still there after the end


def test_nobody_answering_is_recorded(
    connect_to: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_facade.sandbox.callbacks.TURNED_PATIENCE", 0.05)
    monkeypatch.setattr("kling_facade.sandbox.callbacks.RETRIES", ())
    receiver.delay = 0.3
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        create(api, receiver.url)
        create(api, "http://127.0.0.1:9/")
        sandbox.clock.sleep(600)
        problems = sorted(one.problem for one in sandbox.deliveries)
    assert problems[0].startswith("ConnectionRefusedError")
    assert problems[1] == "no answer within 0.05 s"


@pytest.mark.parametrize(
    "url", ["http://example.com/hook", "http://10.0.0.1/", "ftp://127.0.0.1/", "http://["]
)
def test_nobody_but_loopback_is_called(connect_to: Make, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_facade.sandbox.callbacks.RETRIES", ())
    asked: list[object] = []
    monkeypatch.setattr("asyncio.open_connection", lambda *args, **options: asked.append(args))
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        create(api, url)
        sandbox.clock.sleep(600)
        [delivery] = sandbox.deliveries
    assert delivery.status is None
    assert delivery.problem
    assert asked == []


def test_a_private_host_is_called_only_by_name(
    connect_to: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_facade.sandbox.callbacks.RETRIES", ())
    url = receiver.url.replace("127.0.0.1", "app.test")
    connect = asyncio.open_connection

    async def resolve(_host: str, port: int, **options: Any) -> Any:
        return await connect("127.0.0.1", port, **options)

    class Private:
        is_loopback, is_global = False, False

    monkeypatch.setattr("asyncio.open_connection", resolve)
    monkeypatch.setattr("ipaddress.ip_address", lambda _text: Private())
    for allow, status in ((["app.test"], 200), (True, None), (["other.test"], None)):
        with Sandbox(allow_fetch=allow) as sandbox, connect_to(sandbox) as api:
            create(api, url)
            sandbox.clock.sleep(600)
            assert sandbox.deliveries[0].status == status


def test_callbacks_can_be_lost_doubled_and_out_of_order(connect_to: Make, receiver: Receiver) -> None:
    with Sandbox(scenario="lost_callbacks") as sandbox, connect_to(sandbox) as api:
        create(api, receiver.url)
        sandbox.clock.sleep(600)
        assert sandbox.deliveries == []
        sandbox.use("ordinary", quirks=["callbacks_twice"])
        create(api, receiver.url)
        sandbox.clock.sleep(600)
        assert len({one.body for one in sandbox.deliveries}) == 1
        assert len(sandbox.deliveries) == 2
        sandbox.use(quirks=["callbacks_late"])
        ids = [create(api, receiver.url) for _ in range(8)]
        ends = sorted(ids, key=lambda task_id: sandbox.tasks[task_id].ends)
        sandbox.clock.sleep(600)
        came = [one.task_id for one in sandbox.deliveries[2:]]
    assert sorted(came) == sorted(ids)
    assert came != ends


@pytest.mark.parametrize("forged", ["unsigned", "wrong_key", "other_body", "other_task", "stale"])
def test_forgeries_come_to_order(connect_to: Make, receiver: Receiver, forged: Any) -> None:
    with Sandbox(webhook_key=KEY, scenario="moderated") as sandbox, connect_to(sandbox) as api:
        task_id = create(api, receiver.url)
        sandbox.clock.advance(600)
        delivery = sandbox.send_callback(task_id, forged=forged)
    assert (delivery.status, delivery.forged) == (200, forged)
    headers = delivery.headers
    stamp = int(headers.get("x-webhook-timestamp", "0"))
    genuine = bool(stamp) and headers["x-webhook-signature"] == sign(KEY, task_id, stamp)
    assert genuine == (forged in ("other_body", "stale"))
    assert (abs(stamp - time.time()) < 60) == (forged not in ("unsigned", "stale"))
    assert (json.loads(delivery.body)["data"]["state"] == "success") == (forged == "other_body")


def test_a_callback_can_be_sent_again_and_elsewhere(connect_to: Make, receiver: Receiver) -> None:
    with Sandbox(webhook_key=KEY) as sandbox, connect_to(sandbox) as api:
        task_id = api.create()
        sandbox.clock.advance(600)
        again = [sandbox.send_callback(task_id, url=receiver.url) for _ in range(2)]
        with pytest.raises(KeyError):
            sandbox.send_callback("0" * 32, url=receiver.url)
    assert [one.status for one in again] == [200, 200]
    assert again[0].body == again[1].body


def test_a_callback_may_ask_the_sandbox_before_it_answers(connect_to: Make, receiver: Receiver) -> None:
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        seen: list[str] = []
        task_id = create(api, receiver.url)
        receiver.got = Asking(lambda: seen.append(api.record(task_id)["state"]))
        sandbox.clock.sleep(600)
    assert seen == ["success"]


class Asking(list[Any]):
    def __init__(self, ask: Callable[[], None]) -> None:
        super().__init__()
        self._ask = ask

    def append(self, _got: Any) -> None:
        self._ask()
