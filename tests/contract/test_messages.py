"""Documented examples go through generated models and validator unchanged; so do answers of tomorrow."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract.schemas import JSON, MODELS, complaints
from hypothesis import given, settings
from hypothesis import strategies as st

from kling_api.api.jobs import create_task, get_task_details
from kling_api.client import Client
from kling_api.models import (
    CreateTaskResponse,
    ImageToVideoInput,
    ImageToVideoRequest,
    TaskCallback,
    TaskRecordResponse,
)
from kling_facade.envelope import Accepted, judge
from kling_facade.operations import CREATE as CREATE_TASK
from kling_facade.operations import RECORD as GET_RECORD
from kling_facade.wire import Reply
from pipeline.sources import read_sources

ROOT = Path(__file__).parents[2]
SOURCES = read_sources(ROOT / "openapi")
CLIENT = Client(base_url="http://h.example", raise_on_unexpected_status=True)


def vendored_operation(path: str, method: str) -> dict[str, Any]:
    documents: list[Any] = [SOURCES.document(source) for source in SOURCES.documents]
    found = [page["paths"][path][method] for page in documents if path in page["paths"]]
    assert len(found) == 1
    operation: dict[str, Any] = found[0]
    return operation


CREATE = vendored_operation("/api/v1/jobs/createTask", "post")
QUERY = vendored_operation("/api/v1/jobs/recordInfo", "get")
BODY = CREATE["requestBody"]["content"]["application/json"]


def request(**changes: Any) -> dict[str, Any]:
    """The document's example as the generated models spell it, with changes to the input."""
    example = BODY["example"]
    body = ImageToVideoRequest(
        call_back_url=example["callBackUrl"], input_=ImageToVideoInput(**(example["input"] | changes))
    )
    sent: dict[str, Any] = create_task._get_kwargs(body=body)
    return sent


def test_the_documented_request_is_what_the_models_send() -> None:
    sent = request()
    assert sent["json"] == BODY["example"]
    assert (sent["method"], sent["url"]) == ("post", "/api/v1/jobs/createTask")


def test_the_documented_request_is_valid() -> None:
    assert complaints("ImageToVideoRequest", request()["json"]) == []
    assert complaints("ImageToVideoRequest", BODY["example"]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "x" * 1001},
        {"prompt": None},
        {"duration": "7"},
        {"duration": 5},
        {"image_urls": []},
        {"image_urls": ["https://h.example/1.png", "https://h.example/2.png"]},
        {"sound": "false"},
    ],
)
def test_a_request_outside_the_document_is_not_valid(change: dict[str, Any]) -> None:
    assert complaints("ImageToVideoRequest", request(**change)["json"])


def test_a_request_without_input_is_not_valid() -> None:
    assert complaints("ImageToVideoRequest", {"model": BODY["example"]["model"]})


def test_the_query_carries_the_task_id() -> None:
    [parameter] = QUERY["parameters"]
    example = parameter["schema"]["example"]
    sent = get_task_details._get_kwargs(task_id=example)
    assert sent == {
        "method": "get",
        "url": "/api/v1/jobs/recordInfo",
        "params": {parameter["name"]: example},
    }


@pytest.mark.parametrize(
    ("operation", "parse", "model"),
    [
        (CREATE, create_task._parse_response, "CreateTaskResponse"),
        (QUERY, get_task_details._parse_response, "TaskRecordResponse"),
    ],
)
def test_documented_answers_come_back_as_they_were(operation: dict[str, Any], parse: Any, model: str) -> None:
    examples = {
        int(status): answer["content"]["application/json"]["example"]
        for status, answer in operation["responses"].items()
        if "content" in answer
    }
    assert 200 in examples
    for status, example in examples.items():
        read = parse(client=CLIENT, response=httpx.Response(status, json=example))
        assert read.to_dict() == example
        assert read.additional_properties == {}
        assert complaints(model if status == 200 else "ApiResponse", example) == []


@pytest.mark.parametrize("model", [CreateTaskResponse, TaskRecordResponse, TaskCallback])
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_answers_keep_whatever_came(model: Any, data: st.DataObject) -> None:
    """A null, a number for a string, an object for JSON text, a new word, a new field: read and kept."""
    inner = set(MODELS["TaskRecord"]["properties"]) | set(MODELS["CreatedTask"]["properties"])
    records = st.dictionaries(st.sampled_from(sorted(inner)) | st.text(), JSON)
    fields: dict[str, Any] = dict.fromkeys(sorted(MODELS[model.__name__]["properties"]), JSON)
    fields["data"] = JSON | records
    answer = data.draw(st.fixed_dictionaries({}, optional=fields) | st.dictionaries(st.text(), JSON))
    assert model.from_dict(answer).to_dict() == answer


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"state": "paused", "failCode": 422, "resultJson": {"resultUrls": []}, "costTime": 93.5},
        {"state": "fail", "failCode": None, "failMsg": None, "completeTime": None, "resultJson": ""},
    ],
)
def test_a_record_of_tomorrow_is_kept(data: Any) -> None:
    answer = {"code": 433, "message": "ok", "data": data}
    assert TaskRecordResponse.from_dict(answer).to_dict() == answer


def test_the_facade_reads_the_documented_answers() -> None:
    def documented(operation: dict[str, Any]) -> dict[str, Any]:
        example: dict[str, Any] = operation["responses"]["200"]["content"]["application/json"]["example"]
        return example

    created, record = documented(CREATE), documented(QUERY)
    assert judge(CREATE_TASK, Reply(200, {}, json.dumps(created).encode())) == Accepted(
        created["data"]["taskId"]
    )
    outcome = judge(GET_RECORD, Reply(200, {}, json.dumps(record).encode()), subject="id")
    assert isinstance(outcome, Accepted)
    assert outcome.value.state == record["data"]["state"]
    assert list(outcome.value.urls) == json.loads(record["data"]["resultJson"])["resultUrls"]
    assert outcome.value.raw == record["data"]
