"""Whatever a record holds, it is read."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_facade.failures import classify
from kling_facade.records import TaskState, TaskStatus, read_record

SEEN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def read(**data: Any) -> TaskStatus:
    document = {"code": 200, "data": {"state": "success", **data}}
    status = read_record(document, task_id="t1", headers={"date": format_datetime(SEEN, usegmt=True)})
    assert status is not None
    return status


def milliseconds(seconds_ago: float) -> int:
    return int((SEEN.timestamp() - seconds_ago) * 1000)


@pytest.mark.parametrize("data", [None, "junk", [], {}, 7, {"state": ""}, {"state": None}, {"state": 3}])
def test_a_record_without_a_state_is_none(data: object) -> None:
    assert read_record({"data": data}, task_id="t1", headers={}) is None
    assert read_record({}, task_id="t1", headers={}) is None


@pytest.mark.parametrize(
    "result",
    [
        '{"resultUrls":["https://f/a.mp4"]}',
        '{"result_urls":["https://f/a.mp4"]}',
        {"resultUrls": ["https://f/a.mp4"]},
        json.dumps('{"resultUrls":["https://f/a.mp4"]}'),
        {"resultUrls": ["https://f/a.mp4", None, "", "file:///etc/passwd", 7]},
    ],
)
def test_links_are_found_however_the_result_is_encoded(result: object) -> None:
    assert read(resultJson=result).urls == ("https://f/a.mp4",)


@pytest.mark.parametrize("result", ["", None, "null", "[", {}, [], '{"resultUrls":"x"}', "[" * 100_000])
def test_a_success_without_links_is_still_a_success(result: object) -> None:
    status = read(resultJson=result)
    assert (status.urls, status.succeeded) == ((), True)


def test_only_the_state_decides_whether_there_is_a_result() -> None:
    status = read(state="waiting", resultJson='{"resultUrls":["https://f/a.mp4"]}', failCode="500")
    assert (status.urls, status.failure, status.done) == ((), None, False)


def test_a_state_of_tomorrow_is_neither_success_nor_failure() -> None:
    status = read(state="upscaling")
    assert (status.state, status.done) == ("upscaling", False)


@pytest.mark.parametrize("state", ["fail", "failed", "FAIL"])
def test_a_failure_has_a_code_a_message_and_a_kind(state: str) -> None:
    failure = read(state=state, failCode=501, failMsg="the server is busy").failure
    assert failure is not None
    assert (failure.code, failure.message, failure.kind) == ("501", "the server is busy", "transient")


KINDS = {
    "Internal Error, Please try again later.": "transient",
    "internal error, please try again later.": "transient",
    "the server is busy": "transient",
    "timed out": "transient",
    "generate playground failed, task id is blank": "transient",
    "Content was flagged by the safety system. Please change it.": "moderation",
    "The input or output was flagged as sensitive. Please try again with different inputs.": "moderation",
    "Your input was rejected. Please change it.": "moderation",
    "Your prompt was caught by our AI moderator. Please adjust it.": "moderation",
    "The current content could not be processed": "moderation",
    "It contains prohibited content": "moderation",
    "Refused due to copyright restrictions": "moderation",
    "Your media file is unavailable, please replace it.": "input",
    "Image fetch failed": "input",
    "Invalid image URL": "input",
    "This field is required": "input",
    "duration is not within the range of allowed options": "input",
    "Value must be within the specified range": "input",
    "The text length cannot exceed the maximum limit": "input",
    "Credits insufficient : top up": "credits",
    "Something nobody has seen": "unknown",
}


@pytest.mark.parametrize(("message", "kind"), KINDS.items())
def test_a_failure_is_sorted_by_its_text_first(message: str, kind: str) -> None:
    assert classify("500", message).kind == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SENSITIVE_WORD_ERROR", "moderation"),
        ("422", "input"),
        ("402", "credits"),
        ("501", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_failure_without_a_known_text_is_sorted_by_its_code(code: str | None, kind: str) -> None:
    assert classify(code, None).kind == kind


def test_the_duration_comes_from_the_timestamps_not_from_cost_time() -> None:
    status = read(createTime=milliseconds(100), completeTime=milliseconds(6), costTime=93)
    assert status.elapsed == 94.0


def test_a_running_task_has_been_running_until_this_answer() -> None:
    status = read(state="generating", createTime=milliseconds(40), completeTime=None)
    assert status.elapsed == 40.0
    assert status.completed_at is None


def test_a_clock_that_runs_ahead_gives_no_negative_time() -> None:
    assert read(state="generating", createTime=milliseconds(-5)).elapsed == 0.0


def test_the_raw_record_is_kept_and_not_shown() -> None:
    status = read(param='{"input":{"prompt":"secret"}}', other=1)
    assert status.raw["other"] == 1
    assert "secret" not in repr(status)


def test_a_status_survives_pickling() -> None:
    status = read(createTime=milliseconds(10), failCode=None, resultJson='{"resultUrls":["https://f/a.mp4"]}')
    assert pickle.loads(pickle.dumps(status)) == status
    assert hash(status) == hash(read(**status.raw))


def test_known_states_are_words_of_the_document() -> None:
    assert TaskState.SUCCESS == "success"
    assert isinstance(read().state, str)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["9" * 400, "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["taskId", "model", "state", "param", "resultJson", "failCode", "failMsg", "costTime", "completeTime"]
KEYS += ["createTime", "updateTime", "creditsConsumed", "progress"]


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING), st.sampled_from(["success", "fail", "waiting", "?"]))
def test_any_record_with_a_state_is_read(data: dict[str, object], state: str) -> None:
    status = read(**{**data, "state": state})
    assert status.task_id == "t1"
    assert all(url.startswith("http") for url in status.urls)
    assert status.elapsed is None or status.elapsed >= 0
