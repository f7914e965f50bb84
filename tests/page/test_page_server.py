"""What the server behind the page promises, asked without a browser."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import kling_facade.sandbox
from kling_facade.sandbox import Sandbox
from kling_facade.sandbox.requests import MOST_OF_AN_ANSWER, RecordedRequest, Recorder

PAGE = Path(kling_facade.sandbox.__file__).parent / "page"
Connect = Callable[[Sandbox], Any]


# Who may


@pytest.mark.parametrize("path", ["/", "/page/options", "/page/events", "/page/files/main.js"])
def test_a_name_given_to_this_machine_by_others_shows_nothing(page: Any, path: str) -> None:
    answer = page.get(path, headers={"host": "rebound.example:80"})
    assert answer.status_code == 403
    assert "rebound.example" in answer.json()["error"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2:99", "[::1]:80"])
def test_this_machine_may_be_called_by_any_name_of_its_own(page: Any, host: str) -> None:
    assert page.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"host": "rebound.example", "origin": "http://rebound.example"},
    ],
)
def test_other_origins_change_nothing(local: Sandbox, page: Any, headers: dict[str, str]) -> None:
    answer = page.post("/page/acts/credits", json={"credits": 1}, headers=headers)
    assert answer.status_code == 403
    assert "error" in answer.json()
    assert local.credits == 10_000


def test_the_page_itself_may(local: Sandbox, page: Any) -> None:
    own = {"origin": local.url, "sec-fetch-site": "same-origin"}
    assert page.post("/page/acts/credits", json={"credits": 1}, headers=own).status_code == 200
    assert local.credits == 1


def test_nothing_but_its_own_files_may_run_in_the_page(page: Any) -> None:
    policy = page.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", ["..%2fviews.py", "views.py", "nothing.js", "%2e%2e/app.py", "."])
def test_only_the_files_of_the_page_are_served(page: Any, name: str) -> None:
    assert page.get(f"/page/files/{name}").status_code == 404


def test_the_files_ask_for_nothing_from_outside_and_are_served_as_what_they_are(page: Any) -> None:
    types = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    for path in PAGE.iterdir():
        text = path.read_text()
        assert page.get(f"/page/files/{path.name}").headers["content-type"].startswith(types[path.suffix])
        assert not re.findall(r"""(?:src|href|url|from|import)\s*[=(]?\s*["']?(?:https?:)?//""", text), path
        assert not re.search(r"(inner|outer)HTML\s*[=+]|insertAdjacentHTML|document\.write", text), path
        assert len(text.splitlines()) < 300


# What it must not disturb


def test_looking_is_neither_recorded_nor_counted(local: Sandbox, page: Any) -> None:
    for _ in range(30):
        assert page.get("/").status_code == 200
        assert page.get("/page/options").status_code == 200
    page.look()
    page.act("advance", seconds=1)
    assert local.requests == []
    with httpx.Client(base_url=local.url, headers={"Authorization": "Bearer sandbox-key"}) as api:
        assert api.get("/api/v1/jobs/recordInfo", params={"taskId": "x"}).json()["code"] == 422


def test_somebody_looking_keeps_no_clock_from_turning_and_no_sandbox_from_ending() -> None:
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        page = stack.enter_context(httpx.Client(base_url=sandbox.url))
        streams = [stack.enter_context(page.stream("GET", "/page/events")).iter_raw() for _ in range(3)]
        for stream in streams:
            next(stream)
        began = time.monotonic()
        sandbox.clock.sleep(3600)
        assert time.monotonic() - began < 2
        began = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - began < 2
        for stream in streams:
            list(stream)  # came to its end by itself; a connection that was cut would raise


def test_the_way_to_the_service_is_as_it_was(local: Sandbox) -> None:
    for path in ("/api", "/api/v1/jobs", "/page", "/page/nothing"):
        assert httpx.get(local.url + path).json()["code"] == 404


# What it shows


def test_a_view_is_sent_only_when_it_has_changed(local: Sandbox, page: Any) -> None:
    views = []
    with page.stream("GET", "/page/events") as events:
        for line in events.iter_lines():
            if line.startswith("data: "):
                views.append(json.loads(line.removeprefix("data: "))["view"])
                if len(views) == 3:
                    local.set_credits(7)
                if len(views) > 3 and views[-1] is not None:
                    break
            assert len(views) < 12
    assert views[0]["credits"] == 10_000
    assert views[1:-1] == [None] * (len(views) - 2)
    assert views[-1]["credits"] == 7


def test_answers_are_shown_with_their_requests(local: Sandbox, page: Any, connect_to: Connect) -> None:
    with connect_to(local) as api:
        task_id = api.create("<b>bold</b>")
        api.get("/api/v1/jobs/recordInfo", params={"taskId": task_id})
        api.get("/api/v1/jobs/recordInfo", params={"taskId": "nobody"})
    rows = page.look(tab="requests")["rows"]
    assert [(row["status"], row["code"], row["task_id"]) for row in rows] == [
        (200, 422, "nobody"),
        (200, 200, task_id),
        (200, 200, task_id),
    ]
    shown = page.get("/page/requests/1").json()
    assert "<b>bold</b>" in json.loads(shown["request"]["text"])["input"]["prompt"]
    assert json.loads(shown["answer"]["text"])["data"]["taskId"] == task_id
    assert shown["answer"]["headers"]["content-type"] == "application/json"
    assert page.look(tab="tasks", chosen=task_id)["task"]["totals"] == {"requests": 2, "callbacks": 0}


def test_a_create_whose_answer_was_lost_belongs_to_its_task(
    local: Sandbox, page: Any, connect_to: Connect
) -> None:
    local.inject("create", "dropped", accept=True)
    with connect_to(local) as api, pytest.raises(httpx.TransportError):
        api.create()
    [task_id] = local.tasks
    [row] = page.look(tab="requests")["rows"]
    assert row["task_id"] == task_id
    assert row["faulty"] is True
    assert row["over"] is True
    assert row["status"] is None


def test_a_foreign_key_is_never_shown(local: Sandbox, page: Any) -> None:
    httpx.get(f"{local.url}/api/v1/chat/credit", headers={"Authorization": "Bearer worth-money"})
    assert "worth-money" not in page.get("/page/requests/1").text
    assert "hidden" in page.get("/page/requests/1").json()["request"]["headers"]["authorization"]


def test_a_callback_shows_what_the_receiver_said(
    local: Sandbox, page: Any, connect_to: Connect, receiver: Any
) -> None:
    with connect_to(local) as api:
        task_id = api.create(callback=receiver.url + "/broken")
    delivery = local.send_callback(task_id)
    shown = page.get(f"/page/callbacks/{delivery.id}").json()
    assert (shown["status"], shown["answer"]["text"]) == (500, "<b>thanks</b>")
    assert shown["request"]["headers"]["x-webhook-signature"]
    again = page.act("deliver", delivery=delivery.id)
    assert again.status_code == 200
    assert len(receiver.got) == 2


def test_a_receiver_that_never_ends_its_answer_has_answered(local: Sandbox, connect_to: Connect) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server, connect_to(local) as api:
        task_id = api.create(callback=f"http://127.0.0.1:{server.getsockname()[1]}/")

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                connection.recv(65_536)
                while connection.recv(65_536):
                    pass

        threading.Thread(target=answer, daemon=True).start()
        delivery = local.send_callback(task_id)
    assert (delivery.status, delivery.answer) == (200, b"half")


def test_pages_are_of_fifty_rows_the_newest_first(page: Any, local: Sandbox) -> None:
    for number in range(60):
        httpx.get(f"{local.url}/api/v1/chat/credit", params={"n": number})
    first, second = (page.look(tab="requests", page=str(number))["rows"] for number in (1, 2))
    assert [row["id"] for row in first] == list(range(60, 10, -1))
    assert [row["id"] for row in second] == list(range(10, 0, -1))


@pytest.mark.parametrize(
    "glance", [{"tab": "nonsense"}, {"page": "-1"}, {"page": "9" * 5000}, {"chosen": "x"}]
)
def test_looking_at_nothing_shows_nothing(page: Any, glance: dict[str, str]) -> None:
    view = page.look(**glance)
    assert view["rows"] == []
    assert view["task"] is None


def test_what_is_kept_of_answers_is_bounded() -> None:
    recorder = Recorder(most=3, most_bytes=100_000)
    for _ in range(5):
        exchange = recorder.add(RecordedRequest("GET", "/", {}, {}, b"x" * 10, 0.0))
        for _ in range(4):
            recorder.note(exchange, {"type": "http.response.body", "body": b"y" * 30_000})
    assert exchange.size == 120_000
    assert len(exchange.body) == MOST_OF_AN_ANSWER
    assert sum(len(one.body) + len(one.request.body) for one in recorder.exchanges()) <= 100_000
    assert len(recorder.exchanges()) == 1
