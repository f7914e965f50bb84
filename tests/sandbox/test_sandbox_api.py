"""What each call answers, right or wrong, over real HTTP."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from kling_facade.sandbox import Sandbox

CREATE, RECORD = "/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo"
Make = Callable[..., Any]


def test_a_create_gets_a_task_id(api: Any, local: Sandbox) -> None:
    answer = api.post(CREATE, json=api.request_for())
    data = answer.json()["data"]
    assert answer.json() == {"code": 200, "msg": "success", "data": data}
    assert re.fullmatch("[0-9a-f]{32}", data["taskId"])
    assert data["recordId"] == data["taskId"]
    assert data["taskId"] in local.tasks


ROWS: list[tuple[str, dict[str, Any], int, str]] = [
    ("no prompt", {"prompt": None}, 500, "This field is required"),
    ("empty prompt", {"prompt": ""}, 500, "This field is required"),
    ("long prompt", {"prompt": "x" * 1001}, 500, "The text length cannot exceed the maximum limit"),
    ("no sound", {"sound": None}, 500, "This field is required"),
    ("sound as text", {"sound": "true"}, 500, "sound is not within the range of allowed options"),
    ("duration 7", {"duration": "7"}, 500, "duration is not within the range of allowed options"),
    ("duration as number", {"duration": 5}, 500, "duration is not within the range of allowed options"),
    ("no image", {"image_urls": None}, 500, "This field is required"),
    ("an empty list of images", {"image_urls": []}, 500, "This field is required"),
    (
        "two images",
        {"image_urls": ["https://a/1", "https://a/2"]},
        500,
        "Value must be within the specified range",
    ),
    (
        "an image that is no text",
        {"image_urls": [7]},
        500,
        "image_urls is not within the range of allowed options",
    ),
    ("a data URI", {"image_urls": ["data:image/png;base64,AAAA"]}, 422, "Invalid image URL"),
    ("a file URL", {"image_urls": ["file:///etc/passwd"]}, 422, "Invalid image URL"),
]


@pytest.mark.parametrize(("changes", "code", "msg"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_wrong_input_is_refused_in_the_words_of_the_service(
    api: Any, local: Sandbox, changes: dict[str, Any], code: int, msg: str
) -> None:
    before = local.credits
    answer = api.post(CREATE, json=api.request_for(**changes))
    assert (answer.status_code, answer.json()) == (200, {"code": code, "msg": msg, "data": None})
    assert local.credits == before


@pytest.mark.parametrize("inputs", [None, {}, "absent", "text", 7, []])
def test_a_create_without_input_is_refused(api: Any, inputs: object) -> None:
    body = api.request_for()
    if inputs == "absent":
        del body["input"]
    else:
        body["input"] = inputs
    answer = api.post(CREATE, json=body).json()
    expected = (500, "This field is required") if inputs == {} else (422, "The input cannot be null")
    assert (answer["code"], answer["msg"]) == expected


@pytest.mark.parametrize("model", [None, "", "kling-9/other", 5])
def test_another_model_is_refused(api: Any, model: object) -> None:
    answer = api.post(CREATE, json=api.request_for() | {"model": model}).json()
    assert answer["code"] == 500


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(api: Any, body: bytes) -> None:
    answer = api.post(CREATE, content=body).json()
    assert answer["code"] == 400


def test_unknown_fields_are_ignored_and_left_out(api: Any) -> None:
    task_id = api.post(CREATE, json=api.request_for(negative_prompt="rain")).json()["data"]["taskId"]
    assert "negative_prompt" not in api.record(task_id)["param"]


def test_a_missing_duration_gets_the_documented_default(api: Any) -> None:
    body = api.request_for()
    del body["input"]["duration"]
    task_id = api.post(CREATE, json=body).json()["data"]["taskId"]
    assert json.loads(json.loads(api.record(task_id)["param"])["input"])["duration"] == "5"


def test_a_prompt_of_any_characters_comes_back(api: Any) -> None:
    prompt = "кот зевает 🐈 \ud83d"  # half a pair is legal JSON when escaped
    body = json.dumps(api.request_for(prompt=prompt)).encode()
    task_id = api.post(CREATE, content=body).json()["data"]["taskId"]
    param = api.record(task_id)["param"]
    assert json.loads(json.loads(param)["input"])["prompt"] == prompt


def test_a_record_passes_through_all_states(api: Any, local: Sandbox) -> None:
    task_id, states, found = api.create(), [], {}
    for _ in range(200):
        found = api.record(task_id)
        if found["state"] not in states:
            states.append(found["state"])
        if states[-1] == "success":
            break
        assert (found["resultJson"], found["completeTime"], found["costTime"]) == ("", None, None)
        assert found["creditsConsumed"] == 55
        local.clock.advance(1)
    assert states == ["waiting", "queuing", "generating", "success"]
    took = (found["completeTime"] - found["createTime"]) / 1000
    assert 40 < took < 150
    assert found["costTime"] == int(took)
    assert (found["failCode"], found["failMsg"]) == (None, None)
    assert json.loads(found["resultJson"])["resultUrls"][0].startswith(local.url)
    assert (found["taskId"], found["model"]) == (task_id, "kling-2.6/image-to-video")


@pytest.mark.parametrize("task_id", ["0" * 32, "task_kling-2.6_1765182405025", "../x", "ü"])
def test_an_unknown_task_is_null(api: Any, task_id: str) -> None:
    answer = api.get(RECORD, params={"taskId": task_id})
    assert (answer.status_code, answer.json()) == (
        200,
        {"code": 422, "msg": "recordInfo is null", "data": None},
    )


def test_a_query_without_a_task_is_refused(api: Any) -> None:
    assert api.get(RECORD).json()["code"] == 422


@pytest.mark.parametrize("key", ["", "Bearer wrong", "sandbox-key", "Basic c2FuZGJveC1rZXk="])
def test_only_the_right_key_is_let_in(local: Sandbox, key: str) -> None:
    calls = [
        ("POST", CREATE),
        ("GET", RECORD),
        ("GET", "/api/v1/chat/credit"),
        ("POST", "/api/v1/common/download-url"),
        ("POST", "/file-upload/api/file-stream-upload"),
        ("POST", "/file-upload/api/file-base64-upload"),
        ("POST", "/file-upload/api/file-url-upload"),
    ]
    for method, path in calls:
        answer = httpx.request(method, local.url + path, headers={"Authorization": key}, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (200, 401), path


def test_unknown_paths_and_methods_get_an_envelope(api: Any) -> None:
    assert (api.get("/api/v2/nothing").status_code, api.get("/api/v2/nothing").json()["code"]) == (404, 404)
    assert (api.get(CREATE).status_code, api.get(CREATE).json()["code"]) == (405, 405)


def test_credits_are_a_number(api: Any, local: Sandbox) -> None:
    assert api.get("/api/v1/chat/credit").json() == {"code": 200, "msg": "success", "data": local.credits}


def test_answers_carry_the_simulated_time(api: Any, local: Sandbox) -> None:
    date = parsedate_to_datetime(api.get("/api/v1/chat/credit").headers["date"])
    assert abs(date.timestamp() - local.clock.wall()) < 2


def test_requests_are_recorded_as_they_arrived(api: Any, local: Sandbox) -> None:
    api.post(CREATE, content=b'{"odd": 1}', headers={"X-Mine": "yes"})
    api.get(RECORD, params={"taskId": "abc"})
    created, asked = local.requests[-2:]
    assert (created.method, created.path, created.body) == ("POST", CREATE, b'{"odd": 1}')
    assert created.headers["x-mine"] == "yes"
    assert (asked.path, asked.query) == (RECORD, {"taskId": "abc"})
    assert created.at <= asked.at <= local.clock.now()


def test_a_client_may_share_its_connection_among_calls(api: Any) -> None:
    streams = {id(api.get("/api/v1/chat/credit").extensions["network_stream"]) for _ in range(3)}
    assert len(streams) == 1


def test_answers_are_not_held_back_by_nagle(api: Any) -> None:
    began = time.monotonic()
    for _ in range(60):
        api.get("/api/v1/chat/credit")
    assert time.monotonic() - began < 2  # 40 ms each otherwise
