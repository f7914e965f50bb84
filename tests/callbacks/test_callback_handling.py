"""Handlers that hang, fail or are left alone: nobody else waits for them, and nothing is done twice."""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.fakes import FakeIO, session
from support.senders import AT, KEY, TASK, Delivery, marked, signed

from kling_facade import ConfigurationError, Journal
from kling_facade.callbacks import Callback, CallbackInbox, CallbackVerifier
from kling_facade.callbacks.memory import RecentMemory
from kling_facade.workers import Workers, on_thread

Handler = Callable[[Callback], object]


def inbox(handler: Handler | None = None, **options: Any) -> CallbackInbox:
    verifier = CallbackVerifier(KEY, clock=lambda: AT)
    return CallbackInbox(verifier, url="https://app.test/kling", handler=handler, **options)


@pytest.fixture(params=["memory", "journal"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journal | None:
    return Journal(tmp_path / "journal.db") if request.param == "journal" else None


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """What handlers that hang wait for."""
    event = threading.Event()
    yield event
    event.set()


def test_handlers_that_hang_hold_up_no_other_work(held: threading.Event) -> None:
    entered = threading.Semaphore(0)

    def hang(_callback: Callback) -> None:
        entered.release()
        assert held.wait(20)

    async def main() -> None:
        receiver = inbox(hang)
        deliveries = [asyncio.create_task(receiver.receive_async(*signed(f"t{i}"))) for i in range(50)]
        while not entered.acquire(blocking=False):
            await asyncio.sleep(0.001)
        async with asyncio.timeout(10):
            assert await on_thread(lambda: "the journal of a submit") == "the journal of a submit"
            assert await asyncio.to_thread(lambda: "the application's own") == "the application's own"
            assert (await receiver.receive_async(*Delivery({}, b"junk"))).status == 401
            while not receiver.waiters.news("t49"):  # a wait need not wait for the handler
                await asyncio.sleep(0.001)
        assert not any(delivery.done() for delivery in deliveries)
        held.set()
        assert {(await delivery).status for delivery in deliveries} == {200}

    asyncio.run(main())


def test_the_application_cannot_use_up_the_threads_of_the_journal(held: threading.Event) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        hogs = [loop.run_in_executor(None, held.wait, 20) for _ in range(2)]
        async with asyncio.timeout(10):
            assert await on_thread(lambda: 7) == 7
        held.set()
        await asyncio.gather(*hogs)

    asyncio.run(main())


def test_a_sender_that_goes_away_does_not_end_the_handler(journal: Journal | None) -> None:
    runs: list[str] = []

    async def main() -> None:
        go_on, done = asyncio.Event(), asyncio.Event()

        async def handle(callback: Callback) -> None:
            runs.append(callback.task_id)
            await go_on.wait()
            done.set()

        receiver = inbox(handle, journal=journal, handler_timeout=0.001)
        request = asyncio.create_task(receiver.receive_async(*signed()))
        while not runs:
            await asyncio.sleep(0.001)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        go_on.set()
        await done.wait()
        while receiver._deliveries:
            await asyncio.sleep(0.001)
        assert (await receiver.receive_async(*signed())).status == 200
        assert runs == [TASK]

    asyncio.run(main())


@pytest.mark.parametrize("turns", range(6))
def test_a_request_that_is_cancelled_early_loses_no_callback(turns: int, journal: Journal | None) -> None:
    runs: list[str] = []

    async def handle(callback: Callback) -> None:
        runs.append(callback.task_id)

    async def main() -> None:
        receiver = inbox(handle, journal=journal)
        request = asyncio.create_task(receiver.receive_async(*signed()))
        for _ in range(turns):
            await asyncio.sleep(0)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        while receiver._deliveries:
            await asyncio.sleep(0.001)
        assert (await receiver.receive_async(*signed())).status == 200
        assert runs == [TASK]

    asyncio.run(main())


def test_a_loop_that_ends_gives_the_claim_of_its_handler_back(journal: Journal | None) -> None:
    runs: list[str] = []

    async def hang(callback: Callback) -> None:
        runs.append(callback.task_id)
        await asyncio.sleep(60)

    receiver = inbox(hang, journal=journal)

    async def main(worker: int) -> None:
        request = asyncio.create_task(receiver.receive_async(*signed()))
        while len(runs) < worker and not request.done():
            await asyncio.sleep(0.001)

    asyncio.run(main(1))
    asyncio.run(main(2))
    assert runs == [TASK, TASK]


def test_the_loop_goes_on_while_another_process_has_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)

    async def main() -> None:
        loop, beats = asyncio.get_running_loop(), 0

        async def fail(_callback: Callback) -> None:
            other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            other.execute("BEGIN IMMEDIATE")

            def let_go() -> None:
                other.rollback()
                other.close()

            loop.call_later(0.3, let_go)
            raise ValueError

        delivery = asyncio.create_task(inbox(fail, journal=journal).receive_async(*signed()))
        while not delivery.done():  # were the loop held up, nobody would let go
            await asyncio.sleep(0.01)
            beats += 1
        assert delivery.result().status == 500
        assert beats > 5

    asyncio.run(main())


class Forgetful(RecentMemory):
    """Cannot write down that a task was handled, the first time."""

    failures = 1

    def finish(self, task_id: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ConfigurationError("the journal cannot be used")
        super().finish(task_id)


def test_a_success_that_could_not_be_written_down_is_remembered_here(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs: list[Callback] = []
    memory = Forgetful()
    receiver = inbox(runs.append, journal=memory, handler_timeout=0.001)
    assert receiver.receive(*signed()).status == 200
    time.sleep(0.002)  # the claim runs out
    assert receiver.receive(*signed()).status == 200
    assert len(runs) == 1
    assert memory.claim(TASK, owner="o", seconds=1) == "finished"
    assert "could not be written down" in caplog.text


@pytest.mark.parametrize("call", [False, True])
def test_whatever_is_asynchronous_runs_on_the_loop(call: bool) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def note(_also: str, _callback: Callback) -> None:
        loops.append(asyncio.get_running_loop())

    class Noting:
        async def __call__(self, callback: Callback) -> None:
            await note("", callback)

    async def main() -> None:
        receiver = inbox(Noting() if call else partial(note, ""))
        assert (await receiver.receive_async(*signed())).status == 200
        assert loops == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_what_only_turns_out_to_be_asynchronous_is_a_failure_that_says_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handle(_callback: Callback, _also: str) -> None:
        """Never runs."""

    receiver = inbox(lambda callback: handle(callback, ""))
    assert asyncio.run(receiver.receive_async(*signed())).status == 500
    assert "async def" in caplog.text


# A client made later


def test_what_arrived_before_the_client_was_made_gets_into_its_journal(tmp_path: Path) -> None:
    journal, runs = Journal(tmp_path / "journal.db"), list[Callback]()
    assert journal.begin("s1", service="https://a.test", key="k", digest="d", timeout=30) is None
    journal.end("s1", "unknown", None)
    receiver = inbox(runs.append)
    delivery = marked(receiver.callback_url("s1") or "", "t1")
    assert receiver.receive(*delivery).status == 200
    session(FakeIO(), inbox=receiver, journal=journal)
    assert [(entry.submission_id, entry.task_id) for entry in journal.submissions()] == [("s1", "t1")]
    assert receiver.receive(*delivery).status == 200
    assert len(runs) == 1


# Threads


def test_a_forked_process_gets_threads_of_its_own() -> None:
    workers = Workers(1, name="test")
    assert workers.submit(lambda: 1).result(5) == 1

    def child() -> None:
        assert workers.submit(lambda: 2).result(5) == 2

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(20)
    assert process.exitcode == 0
    workers.close()


def test_threads_that_cannot_be_started_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(2, name="test")
    with monkeypatch.context() as patched:

        def fail(_thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patched.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError, match="new thread"):
            workers.submit(lambda: 1)
    assert workers.submit(lambda: 2).result(5) == 2
    workers.close()


# What breakers found


@pytest.mark.parametrize("handler_timeout", [60, 0.2])
def test_with_every_thread_hanging_duplicates_are_answered_and_in_time_others_too(
    handler_timeout: float, held: threading.Event
) -> None:
    entered = threading.Semaphore(0)

    def hang(callback: Callback) -> None:
        entered.release()
        assert callback.task_id == "next" or held.wait(60)

    async def main() -> None:
        receiver = inbox(hang, handler_timeout=handler_timeout)
        deliveries = [asyncio.create_task(receiver.receive_async(*signed(f"t{i}"))) for i in range(8)]
        for _ in deliveries:
            while not entered.acquire(blocking=False):
                await asyncio.sleep(0.001)
        async with asyncio.timeout(30):
            if handler_timeout == 60:
                assert (await receiver.receive_async(*signed("t0"))).status == 503
            else:  # they are taken for dead, and replaced
                while (await receiver.receive_async(*signed("next"))).status == 503:
                    await asyncio.sleep(0.01)
        held.set()
        await asyncio.gather(*deliveries)

    asyncio.run(main())


def test_a_handler_that_is_cancelled_from_within_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    async def cancelled(_callback: Callback) -> None:
        raise asyncio.CancelledError

    assert asyncio.run(inbox(cancelled).receive_async(*signed())).status == 500
    assert "the handler was cancelled" in caplog.text


def test_what_a_handler_does_while_a_journal_is_lent_is_done_once(tmp_path: Path) -> None:
    runs: list[str] = []
    journal = Journal(tmp_path / "journal.db")

    def handle(callback: Callback) -> None:
        runs.append(callback.task_id)
        receiver.lend(journal)
        assert receiver.receive(*signed()).status == 503

    receiver = inbox(handle)
    assert [receiver.receive(*signed()).status for _ in range(2)] == [200, 200]
    assert runs == [TASK]
    assert journal.claim(TASK, owner="o", seconds=1) == "finished"
