"""What a wait meets on its way to the video, over real sockets; and how it ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from support import faulty
from support.fakes import FakeClock, FakeIO
from support.fakes import record as fake_record
from support.fakes import session as fake_session
from support.faulty import Act, FaultyApikley, answer, drips, in_turn, record, says, success

from kling_facade import errors
from kling_facade.clock import RealClock
from kling_facade.flows.waiting import Watch, wait
from kling_facade.ports import run

LINK = "https://files.test/a.mp4"
DONE = says(success(LINK))


def said(code: int, text: str, **headers: str) -> Act:
    return says(answer(200, {"code": code, "msg": text, "data": None}, headers))


def too_fast(status: int, **headers: str) -> Act:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return says(answer(status, {"code": 429, "msg": "Too fast"}, names))


def html(status: int) -> Act:
    return says(answer(status, b"<html>Oh</html>", {"Content-Type": "text/html"}))


NOT_VISIBLE = said(422, "recordInfo is null")
DATE = "Wed, 01 Jan 2025 00:00:00 GMT"
TROUBLES: dict[str, Act] = {
    "not visible yet": NOT_VISIBLE,  # tolerated for 30 s after the first look only
    "not visible yet, again": NOT_VISIBLE,
    "503": html(503),
    "reset": faulty.resets,
    "empty 202": says(answer(202)),
    "429 in seconds": too_fast(429, Retry_After="37"),
    "429 as a date": too_fast(429, Date=DATE, Retry_After="Wed, 01 Jan 2025 00:00:37 GMT"),
    "429 as garbage": too_fast(429, Retry_After="soon \xb2"),
    "429 in HTTP 200": too_fast(200),
    "520": html(520),
    "HTML": html(200),
    "an unknown state": says(record("upscaling")),
}


def test_a_wait_gets_through_all_of_it_to_the_video(connect: Any) -> None:
    with FaultyApikley(look=in_turn(*TROUBLES.values(), DONE)) as server:
        seen: list[str] = []
        video = connect(server.url).task("t1").wait(on_update=lambda status: seen.append(status.state))
        assert video.url == LINK
        assert server.looks() == len(TROUBLES) + 1
        assert seen == ["upscaling", "success"]


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_is_got_over_twice_in_a_row(connect: Any, name: str) -> None:
    with FaultyApikley(look=in_turn(TROUBLES[name], TROUBLES[name], DONE)) as server:
        assert connect(server.url).task("t1").wait().url == LINK
        assert server.looks() == 3


@pytest.mark.parametrize(("name", "least"), [("429 in seconds", 37), ("429 as a date", 37)])
def test_the_pause_that_the_service_asks_for_is_kept(connect: Any, name: str, least: float) -> None:
    clock = FakeClock()
    with FaultyApikley(look=in_turn(TROUBLES[name], DONE)) as server:
        connect(server.url, clock=clock).task("t1").wait()
    assert least <= sum(clock.sleeps) < least + 1


def test_a_pause_that_cannot_be_read_is_an_ordinary_one(connect: Any) -> None:
    clock = FakeClock()
    with FaultyApikley(look=in_turn(TROUBLES["429 as garbage"], DONE)) as server:
        connect(server.url, clock=clock).task("t1").wait()
    assert 0 < sum(clock.sleeps) < 37


@pytest.mark.parametrize("status", [200, 401])
def test_a_wrong_key_is_said_after_one_request(connect: Any, status: int) -> None:
    act = says(answer(status, {"code": 401, "msg": "You do not have access permissions"}))
    with FaultyApikley(look=act) as server:
        with pytest.raises(errors.AuthenticationError) as caught:
            connect(server.url).task("t1").wait()
        assert server.looks() == 1
        assert caught.value.task_id == "t1"


@pytest.mark.parametrize("result", ["", None, '{"resultUrls":[]}', '{"resultUrls":null}', "{", {}])
def test_success_without_links_is_said_after_one_request(connect: Any, result: object) -> None:
    with FaultyApikley(look=says(record("success", resultJson=result))) as server:
        with pytest.raises(errors.ResultMissingError, match="paid for") as caught:
            connect(server.url).task("t1").wait()
        assert server.looks() == 1
        assert caught.value.task_id == "t1"


FAILURES = {
    "transient": [
        "Internal Error, Please try again later.",
        "internal error, please try again later.",
        "the server is busy",
        "timed out",
        "generate playground failed, task id is blank",
    ],
    "moderation": [
        "Content was flagged by the safety system. Try another prompt.",
        "The input or output was flagged as sensitive. Please try again with different inputs.",
        "Your input was rejected. It may not meet the guidelines.",
        "Your prompt was caught by our AI moderator. Please adjust it.",
        "The current content could not be processed",
        "The request has prohibited content",
        "The output may be subject to copyright restrictions",
    ],
    "input": [
        "Your media file is unavailable, please replace it.",
        "Image fetch failed",
        "Invalid image URL",
        "This field is required",
        "duration is not within the range of allowed options",
        "Value must be within the specified range",
        "The text length cannot exceed the maximum limit",
    ],
    "credits": ["Credits insufficient, please top up"],
    "unknown": ["", "Something that nobody has seen before"],
}
TEXTS = [(kind, text) for kind, texts in FAILURES.items() for text in texts]


@pytest.mark.parametrize("state", ["fail", "failed"])
@pytest.mark.parametrize(("kind", "text"), TEXTS)
def test_a_failure_is_sorted_by_its_text(connect: Any, kind: str, text: str, state: str) -> None:
    act = says(record(state, failCode="500", failMsg=text))
    with FaultyApikley(look=act) as server:
        with pytest.raises(errors.TaskFailedError, match="refunded") as caught:
            connect(server.url).task("t1").wait()
        assert server.looks() == 1
    assert (caught.value.failure.kind, caught.value.failure.message) == (kind, text)


SILENT_OR_DRIPPING = {"silent": faulty.is_silent, "dripping": drips(1.0)}


@pytest.mark.parametrize("look", SILENT_OR_DRIPPING)
def test_a_wait_of_two_seconds_takes_two_seconds(connect: Any, look: str) -> None:
    with FaultyApikley(look=SILENT_OR_DRIPPING[look]) as server:
        kling = connect(server.url, clock=RealClock())
        task_id = kling.submit("https://a.test/1.jpg", "p").id
        assert 2.0 <= time_out(lambda: kling.task(task_id).wait(timeout=2)) < 2.3
        assert (server.sold, server.looks()) == (1, 1)


def test_so_does_a_generate_whose_looks_are_not_answered(connect: Any) -> None:
    with FaultyApikley(look=faulty.is_silent) as server:
        kling = connect(server.url, clock=RealClock())
        assert 2.2 <= time_out(lambda: kling.generate("https://a.test/1.jpg", "p", timeout=2.2)) < 2.5
        assert (server.sold, server.looks()) == (1, 1)


def time_out(call: Callable[[], object]) -> float:
    """The seconds that the call takes until it says that task t1 goes on."""
    began = time.monotonic()
    with pytest.raises(errors.WaitTimeoutError, match=r"kling\.task\('t1'\)") as caught:
        call()
    assert caught.value.task_id == "t1"
    return time.monotonic() - began


def test_a_wait_of_fifteen_minutes_can_be_tested_in_no_time(flavour: str) -> None:
    io = FakeIO([fake_record("generating")])
    began = time.monotonic()
    flow = wait(Watch(fake_session(io), "t1", timeout=900.0))
    with pytest.raises(errors.WaitTimeoutError):
        run(flow) if flavour == "sync" else asyncio.run(flow)
    assert io.now() - 1000 == pytest.approx(900)
    assert len(io.sent) > 10
    assert time.monotonic() - began < 1.0  # some 10 ms; nothing sleeps


def test_the_bytes_on_the_wire_are_what_these_tests_say() -> None:
    """The harness: a record is JSON in an answer whose length is true."""
    head, _, body = record("generating").partition(b"\r\n\r\n")
    assert json.loads(body)["data"] == {"taskId": "t1", "state": "generating"}
    assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"
