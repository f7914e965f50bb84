"""A wait ends with the callback, and ends all the same when the callback is lost."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeIO, record, reply, session, success
from support.rawserver import wait_for
from support.senders import KEY, marked
from support.servers import wsgi_server

from kling_facade import InvalidInputError, Journal, PollPolicy
from kling_facade import SubmissionUncertainError as Uncertain
from kling_facade.callbacks import Callback, CallbackInbox, CallbackVerifier, wsgi_app
from kling_facade.clock import RealClock
from kling_facade.flows.submitting import Bought, submit
from kling_facade.flows.waiting import Watch, wait
from kling_facade.inputs import Inputs
from kling_facade.kinds import kind_asked
from kling_facade.ports import run
from kling_facade.sandbox import Answer, Sandbox
from kling_facade.wire import Answer as WireAnswer
from kling_facade.wire import Reply, Request

INPUTS = Inputs(prompt="p", duration="5", sound=False)
URL = "https://app.test/kling"
ENDS = 75.0  # seconds after the create


class Service(FakeIO):
    """Tasks that end after a while; each look is told apart by its task."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: dict[str, float] = {}
        self.looks: dict[str, int] = {}

    async def send(self, request: Request, *, timeout: float) -> WireAnswer:
        if request.method == "POST":
            task_id = f"t{len(self.ends)}"
            self.ends[task_id] = self.now() + ENDS
            return reply({"code": 200, "data": {"taskId": task_id}})
        task_id = request.params["taskId"]
        self.looks[task_id] = self.looks.get(task_id, 0) + 1
        return success() if self.now() >= self.ends[task_id] else record("generating")


def inbox(handler: Callable[[Callback], object] | None = None, **options: Any) -> CallbackInbox:
    return CallbackInbox(CallbackVerifier(KEY), url=URL, handler=handler, **options)


def call(receiver: CallbackInbox, task_id: str, submission_id: str = "") -> int:
    """A genuine callback arrives."""
    url = receiver.callback_url(submission_id or f"of {task_id}")
    assert url
    return receiver.receive(*marked(url, task_id)).status


def finish(io: Service, receiver: CallbackInbox, *delays: float, bought: bool = True) -> float:
    """Buys and waits, with callbacks so long after the end; how long after the end the wait was over."""
    opened = session(io, inbox=receiver)
    task = run(submit(opened, "https://f.test/a.jpg", INPUTS, key=None, timeout=900.0))
    for delay in delays:
        io.clock.events.append((io.ends[task.task_id] + delay, lambda: call(receiver, task.task_id)))
    watch = Watch(opened, task.task_id, timeout=900.0, bought=task if bought else None)
    assert run(wait(watch)).succeeded
    return io.now() - io.ends[task.task_id]


def experienced() -> CallbackInbox:
    """An inbox that has received a callback before."""
    receiver = inbox()
    receiver.waiters.expect("an earlier task")
    assert call(receiver, "an earlier task") == 200
    return receiver


def test_a_wait_ends_with_the_callback_and_takes_one_look() -> None:
    io = Service()
    assert finish(io, experienced(), 0.5) == pytest.approx(0.5)
    assert io.looks == {"t0": 1}


def test_as_long_as_no_callback_was_ever_received_looks_are_taken_as_often_as_without() -> None:
    with_inbox, without = Service(), Service()
    finish(with_inbox, inbox())
    opened = session(without)
    task = run(submit(opened, "https://f.test/a.jpg", INPUTS, key=None, timeout=900.0))
    run(wait(Watch(opened, task.task_id, timeout=900.0, bought=task)))
    assert with_inbox.looks == without.looks
    assert with_inbox.looks["t0"] > 5


def test_a_wait_still_ends_when_the_callback_is_lost() -> None:
    io = Service()
    assert finish(io, experienced()) < 240
    assert io.looks["t0"] <= 3


def test_a_callback_that_came_before_the_wait_is_not_waited_for() -> None:
    io, receiver = Service(), experienced()
    opened = session(io, inbox=receiver)
    task = run(submit(opened, "https://f.test/a.jpg", INPUTS, key=None, timeout=900.0))
    io.clock.time = io.ends["t0"]
    call(receiver, "t0")
    began = io.now()
    assert run(wait(Watch(opened, "t0", timeout=900.0, bought=task))).succeeded
    assert (io.now(), io.looks) == (began, {"t0": 1})


