"""Answers put in place of the sandbox's own, and what is left when it ends."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from kling_facade.sandbox import Answer, Sandbox, serve

Make = Callable[..., Any]
CREDIT = "/api/v1/chat/credit"


@pytest.mark.parametrize("status", [200, 204, 302, 404, 429, 433, 455, 500, 520, 599])
def test_an_injected_answer_goes_out_byte_for_byte(local: Sandbox, api: Any, status: int) -> None:
    body = b"" if status == 204 else b"\xff<html>"
    local.inject("credits", Answer(status=status, headers={"Retry-After": "3", "X-Odd": "1"}, body=body))
    answer = api.get(CREDIT)
    assert (answer.status_code, answer.content) == (status, body)
    assert (answer.headers["retry-after"], answer.headers["x-odd"]) == ("3", "1")
    assert "content-type" not in answer.headers
    assert api.get(CREDIT).json()["code"] == 200


def test_faults_wait_in_line_for_their_own_operation(local: Sandbox, api: Any) -> None:
    local.inject("credits", Answer.envelope(500, "first"), times=2)
    local.inject("credits", Answer.envelope(455, "second", status=455))
    api.create()
    answers = [api.get(CREDIT) for _ in range(4)]
    assert [answer.json()["msg"] for answer in answers] == ["first", "first", "second", "success"]
    assert [answer.status_code for answer in answers] == [200, 200, 455, 200]


@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.parametrize("answer", [Answer(status=500), Answer(drop=True)], ids=["500", "dropped"])
def test_a_create_is_accepted_behind_a_fault_only_if_told_so(
    local: Sandbox, api: Any, accept: bool, answer: Answer
) -> None:
    tasks, credits_before = len(local.tasks), local.credits
    local.inject("create", answer, accept=accept)
    try:
        status = api.post("/api/v1/jobs/createTask", json=api.request_for()).status_code
    except (httpx.RemoteProtocolError, httpx.ReadError):
        status = 0
    assert status == (0 if answer.drop else 500)
    assert len(local.tasks) - tasks == accept
    assert credits_before - local.credits == 55 * accept
    assert api.get(CREDIT).json()["data"] == local.credits


def test_a_result_can_be_spoilt(local: Sandbox, api: Any, make_picture: Make) -> None:
    link = api.finish(api.create(api.upload(make_picture())))
    local.inject("result", Answer(body=b"not a video", headers={"content-type": "video/mp4"}))
    assert httpx.get(link, timeout=10).content == b"not a video"
    assert httpx.get(link, timeout=30).content != b"not a video"


def test_an_answer_can_be_late(local: Sandbox, api: Any) -> None:
    local.inject("credits", Answer.json({}, delay=5))
    with pytest.raises(httpx.ReadTimeout):
        api.get(CREDIT, timeout=0.1)


def test_an_unknown_operation_is_named(local: Sandbox) -> None:
    unknown: Any = "generate"
    with pytest.raises(ValueError, match="generate"):
        local.inject(unknown, Answer())


def test_nothing_is_left_behind(
    connect_to: Make, make_picture: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = set(threading.enumerate())
    for _ in range(3):
        with Sandbox() as sandbox, connect_to(sandbox) as api:
            video = api.finish(api.create(api.upload(make_picture())))
            assert httpx.get(video, timeout=30).status_code == 200
            sandbox.inject("credits", Answer(delay=60))
            hanging = threading.Thread(target=_ask, args=(sandbox.url + CREDIT,))
            hanging.start()
            while sandbox.requests[-1].path != CREDIT:
                time.sleep(0.001)
            assert len(list(tmp_path.iterdir())) == 1
            sandbox.stop()  # while one connection is idle and another waits for its answer
        hanging.join(5)
        assert not hanging.is_alive()
    gc.collect()  # an unclosed socket or folder would warn, and warnings are errors
    assert set(threading.enumerate()) == threads
    assert list(tmp_path.iterdir()) == []


def test_nobody_listens_after_the_end() -> None:
    with Sandbox() as sandbox:
        host, port = sandbox.url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def _ask(url: str) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(url, timeout=30)


def test_stopping_twice_is_no_mistake_and_what_was_asked_stays() -> None:
    sandbox = Sandbox()
    sandbox.stop()
    sandbox.start()
    httpx.get(sandbox.url + CREDIT, timeout=5)
    with pytest.raises(RuntimeError, match="running already"):
        sandbox.start()
    sandbox.stop()
    sandbox.stop()
    assert len(sandbox.requests) == 1
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url


def test_a_taken_port_is_an_os_error() -> None:
    with Sandbox() as sandbox, pytest.raises(OSError, match="in use"):
        Sandbox(port=int(sandbox.url.rsplit(":", 1)[1])).start()


def test_serve_runs_until_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox, codes = Sandbox(), []

    def interrupt(_event: threading.Event, _timeout: float | None = None) -> bool:
        codes.append(httpx.get(sandbox.url + CREDIT, timeout=5).json()["code"])
        raise KeyboardInterrupt

    with sandbox:
        monkeypatch.setattr(threading.Event, "wait", interrupt)
        serve(sandbox)
        monkeypatch.undo()
    assert codes == [401]


def test_the_sandbox_loads_neither_the_facade_nor_generated_code_nor_pyav() -> None:
    code = (
        "import sys; from kling_facade.sandbox import Sandbox\n"
        "with Sandbox(): pass\n"
        "print(*{'kling_api', 'httpx', 'av', 'jsonschema', 'kling_facade.client', 'kling_facade.wire'}"
        " & set(sys.modules))"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    loaded = subprocess.run(command, check=True, timeout=30, capture_output=True, text=True).stdout
    assert loaded.split() == []
