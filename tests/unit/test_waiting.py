"""Waiting: exact to the deadline, patient with the network, honest about the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeIO, record, reply, session, success

from kling_facade import errors
from kling_facade.flows.submitting import Bought
from kling_facade.flows.waiting import Watch, generate, wait
from kling_facade.inputs import Inputs
from kling_facade.kinds import kind_asked
from kling_facade.polling import PollPolicy
from kling_facade.ports import run
from kling_facade.records import TaskStatus
from kling_facade.wire import Answer, AnswerLost, NotSent, Reply

NOT_FOUND = reply({"code": 422, "msg": "recordInfo is null", "data": None})
INPUTS = Inputs(prompt="p", duration="5", sound=False)
KIND = kind_asked(INPUTS)


def watch(io: FakeIO, *, timeout: float = 900.0, bought: Bought | None = None) -> Watch:
    return Watch(session(io), "t1", timeout=timeout, bought=bought)


def seen(io: FakeIO, *, timeout: float = 900.0) -> list[str]:
    watching, states = watch(io, timeout=timeout), list[str]()
    while (status := run(watching.step())) is not None:
        states.append(status.state)
    return states


def test_every_look_is_reported_changed_or_not() -> None:
    io = FakeIO([record("waiting"), record("waiting"), record("generating"), success()])
    assert seen(io) == ["waiting", "waiting", "generating", "success"]


def test_updates_end_with_a_failure_without_raising() -> None:
    assert seen(FakeIO([record("waiting"), record("fail", failMsg="timed out")])) == ["waiting", "fail"]


def test_a_wait_for_a_finished_task_takes_one_look() -> None:
    io = FakeIO([success()])
    status = run(wait(watch(io)))
    assert status.urls == ("https://files.test/a.mp4",)
    assert len(io.sent) == 1
    assert io.clock.sleeps == []


def test_a_task_just_submitted_is_not_looked_at_in_vain() -> None:
    io = FakeIO([success()])
    run(wait(watch(io, bought=Bought("t1", "s1", KIND, at=io.now() - 4))))
    assert io.times == [1006.0]


def test_the_same_request_is_sent_again_and_again() -> None:
    io = FakeIO([record("waiting"), record("waiting"), success()])
    seen(io)
    assert len({id(request) for request in io.sent}) == 1


@pytest.mark.parametrize("timeout", [0.5, 2.0, 10.0, 900.0])
@pytest.mark.parametrize("answer_time", [0.0, 0.3, 60.0])
def test_wait_stops_at_the_deadline(timeout: float, answer_time: float) -> None:
    io = FakeIO([record("generating")], answer_time=answer_time)
    began = io.now()
    with pytest.raises(errors.WaitTimeoutError) as caught:
        run(wait(watch(io, timeout=timeout)))
    assert io.now() - began == pytest.approx(timeout)
    assert caught.value.task_id == "t1"
    assert "kling.task('t1')" in str(caught.value)
    assert not isinstance(caught.value, TimeoutError)


@given(st.floats(0.01, 2000), st.integers(), st.floats(0, 40))
def test_the_deadline_is_kept_whatever_the_policy_and_the_network(
    timeout: float, seed: int, answer: float
) -> None:
    io = FakeIO([record("generating")], answer_time=answer)
    began = io.now()
    with pytest.raises(errors.WaitTimeoutError):
        run(wait(Watch(session(io, PollPolicy(7, seed=seed)), "t1", timeout=timeout)))
    assert io.now() - began == pytest.approx(timeout)


def test_a_task_that_ends_shortly_before_the_deadline_is_not_called_late() -> None:
    io = FakeIO([record("generating"), record("generating"), success()])
    run(wait(Watch(session(io, PollPolicy(30)), "t1", timeout=100)))
    assert io.times[-1] == pytest.approx(1099)


def test_an_unknown_state_keeps_waiting_and_is_named_in_the_timeout() -> None:
    with pytest.raises(errors.WaitTimeoutError, match="'upscaling'") as caught:
        run(wait(watch(FakeIO([record("upscaling")]), timeout=60)))
    assert caught.value.status is not None


@pytest.mark.parametrize(
    "trouble",
    [
        AnswerLost("reset"),
        NotSent("no route"),
        Reply(503, {}, b""),
        Reply(202, {}, b""),
        Reply(520, {}, b"<html>"),
        Reply(200, {}, b"<html>"),
        reply({"code": 429}),
        reply({"code": 455}),
        reply({"code": 500, "msg": "Server exception"}),
        reply({"code": 200, "data": None}),
    ],
)
def test_a_passing_trouble_is_endured(trouble: Answer) -> None:
    assert seen(FakeIO([*[trouble] * 20, success()])) == ["success"]
    with pytest.raises(errors.WaitTimeoutError, match="no look at it succeeded; the last trouble"):
        seen(FakeIO([trouble]), timeout=60)


def test_a_service_that_asks_for_time_gets_it() -> None:
    io = FakeIO([reply({"code": 429}, retry_after="50"), success()])
    seen(io)
    assert io.clock.sleeps == [50.0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"code": 401, "msg": "Unauthorized"}), errors.AuthenticationError),
        (reply({"code": 433}), errors.QuotaExceededError),
        (reply({"code": 422, "msg": "taskId is required"}), errors.RequestRejectedError),
        (NotSent("not trusted", hopeless=True), errors.ConnectionFailedError),
    ],
)
def test_what_waiting_cannot_mend_is_raised_at_once_and_names_the_task(
    answer: Answer, kind: type[errors.KlingError]
) -> None:
    io = FakeIO([answer])
    with pytest.raises(kind) as caught:
        seen(io)
    assert len(io.sent) == 1
    assert caught.value.task_id == "t1"


def test_a_task_not_visible_yet_is_waited_for_thirty_seconds() -> None:
    assert seen(FakeIO([NOT_FOUND, NOT_FOUND, success()])) == ["success"]
    io = FakeIO([NOT_FOUND])
    with pytest.raises(errors.TaskNotFoundError):
        seen(io)
    assert 30 <= io.now() - 1000 <= 40


def test_an_id_that_the_service_never_knew_is_not_called_paid() -> None:
    with pytest.raises(errors.WaitTimeoutError, match="Is the id right?") as caught:
        run(wait(watch(FakeIO([NOT_FOUND]), timeout=20)))
    assert "paid" not in str(caught.value)


def test_success_without_a_link_is_said_at_once() -> None:
    io = FakeIO([record("success", resultJson="")])
    with pytest.raises(errors.ResultMissingError, match="paid for") as caught:
        run(wait(watch(io)))
    assert caught.value.status.succeeded


def test_a_failed_task_is_an_error_that_says_what_to_do() -> None:
    io = FakeIO([record("fail", failCode="500", failMsg="Your input was rejected. Sorry.")])
    with pytest.raises(errors.TaskFailedError, match=r"refunded.*Change the prompt") as caught:
        run(wait(watch(io)))
    assert caught.value.failure.kind == "moderation"
    assert caught.value.task_id == "t1"


CREATED = reply({"code": 200, "data": {"taskId": "t1"}})


def test_generate_has_one_deadline_for_all_of_it() -> None:
    io = FakeIO([CREATED, record("generating")], answer_time=5)
    with pytest.raises(errors.WaitTimeoutError):
        run(generate(session(io), "https://f.test/a.jpg", INPUTS, key=None, timeout=100))
    assert io.now() == pytest.approx(1100)
    assert [request.method for request in io.sent].count("POST") == 1


class Interrupt(BaseException):
    """What Ctrl-C does."""


def test_an_interrupted_generate_leaves_the_id_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def interrupt(status: TaskStatus) -> None:
        raise Interrupt

    with pytest.raises(Interrupt):
        run(
            generate(
                session(FakeIO([CREATED, record("waiting")])),
                "https://f.test/a.jpg",
                INPUTS,
                key=None,
                timeout=100,
                on_update=interrupt,
            )
        )
    assert "kling.task('t1')" in caplog.text
    assert caplog.records[-1].levelname == "WARNING"