def test_a_task_of_another_process_is_looked_at_once_more_when_it_is_called() -> None:
    io = Service()
    assert finish(io, experienced(), 0.0, bought=False) == 0.0
    assert io.looks == {"t0": 2}


def test_a_callback_that_lies_costs_a_look_and_no_more_trust() -> None:
    """Whoever knows a callback URL can say that the task has ended; the record knows better."""
    io = Service()
    assert finish(io, experienced(), -60.0) < 10
    assert 2 < io.looks["t0"] < 30


def test_what_another_saw_before_the_callback_is_not_taken_for_its_news() -> None:
    io, receiver = Service(), experienced()
    opened = session(io, inbox=receiver)
    task = run(submit(opened, "https://f.test/a.jpg", INPUTS, key=None, timeout=900.0))
    watch, other = Watch(opened, "t0", timeout=900.0, bought=task), Watch(opened, "t0", timeout=900.0)
    io.clock.events.append((io.ends["t0"] - 1, lambda: run(other.step())))
    io.clock.events.append((io.ends["t0"], lambda: call(receiver, "t0")))
    status = run(watch.step())
    assert status
    assert (status.state, io.now()) == ("success", io.ends["t0"])


def test_two_waiters_for_one_task_both_end_with_its_callback() -> None:
    io, receiver = Service(), experienced()
    opened = session(io, inbox=receiver)
    task = run(submit(opened, "https://f.test/a.jpg", INPUTS, key=None, timeout=900.0))
    watches = [Watch(opened, task.task_id, timeout=900.0, bought=task) for _ in range(2)]
    io.clock.events.append((io.ends["t0"], lambda: call(receiver, "t0")))
    assert [run(wait(watch)).succeeded for watch in watches] == [True, True]
    assert io.now() == io.ends["t0"]
    assert io.looks["t0"] <= 2


def plain_looks() -> int:
    """How many looks a wait takes that has no inbox."""
    io = Service()
    opened = session(io)
    task = run(submit(opened, "https://f.test/a.jpg", INPUTS, key=None, timeout=900.0))
    run(wait(Watch(opened, task.task_id, timeout=900.0, bought=task)))
    return io.looks["t0"]


def test_the_callbacks_of_other_tasks_tell_nothing_of_one_with_a_url_of_its_own() -> None:
    io, own = Service(), Inputs(prompt="p", duration="5", sound=False, callback_url="https://else.test/")
    opened = session(io, inbox=experienced())
    task = run(submit(opened, "https://f.test/a.jpg", own, key=None, timeout=900.0))
    run(wait(Watch(opened, task.task_id, timeout=900.0, bought=task)))
    assert io.looks["t0"] == plain_looks()


def test_waits_do_not_go_by_callbacks_of_which_many_arrive_elsewhere() -> None:
    """As with two web workers, where every second callback comes to the other one."""
    io, receiver = Service(), experienced()
    opened, late = session(io, PollPolicy(seed=1), inbox=receiver), list[float]()
    for number in range(40):
        task = run(submit(opened, "https://f.test/a.jpg", INPUTS, key=None, timeout=900.0))
        if number % 2:
            arrive = partial(call, receiver, task.task_id)
            io.clock.events.append((io.ends[task.task_id] + 0.2, arrive))
        run(wait(Watch(opened, task.task_id, timeout=900.0, bought=task)))
        late.append(io.now() - io.ends[task.task_id])
    assert sum(delay > 20 for delay in late) <= 1  # the first, as nothing was known then
    assert io.looks["t39"] > 5


def test_the_tasks_of_other_processes_tell_nothing() -> None:
    io, receiver = Service(), inbox()
    for number in range(100):
        call(receiver, f"of another worker {number}")
    finish(io, receiver)
    assert io.looks["t0"] == plain_looks()


