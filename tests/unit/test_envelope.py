"""The one table, row by row."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.fakes import reply

from kling_facade import errors
from kling_facade.envelope import Accepted, Again, Denied, Operation, judge
from kling_facade.operations import CREATE, CREDITS, LINK, RECORD, UPLOAD
from kling_facade.wire import AnswerLost, NotSent, Reply

OPERATIONS: list[Operation[object]] = [CREATE, RECORD, CREDITS, LINK, UPLOAD]
FREE = OPERATIONS[1:]


def denied(operation: Operation[object], document: object) -> Denied:
    outcome = judge(operation, reply(document), subject="s1")
    assert isinstance(outcome, Denied)
    return outcome


@pytest.mark.parametrize("code", [200, 401, 429, 500, 505, 999])
@pytest.mark.parametrize("status", [200, 302, 401, 500, 520])
def test_usable_data_is_believed_whatever_status_and_code(code: int, status: int) -> None:
    created = judge(CREATE, reply({"code": code, "data": {"taskId": "t1"}}, status=status))
    assert created == Accepted("t1")
    seen = judge(RECORD, reply({"code": code, "data": {"state": "success"}}, status=status), subject="t1")
    assert isinstance(seen, Accepted)
    assert seen.value.task_id == "t1"
    assert judge(CREDITS, reply({"code": code, "data": 35.95}, status=status)) == Accepted(35.95)
    assert judge(LINK, reply({"code": code, "data": "https://f/1"}, status=status)) == Accepted("https://f/1")
    uploaded = {"code": code, "data": {"downloadUrl": "https://f/2"}}
    assert judge(UPLOAD, reply(uploaded, status=status)) == Accepted("https://f/2")


@pytest.mark.parametrize("task_id", ["", "  ", None, 7, ["t"], {"t": 1}])
def test_the_task_id_may_come_as_record_id_and_must_be_a_string(task_id: object) -> None:
    assert judge(CREATE, reply({"data": {"taskId": task_id, "recordId": "r1"}})) == Accepted("r1")
    assert isinstance(judge(CREATE, reply({"data": {"taskId": task_id}})), Denied)


def test_what_was_not_sent_costs_nothing_and_may_be_sent() -> None:
    for operation in OPERATIONS:
        outcome = judge(operation, NotSent("no route"))
        assert isinstance(outcome, Denied)
        assert type(outcome.error) is errors.ConnectionFailedError
        assert outcome.again is Again.UNSENT
        hopeless = judge(operation, NotSent("certificate", hopeless=True))
        assert isinstance(hopeless, Denied)
        assert hopeless.again is Again.NEVER


def test_a_lost_answer_to_a_create_is_uncertain_and_never_sent_again() -> None:
    outcome = judge(CREATE, AnswerLost("reset"), subject="s1")
    assert isinstance(outcome, Denied)
    assert isinstance(outcome.error, errors.SubmissionUncertainError)
    assert outcome.error.submission_id == "s1"
    assert outcome.again is Again.NEVER
    for operation in FREE:
        free = judge(operation, AnswerLost("reset"))
        assert isinstance(free, Denied)
        assert type(free.error) is errors.ConnectionFailedError
        assert free.again is Again.FREE


@pytest.mark.parametrize("code", [200, 402, 422, 500, 777])
@pytest.mark.parametrize("key", ["msg", "message"])
def test_used_up_credits_are_known_by_their_text(code: int, key: str) -> None:
    for operation in OPERATIONS:
        text = "Credits insufficient : Your current balance isn't enough to run this request."
        assert type(denied(operation, {"code": code, key: text}).error) is errors.InsufficientCreditsError


@pytest.mark.parametrize("code", [200, 422, 500, 501, 520, 777])
@pytest.mark.parametrize(
    "text",
    [
        "This field is required",
        "duration is not within the range of allowed options",
        "Value must be within the specified range",
        "The text length cannot exceed the maximum limit",
        "prompt is required",
        "taskId parameter is required",
        "input.image_urls is required",
    ],
)
def test_validation_is_known_by_its_text_under_any_code(code: int, text: str) -> None:
    for operation in OPERATIONS:
        outcome = denied(operation, {"code": code, "msg": text})
        assert type(outcome.error) is errors.RequestRejectedError
        assert outcome.again is Again.NEVER


def test_a_login_that_is_required_is_no_validation() -> None:
    error = denied(CREATE, {"code": 401, "msg": "Authentication is required"}).error
    assert type(error) is errors.AuthenticationError


def test_an_outage_behind_the_service_creates_nothing() -> None:
    outcome = denied(CREATE, {"code": 422, "msg": "generate playground failed, task id is blank"})
    assert type(outcome.error) is errors.ServerError
    assert (outcome.error.retryable, outcome.error.charged) == (True, False)
    assert outcome.again is Again.NEVER


@pytest.mark.parametrize(
    "answer",
    [
        reply({"code": 422, "msg": "recordInfo is null", "data": None}),
        reply({"code": 200, "msg": "The record does not exist"}),
        reply({"code": 404, "msg": "Task not found"}),
        reply({"msg": "Task not found"}, status=404),
    ],
)
def test_an_unknown_task_is_not_found(answer: Reply) -> None:
    outcome = judge(RECORD, answer, subject="t1")
    assert isinstance(outcome, Denied)
    assert type(outcome.error) is errors.TaskNotFoundError
    assert "t1" in str(outcome.error)


def test_a_wrong_address_is_told_from_an_unknown_task() -> None:
    page = Reply(404, {"content-type": "text/html"}, b"<html>nothing here</html>")
    outcome = judge(RECORD, page, subject="t1")
    assert isinstance(outcome, Denied)
    assert type(outcome.error) is errors.UnexpectedResponseError
    assert "base_url" in str(outcome.error)


ACCOUNT = {
    401: errors.AuthenticationError,
    403: errors.AuthenticationError,
    402: errors.InsufficientCreditsError,
    433: errors.QuotaExceededError,
    505: errors.FeatureDisabledError,
}


@pytest.mark.parametrize("code", ACCOUNT)
def test_what_is_wrong_with_the_account_has_a_name(code: int) -> None:
    for operation in OPERATIONS:
        for answer in (reply({"code": code}), reply({"code": str(code)}), Reply(code, {}, b"")):
            outcome = judge(operation, answer)
            assert isinstance(outcome, Denied)
            assert type(outcome.error) is ACCOUNT[code]
            assert outcome.again is Again.NEVER


@pytest.mark.parametrize(("code", "least"), [(429, 10.0), (430, 10.0), (455, 15.0)])
def test_a_refused_create_may_be_offered_again_after_a_pause(code: int, least: float) -> None:
    kind = errors.MaintenanceError if code == 455 else errors.RateLimitedError
    outcome = denied(CREATE, {"code": code})
    assert (type(outcome.error), outcome.again, outcome.after) == (kind, Again.REFUSED, least)
    asked = judge(CREATE, reply({"code": code}, retry_after="40"))
    assert isinstance(asked, Denied)
    assert asked.after == 40.0
    assert isinstance(asked.error, errors.RateLimitedError | errors.MaintenanceError)
    assert asked.error.retry_after == 40.0
    assert all(denied(operation, {"code": code}).again is Again.FREE for operation in FREE)


@pytest.mark.parametrize("code", [400, 404, 405, 413, 415, 422, 451])
def test_a_rejected_request_is_not_sent_again(code: int) -> None:
    for operation in OPERATIONS:
        outcome = denied(operation, {"code": code, "msg": "no"})
        assert isinstance(outcome.error, errors.RequestRejectedError | errors.TaskNotFoundError)
        assert outcome.again is Again.NEVER
        assert outcome.error.charged is False


@pytest.mark.parametrize(
    "answer",
    [
        reply({"code": 200, "msg": "success"}),
        reply({"code": 200, "data": None}),
        reply({"code": 200, "data": {}}),
        reply({"code": 500, "msg": "Server exception"}),
        reply({"code": 501}),
        reply({"code": 777}),
        reply({"code": -1}),
        reply({}, status=408),
        reply({}, status=409),
        reply({}, status=302),
        reply([], status=502),
        Reply(520, {}, b"<html>"),
        Reply(200, {}, b""),
        Reply(200, {}, b'{"code":200,"data":{"taskId":"t'),
        Reply(200, {}, b"[" * 100_000),
        Reply(200, {}, b'{"code":' + b"9" * 5000 + b"}"),
    ],
)
def test_anything_else_leaves_a_create_uncertain_and_a_question_open(answer: Reply) -> None:
    create = judge(CREATE, answer, subject="s1")
    assert isinstance(create, Denied)
    assert type(create.error) is errors.SubmissionUncertainError
    assert create.again is Again.NEVER
    for operation in FREE:
        outcome = judge(operation, answer)
        assert isinstance(outcome, Denied)
        assert outcome.again is Again.FREE
        assert isinstance(outcome.error, errors.ServerError | errors.UnexpectedResponseError)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["code", "msg", "message", "data", "taskId", "recordId", "state", "resultJson", "createTime", "failCode"]
)
ENVELOPES = st.recursive(
    JSON, lambda inner: st.dictionaries(FIELDS | st.text(max_size=8), inner, max_size=6), max_leaves=20
)
BODIES = st.binary() | ENVELOPES.map(lambda value: json.dumps(value).encode())
HEADERS = st.dictionaries(st.sampled_from(["date", "retry-after", "content-type"]), st.text(max_size=50))


@given(status=st.integers(0, 999), headers=HEADERS, body=BODIES)
@example(status=200, headers={}, body=b'{"data":{"state":"success","createTime":1e400}}')
@example(status=429, headers={"retry-after": "9" * 400}, body=b"")
@example(status=429, headers={"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359"}, body=b"")
def test_every_answer_has_an_outcome(status: int, headers: dict[str, str], body: bytes) -> None:
    for operation in OPERATIONS:
        outcome = judge(operation, Reply(status, headers, body), subject="s1")
        if isinstance(outcome, Denied):
            assert str(outcome.error)
            assert outcome.after >= 0
