"""The one table over real HTTP: every code, in the body and as status, with every kind of data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kling_facade import errors
from kling_facade.sandbox import Answer, Sandbox
from kling_facade.sandbox.faults import Operation

UNCERTAIN = errors.SubmissionUncertainError
CREATE: dict[int, type[errors.KlingError]] = {
    200: UNCERTAIN,
    401: errors.AuthenticationError,
    402: errors.InsufficientCreditsError,
    404: errors.RequestRejectedError,
    422: errors.RequestRejectedError,
    429: errors.RateLimitedError,
    433: errors.QuotaExceededError,
    455: errors.MaintenanceError,
    500: UNCERTAIN,
    501: UNCERTAIN,
    505: errors.FeatureDisabledError,
    520: UNCERTAIN,
    777: UNCERTAIN,
}
STATUSES = [code for code in CREATE if code <= 599]  # no HTTP status is higher
RECORD = {
    **CREATE,
    200: errors.UnexpectedResponseError,
    404: errors.TaskNotFoundError,
    500: errors.ServerError,
    501: errors.ServerError,
    520: errors.ServerError,
    777: errors.ServerError,
}
OTHER = {**RECORD, 404: errors.RequestRejectedError}
DATA: dict[str, dict[str, object]] = {
    "absent": {},
    "null": {"data": None},
    "empty": {"data": {}},
    "junk": {"data": [{"taskId": 7}, "junk"]},
}
CALLS: dict[Operation, tuple[Callable[[Any], object], dict[int, type[errors.KlingError]]]] = {
    "create": (lambda kling: kling.submit("https://a.test/1.jpg", "p"), CREATE),
    "record": (lambda kling: kling.task("t1").status(), RECORD),
    "credits": (lambda kling: kling.credits(), OTHER),
    "link": (lambda kling: kling.fresh_link("https://a.test/1.mp4"), OTHER),
    "upload": (lambda kling: kling.upload(b"\xff\xd8\xff picture"), OTHER),
}


@pytest.fixture(scope="module")
def service() -> Iterator[Sandbox]:
    with Sandbox(creates_per_10s=None, queries_per_second=None) as sandbox:
        yield sandbox


def check(kling: Any, service: Sandbox, call: Operation, answer: Answer, code: int) -> None:
    """The named error after so many requests and no more; what may have been accepted is never sent again."""
    act, table = CALLS[call]
    again = {429, 455} if call == "create" else {200, 429, 455, 500, 501, 520, 777}
    times = 1 if code not in again else 5 if call == "create" else 3
    service.inject(call, answer, times=times)
    before = len(service.requests)
    with pytest.raises(errors.KlingError) as caught:
        act(kling)
    assert type(caught.value) is table[code]
    assert len(service.requests) - before == times
    assert service.tasks == {}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("code", CREATE)
@pytest.mark.parametrize("call", CALLS)
def test_a_code_in_the_body_has_its_error(
    connect: Any, service: Sandbox, call: Operation, code: int, data: str
) -> None:
    answer = Answer.json({"code": code, "msg": "words", **DATA[data]})
    check(connect(service.url), service, call, answer, code)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("code", STATUSES)
@pytest.mark.parametrize("call", CALLS)
def test_an_http_status_has_the_same_error(
    connect: Any, service: Sandbox, call: Operation, code: int, data: str
) -> None:
    check(connect(service.url), service, call, Answer.json({"msg": "words", **DATA[data]}, status=code), code)


@pytest.mark.parametrize("code", STATUSES)
def test_an_accepted_create_is_believed_whatever_code_and_status_say(
    connect: Any, service: Sandbox, code: int
) -> None:
    kling = connect(service.url)
    for answer in (
        Answer.json({"code": code, "msg": "words", "data": {"taskId": "t1"}}),
        Answer.json({"data": {"recordId": "t1"}}, status=code),
        Answer(status=code, body=json.dumps({"data": {"taskId": "t1"}}).encode()),
    ):
        service.inject("create", answer)
        assert kling.submit("https://a.test/1.jpg", "p").id == "t1"