def test_what_was_missed_long_ago_is_forgiven() -> None:
    waiters = inbox().waiters
    for number in range(2000):
        waiters.expect(f"m{number}")
        waiters.miss(f"m{number}")
    for number in range(200):
        waiters.expect(f"t{number}")
        waiters.tell(f"t{number}")
    waiters.expect("next")
    assert waiters.relied_on("next")
    for number in range(30):
        waiters.expect(f"n{number}")
        waiters.miss(f"n{number}")
    assert not waiters.relied_on("next")


def test_who_knows_one_url_cannot_spend_the_queries_of_all() -> None:
    io, receiver = Service(), experienced()
    for _ in range(50):
        assert call(receiver, "t0", "of t0") == 200
    finish(io, receiver, *(second / 10 - 70 for second in range(300)))
    assert io.looks["t0"] <= plain_looks() + 3


def test_a_callback_that_is_late_counts_as_one_that_came() -> None:
    io, receiver = Service(), experienced()
    for _ in range(10):
        task_id = f"t{len(io.ends)}"
        finish(io, receiver)
        assert call(receiver, task_id) == 200
    assert finish(io, receiver, 0.5) == pytest.approx(0.5)
    assert io.looks[f"t{len(io.ends) - 1}"] == 1


def test_a_wait_does_not_wait_for_the_handler() -> None:
    io = Service()

    def handle(callback: Callback) -> None:
        assert receiver.waiters.news(callback.task_id) == 1

    receiver = inbox(handle)
    finish(io, receiver, 0.0)


@given(st.lists(st.lists(st.floats(-ENDS, 400), max_size=4), min_size=1, max_size=4), st.randoms())
def test_lost_doubled_early_late_and_reordered_callbacks_end_every_wait_once(
    plan: list[list[float]], chance: Any
) -> None:
    io, handled = Service(), list[str]()

    def handle(callback: Callback) -> None:
        if chance.random() < 0.3:
            raise ValueError
        handled.append(callback.task_id)

    receiver = inbox(handle)
    opened = session(io, PollPolicy(seed=1), inbox=receiver)
    delivered: dict[str, list[int]] = {}
    for delays in plan:
        task = run(submit(opened, "https://f.test/a.jpg", INPUTS, key=None, timeout=900.0))
        for delay in delays:

            def deliver(task_id: str = task.task_id) -> None:
                delivered.setdefault(task_id, []).append(call(receiver, task_id))

            io.clock.events.append((io.ends[task.task_id] + delay, deliver))
    for task_id in io.ends:
        bought = Bought(task_id, "s", kind_asked(INPUTS), 1000.0)
        watch, ends = Watch(opened, task_id, timeout=2000.0, bought=bought), 0
        while (status := run(watch.step())) is not None:
            ends += status.done
        assert ends == 1
    io.clock.sleep(1000)
    for task_id, answers in delivered.items():
        assert handled.count(task_id) == (200 in answers)
        assert answers == sorted(answers, reverse=True)  # once 200, always 200


# What is sent


def sent(io: FakeIO) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(io.sent[-1].body or b"")
    return document


CREATED = reply({"code": 200, "data": {"taskId": "t1"}})


def test_each_submission_carries_the_url_of_the_inbox_and_its_own_mark() -> None:
    io, receiver = FakeIO([CREATED]), inbox()
    for _ in range(2):
        bought = run(submit(session(io, inbox=receiver), "https://f.test/a.jpg", INPUTS, key=None, timeout=9))
        assert sent(io)["callBackUrl"] == receiver.callback_url(bought.submission_id)
    assert len({request.body for request in io.sent}) == 2


def test_a_url_that_the_caller_names_is_sent_as_it_is() -> None:
    io = FakeIO([CREATED])
    own = Inputs(prompt="p", duration="5", sound=False, callback_url="https://elsewhere.test/?a=1")
    run(submit(session(io, inbox=inbox()), "https://f.test/a.jpg", own, key=None, timeout=9))
    assert sent(io)["callBackUrl"] == "https://elsewhere.test/?a=1"


def test_an_inbox_without_a_url_sends_none() -> None:
    io = FakeIO([CREATED])
    silent = CallbackInbox(CallbackVerifier(KEY))
    run(submit(session(io, inbox=silent), "https://f.test/a.jpg", INPUTS, key=None, timeout=9))
    assert "callBackUrl" not in sent(io)


