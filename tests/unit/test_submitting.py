"""The paid call is made once. The port here counts every create that the service may have accepted."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeIO, reply, session

from kling_facade import errors
from kling_facade.flows.asking import ask_credits
from kling_facade.flows.submitting import Bought, submit
from kling_facade.inputs import Inputs
from kling_facade.ports import run
from kling_facade.wire import Answer, AnswerLost, NotSent, Reply

INPUTS = Inputs(prompt="p", duration="5", sound=False)
CREATED = reply({"code": 200, "data": {"taskId": "t1"}})
BUSY = reply({"code": 429, "msg": "Too fast"})
CLOSED = reply({"code": 455})


def send(*answers: Answer, timeout: float = 900.0) -> tuple[FakeIO, Bought]:
    io = FakeIO(answers)
    return io, run(submit(session(io), "https://f.test/a.jpg", INPUTS, key=None, timeout=timeout))


def refused(*answers: Answer, timeout: float = 900.0) -> tuple[FakeIO, errors.KlingError]:
    io = FakeIO(answers)
    with pytest.raises(errors.KlingError) as caught:
        run(submit(session(io), "https://f.test/a.jpg", INPUTS, key=None, timeout=timeout))
    return io, caught.value


def test_a_create_that_succeeds_is_sent_once() -> None:
    io, submission = send(CREATED)
    assert submission.task_id == "t1"
    assert len(io.sent) == 1


def test_what_never_left_is_sent_again_up_to_three_times() -> None:
    io, submission = send(NotSent("dns"), NotSent("dns"), NotSent("dns"), CREATED)
    assert (len(io.sent), submission.task_id) == (4, "t1")
    io, error = refused(NotSent("dns"))
    assert (len(io.sent), type(error)) == (4, errors.ConnectionFailedError)
    assert "Nothing was sent or charged" in str(error)


def test_a_certificate_error_is_final() -> None:
    io, error = refused(NotSent("not trusted", hopeless=True))
    assert (len(io.sent), type(error)) == (1, errors.ConnectionFailedError)


@pytest.mark.parametrize(("answer", "least"), [(BUSY, 10.0), (CLOSED, 15.0)])
def test_a_refused_create_is_offered_five_times_well_apart(answer: Answer, least: float) -> None:
    io, submission = send(answer, answer, answer, answer, CREATED)
    assert (len(io.sent), submission.task_id) == (5, "t1")
    assert all(least <= pause <= least + 1 for pause in io.clock.sleeps)
    io, error = refused(answer)
    assert len(io.sent) == 5
    assert isinstance(error, errors.RateLimitedError | errors.MaintenanceError)
    assert (error.charged, error.retryable) == (False, True)


def test_no_turn_within_the_timeout_is_said_instead_of_waited_for() -> None:
    io, error = refused(BUSY, timeout=15)
    assert len(io.sent) == 2
    assert io.now() < 1015
    assert type(error) is errors.RateLimitedError


@pytest.mark.parametrize(
    "answer", [AnswerLost("reset"), reply({"code": 500}), Reply(502), Reply(200, {}, b"<html>"), Reply(307)]
)
def test_an_uncertain_create_is_never_sent_again(answer: Answer) -> None:
    io, error = refused(answer, CREATED)
    assert len(io.sent) == 1
    assert isinstance(error, errors.SubmissionUncertainError)
    assert error.submission_id in str(error)


ANSWERS = st.sampled_from(
    [
        CREATED,
        BUSY,
        CLOSED,
        NotSent("x"),
        AnswerLost("x"),
        Reply(500),
        Reply(520, {}, b"<"),
        reply({"code": 401}),
    ]
)
NEVER_ACCEPTED = (BUSY, CLOSED)


@given(st.lists(ANSWERS, min_size=1, max_size=8))
def test_whatever_happens_at_most_one_create_may_have_been_accepted(script: list[Answer]) -> None:
    io = FakeIO(script)
    with contextlib.suppress(errors.KlingError):
        run(submit(session(io), "https://f.test/a.jpg", INPUTS, key=None, timeout=900))
    risky = [
        answer for answer in io.answered if not isinstance(answer, NotSent) and answer not in NEVER_ACCEPTED
    ]
    assert len(risky) <= 1


def test_a_question_that_costs_nothing_is_asked_again() -> None:
    io = FakeIO([AnswerLost("x"), Reply(500), reply({"code": 200, "data": 7})])
    assert run(ask_credits(session(io))) == 7.0
    assert len(io.sent) == 3
    io = FakeIO([Reply(500)])
    with pytest.raises(errors.ServerError):
        run(ask_credits(session(io)))
    assert len(io.sent) == 3
    assert all(pause <= 1.0 for pause in io.clock.sleeps)


def test_all_attempts_at_a_question_share_one_timeout() -> None:
    io = FakeIO([AnswerLost("x")], answer_time=29.9)
    with pytest.raises(errors.ConnectionFailedError):
        run(ask_credits(session(io)))
    assert io.now() - 1000 <= 30
