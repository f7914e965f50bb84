"""What waits teach the policy about how long videos take."""

from __future__ import annotations

import json

import pytest
from support.fakes import FakeIO, record, session

from kling_facade import errors
from kling_facade.flows.session import Session
from kling_facade.flows.submitting import Bought
from kling_facade.flows.waiting import Watch, wait
from kling_facade.inputs import Inputs
from kling_facade.kinds import kind_asked
from kling_facade.limits import Limits
from kling_facade.ports import run
from kling_facade.wire import Reply

KIND = kind_asked(Inputs(prompt="p", duration="5", sound=False))
BEGUN = 1_795_348_800_000  # Unix milliseconds


def ended(state: str, *, after: float, **fields: object) -> Reply:
    """A record whose task took so many seconds by the service's own clock."""
    links = json.dumps({"resultUrls": ["https://files.test/a.mp4"]})
    times = {"createTime": BEGUN, "completeTime": BEGUN + int(after * 1000)}
    return record(state, resultJson=links, **times, **fields)


def wait_for(shared: Session, io: FakeIO, answer: Reply, task_id: str, *, bought: bool = True) -> None:
    io.answers = [answer]
    known = Bought(task_id, "s1", KIND, at=io.now()) if bought else None
    run(wait(Watch(shared, task_id, timeout=900, bought=known)))


def test_the_first_look_comes_when_tasks_of_its_kind_may_have_ended() -> None:
    io = FakeIO()
    shared = session(io)
    for number in range(5):
        wait_for(shared, io, ended("success", after=200), f"old{number}")
    began = io.now()
    wait_for(shared, io, ended("success", after=200), "new")
    assert 20 < io.times[-1] - began < 200


def test_a_duration_is_learned_once_however_often_its_end_is_seen() -> None:
    io = FakeIO()
    shared = session(io)
    for _ in range(9):
        wait_for(shared, io, ended("success", after=200), "t1")
    assert shared.polling.first(KIND, 0) == 10


def test_a_task_from_elsewhere_is_learned_under_the_kind_in_its_record() -> None:
    io = FakeIO()
    shared = session(io)
    param = json.dumps({"input": json.dumps({"duration": "5", "sound": False})})
    for number in range(3):
        answer = ended("success", after=200, param=param, model=KIND.model)
        wait_for(shared, io, answer, f"old{number}", bought=False)
    assert shared.polling.first(KIND, 0) > 10


def test_what_was_asked_for_counts_where_the_record_says_nothing() -> None:
    io = FakeIO()
    shared = session(io)
    for number in range(3):
        wait_for(shared, io, ended("success", after=200), f"old{number}")
    assert shared.polling.first(KIND, 0) > 10


def test_failures_teach_nothing_about_how_long_videos_take() -> None:
    io = FakeIO()
    shared = session(io)
    for number in range(5):
        with pytest.raises(errors.TaskFailedError):
            wait_for(shared, io, ended("fail", after=200), f"t{number}")
    assert shared.polling.first(KIND, 0) == 10


@pytest.mark.parametrize(
    "times", [{"completeTime": None}, {"createTime": None}, {"completeTime": BEGUN - 9000}]
)
def test_a_record_without_two_times_in_order_teaches_nothing(times: dict[str, object]) -> None:
    io = FakeIO()
    shared = session(io)
    for number in range(5):
        fields = {"createTime": BEGUN, "completeTime": BEGUN + 200_000, **times}
        links = json.dumps({"resultUrls": ["https://files.test/a.mp4"]})
        wait_for(shared, io, record("success", resultJson=links, **fields), f"t{number}")
    assert shared.polling.first(KIND, 0) == 10


def test_a_task_from_elsewhere_that_is_young_is_left_alone_until_its_kind_may_have_ended() -> None:
    io = FakeIO()
    shared = session(io)
    for number in range(20):
        wait_for(shared, io, ended("success", after=300), f"old{number}")
    param = json.dumps({"input": {"duration": "5", "sound": False}})
    young = record("generating", createTime=BEGUN, param=param, model=KIND.model)
    io.answers = [
        Reply(200, {"date": "Sun, 22 Nov 2026 12:00:05 GMT"}, young.body),
        ended("success", after=300),
    ]
    began = io.now()
    run(wait(Watch(shared, "new", timeout=900)))
    assert io.times[-1] - began == pytest.approx(shared.polling.first(KIND, 5), rel=0.05)


def test_a_full_queue_puts_off_the_first_look() -> None:
    io = FakeIO()
    shared = session(io, limits=Limits(queries=1, query_period=1.0))
    for number in range(20):
        wait_for(shared, io, ended("success", after=300), f"old{number}")
    empty = shared.polling.first(KIND, 0)
    for _ in range(30):
        shared.queries.enter()
    assert shared.queries.wait() == 30
    assert shared.polling.first(KIND, 0, queue=shared.queries.wait()) > empty


def test_without_a_limit_nobody_waits() -> None:
    shared = session(FakeIO(), limits=Limits(queries=None))
    shared.queries.enter()
    assert shared.queries.wait() == 0