def test_the_mark_does_not_make_a_repeated_key_another_order(tmp_path: Path) -> None:
    io, journal = FakeIO([CREATED]), Journal(tmp_path / "journal.db")
    for receiver in (inbox(), inbox(), None):
        opened = session(io, inbox=receiver, journal=journal)
        assert run(submit(opened, "https://f.test/a.jpg", INPUTS, key="k", timeout=9)).task_id == "t1"
    assert len(io.sent) == 1


@pytest.mark.parametrize(
    "url", ["kling", "ftp://a.test/", "https://a.test/#here", "https://a .test/", "https://"]
)
def test_an_inbox_with_a_url_that_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError, match="inbox"):
        session(FakeIO(), inbox=CallbackInbox(CallbackVerifier(KEY), url=url))


def test_a_create_whose_answer_is_lost_is_found_again_by_its_callback(tmp_path: Path) -> None:
    io, journal, receiver = FakeIO([Reply(502)]), Journal(tmp_path / "journal.db"), inbox()
    opened = session(io, inbox=receiver, journal=journal)
    with pytest.raises(Uncertain) as caught:
        run(submit(opened, "https://f.test/a.jpg", INPUTS, key="k", timeout=9))
    assert call(receiver, "t9", caught.value.submission_id) == 200
    [entry] = journal.submissions()
    assert (entry.state, entry.task_id) == ("submitted", "t9")
    assert run(submit(opened, "https://f.test/a.jpg", INPUTS, key="k", timeout=9)).task_id == "t9"
    assert len(io.sent) == 1


# Over real HTTP, with both clients

Connect = Callable[..., Any]


@contextmanager
def receiving(handler: Callable[[Callback], object] | None = None, **options: Any) -> Iterator[CallbackInbox]:
    receiver = CallbackInbox(CallbackVerifier(KEY), handler=handler, **options)
    with wsgi_server(wsgi_app(receiver)) as url:
        receiver.url = url
        yield receiver


@pytest.fixture(params=[KEY, None], ids=["signed", "unsigned"])
def service(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(webhook_key=request.param) as sandbox:
        yield sandbox


def test_a_video_is_made_with_one_look_where_callbacks_arrive(
    service: Sandbox, connect: Connect, picture: Path
) -> None:
    handled: list[str] = []
    with receiving(lambda callback: handled.append(callback.task_id)) as receiver:
        kling = connect(service.url, clock=service.clock, inbox=receiver)
        first = kling.submit(picture, "p")
        first.wait()
        for _ in range(3):
            before = len(looks(service))
            task = kling.submit(picture, "p")
            assert task.wait().urls
            assert len(looks(service)) - before == 1
            wait_for(partial(handled.__contains__, task.id))
    assert len(handled) == len(set(handled)) == 4


def looks(sandbox: Sandbox) -> list[object]:
    return [request for request in sandbox.requests if request.path.endswith("recordInfo")]


def test_an_uncertain_submission_is_recovered_by_its_callback(
    service: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    with receiving() as receiver:
        kling = connect(service.url, clock=service.clock, inbox=receiver, journal=tmp_path / "journal.db")
        service.inject("create", Answer(502), accept=True)
        with pytest.raises(Uncertain) as caught:
            kling.submit("https://f.test/a.jpg", "p", key="k")
        [before] = kling.recover()
        assert (before.state, before.task_id) == ("unknown", None)
        service.clock.advance(600)
        task_id = next(iter(service.tasks))
        kling.task(task_id).wait()
        wait_for(lambda: receiver.waiters.news(task_id) > 0)
        [after] = kling.recover()
        assert (after.submission_id, after.task_id) == (caught.value.submission_id, task_id)
        assert kling.submit("https://f.test/a.jpg", "p", key="k").id == task_id
        assert len(service.tasks) == 1


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_sleeper_is_woken_in_real_time(asynchronous: bool) -> None:
    wake, began = Future[None](), time.monotonic()
    threading.Timer(0.02, wake.set_result, [None]).start()
    if asynchronous:
        asyncio.run(RealClock().async_sleep(30, wake))
    else:
        RealClock().sleep(30, wake)
    assert time.monotonic() - began < 10
