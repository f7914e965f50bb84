"""For each task the handler runs until it has succeeded once, and never again."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.rawserver import wait_for
from support.senders import AT, KEY, TASK, Delivery, body, marked, signed

from kling_facade import ConfigurationError, InvalidInputError, Journal
from kling_facade.callbacks import Callback, CallbackInbox, CallbackVerifier
from kling_facade.callbacks.memory import RecentMemory

Make = Callable[..., CallbackInbox]


@pytest.fixture(params=["memory", "journal"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes inboxes of one application, which remember here or there."""
    journal = Journal(tmp_path / "journal.db") if request.param == "journal" else RecentMemory()

    def make(handler: Callable[[Callback], object] | None = None, **options: Any) -> CallbackInbox:
        verifier = CallbackVerifier(KEY, clock=lambda: AT)
        return CallbackInbox(
            verifier, url="https://app.test/kling", handler=handler, journal=journal, **options
        )

    return make


def statuses(inbox: CallbackInbox, *deliveries: Delivery) -> list[int]:
    return [inbox.receive(*delivery).status for delivery in deliveries]


def test_a_task_is_handled_once_however_often_it_is_delivered(make: Make) -> None:
    handled: list[Callback] = []
    inbox = make(handled.append)
    assert statuses(inbox, signed(), signed(), signed("other"), signed()) == [200] * 4
    assert [callback.task_id for callback in handled] == [TASK, "other"]
    assert statuses(make(handled.append), signed()) == [200]
    assert len(handled) == 2


def test_a_handler_that_fails_is_run_again_by_the_next_delivery(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[str] = []

    def fail_twice(callback: Callback) -> None:
        runs.append(callback.task_id)
        if len(runs) < 3:
            raise ValueError("the disk is full")

    inbox = make(fail_twice)
    assert statuses(inbox, signed(), signed(), signed(), signed()) == [500, 500, 200, 200]
    assert len(runs) == 3
    assert "the disk is full" in caplog.text
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_what_is_not_genuine_is_not_handled(make: Make) -> None:
    handled: list[Callback] = []
    inbox = make(handled.append)
    assert statuses(inbox, Delivery({}, body()), signed(key="wrong"), Delivery({}, b"\xff")) == [401] * 3
    assert statuses(inbox, signed()._replace(body=b"\xff")) == [400]
    assert handled == []
    assert inbox.waiters.news() == 0


class Slow:
    """A handler that is held up until it is let go."""

    def __init__(self) -> None:
        self.runs = 0
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, _callback: Callback) -> None:
        self.runs += 1
        self.entered.set()
        assert self.go_on.wait(5)


@pytest.fixture
def slow() -> Iterator[Slow]:
    handler = Slow()
    yield handler
    handler.go_on.set()


def test_a_second_delivery_while_the_handler_runs_is_told_to_come_again(make: Make, slow: Slow) -> None:
    inbox = make(slow)
    first: list[int] = []
    thread = threading.Thread(target=lambda: first.extend(statuses(inbox, signed())))
    thread.start()
    assert slow.entered.wait(5)
    assert statuses(inbox, signed(), signed()) == [503, 503]
    assert statuses(make(slow), signed()) == [503]
    slow.go_on.set()
    thread.join()
    assert first == [200]
    assert statuses(inbox, signed()) == [200]
    assert slow.runs == 1


def test_the_claim_of_a_worker_that_died_runs_out(make: Make, slow: Slow) -> None:
    thread = threading.Thread(target=lambda: statuses(make(slow, handler_timeout=0.001), signed()))
    thread.start()
    assert slow.entered.wait(5)
    handled: list[Callback] = []
    wait_for(lambda: statuses(make(handled.append), signed()) == [200])
    assert len(handled) == 1
    slow.go_on.set()
    thread.join()
    assert statuses(make(handled.append), signed()) == [200]
    assert len(handled) == 1


def test_who_fails_late_does_not_undo_what_another_has_done(make: Make, slow: Slow) -> None:
    def fail_late(callback: Callback) -> None:
        slow(callback)
        raise ValueError

    thread = threading.Thread(target=lambda: statuses(make(fail_late, handler_timeout=0.001), signed()))
    thread.start()
    assert slow.entered.wait(5)
    handled: list[Callback] = []
    wait_for(lambda: statuses(make(handled.append), signed()) == [200])
    slow.go_on.set()
    thread.join()
    assert statuses(make(handled.append), signed()) == [200]
    assert len(handled) == 1


@pytest.mark.parametrize("kind", ["memory", "journal"])
def test_who_fails_late_does_not_give_back_the_claim_of_another(kind: str, tmp_path: Path) -> None:
    memory = RecentMemory() if kind == "memory" else Journal(tmp_path / "journal.db")
    assert memory.claim(TASK, owner="slow", seconds=-1) == "taken"
    assert memory.claim(TASK, owner="next", seconds=60) == "taken"
    memory.release(TASK, owner="slow")
    assert memory.claim(TASK, owner="third", seconds=60) == "busy"
    memory.release(TASK, owner="next")
    assert memory.claim(TASK, owner="third", seconds=60) == "taken"


def test_many_threads_with_one_delivery_run_the_handler_once(make: Make) -> None:
    handled: list[Callback] = []
    answers: list[int] = []
    inbox, together = make(handled.append), threading.Barrier(8)

    def deliver() -> None:
        together.wait()
        answers.extend(statuses(inbox, signed()))

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(handled) == 1
    assert set(answers) <= {200, 503}
    assert 200 in answers


class Interrupt(BaseException):
    """What ends a process."""


def test_an_interrupted_handler_gives_its_claim_back(make: Make) -> None:
    def interrupt(_callback: Callback) -> None:
        raise Interrupt

    with pytest.raises(Interrupt):
        make(interrupt).receive(*signed())
    handled: list[Callback] = []
    assert statuses(make(handled.append), signed()) == [200]
    assert len(handled) == 1


# Asynchronous handlers


def test_an_asynchronous_handler_runs_on_the_loop_it_was_called_in(make: Make) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def handle(_callback: Callback) -> None:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())

    async def main() -> None:
        inbox = make(handle)
        assert (await inbox.receive_async(*signed())).status == 200
        assert (await inbox.receive_async(*signed())).status == 200
        assert loops == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_an_asynchronous_handler_that_fails_is_run_again(make: Make) -> None:
    runs: list[str] = []

    async def handle(_callback: Callback) -> None:
        runs.append("run")
        if len(runs) == 1:
            raise ValueError

    async def main() -> None:
        inbox = make(handle)
        assert (await inbox.receive_async(*signed())).status == 500
        assert (await inbox.receive_async(*signed())).status == 200
        assert len(runs) == 2

    asyncio.run(main())


def test_an_ordinary_handler_does_not_hold_up_the_loop(make: Make, slow: Slow) -> None:
    async def main() -> None:
        delivery = asyncio.create_task(make(slow).receive_async(*signed()))
        while not slow.entered.is_set():
            await asyncio.sleep(0.001)
        slow.go_on.set()
        assert (await delivery).status == 200

    asyncio.run(main())


def test_a_thread_without_a_loop_says_that_the_handler_needs_one(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(_callback: Callback) -> None:
        """Never runs."""

    assert statuses(make(handle), signed()) == [500]
    assert "asgi_app" in caplog.text


# Submissions


def test_a_mark_is_good_for_the_task_that_it_was_first_seen_with() -> None:
    inbox = CallbackInbox(url="https://app.test/kling")
    url, other = inbox.callback_url("s1"), inbox.callback_url("s2")
    assert url
    assert other
    assert statuses(inbox, marked(url), marked(url, "another task"), marked(url)) == [200, 401, 200]
    assert statuses(inbox, marked(other, "another task")) == [200]


def begin(journal: Journal, submission_id: str) -> None:
    assert journal.begin(submission_id, service="https://api.test", key=None, digest="d", timeout=30) is None


def test_the_journal_knows_whose_mark_it_is(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    inbox = CallbackInbox(url="https://app.test/", journal=journal)
    urls = {name: inbox.callback_url(name) or "" for name in ("s1", "s2", "s3", "s4")}
    for name in ("s1", "s2", "s3"):
        begin(journal, name)
    journal.end("s1", "submitted", "t1")
    journal.end("s2", "unknown", None)
    journal.end("s3", "refused", None)
    assert statuses(inbox, marked(urls["s1"], "t2"), marked(urls["s2"], "t1")) == [401, 401]
    assert statuses(inbox, marked(urls["s1"], "t1"), marked(urls["s2"], "t2")) == [200, 200]
    assert statuses(inbox, marked(urls["s3"], "t3"), marked(urls["s4"], "t4")) == [200, 200]
    assert {entry.submission_id: entry.task_id for entry in journal.submissions()} == {
        "s1": "t1",
        "s2": "t2",
        "s3": "t3",  # it was refused, and there is a task all the same
    }
    assert {entry.state for entry in journal.submissions()} == {"submitted"}


def test_a_refused_submission_whose_task_calls_is_found_even_where_its_key_was_bought_again(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path / "journal.db")
    inbox = CallbackInbox(url="https://app.test/", journal=journal)
    assert journal.begin("s1", service="https://a.test", key="k", digest="d", timeout=30) is None
    journal.end("s1", "refused", None)
    assert journal.begin("s2", service="https://a.test", key="k", digest="d", timeout=30) is None
    journal.end("s2", "submitted", "t2")
    assert statuses(inbox, marked(inbox.callback_url("s1") or "", "t1")) == [200]
    assert [(one.submission_id, one.key, one.task_id) for one in journal.submissions()] == [
        ("s1", None, "t1"),
        ("s2", "k", "t2"),
    ]


@pytest.mark.parametrize("kind", ["memory", "journal"])
def test_the_services_signature_corrects_what_only_a_mark_has_said(kind: str, tmp_path: Path) -> None:
    """Whoever has seen the URL can be quicker than the service, and name any task."""
    journal = Journal(tmp_path / "journal.db") if kind == "journal" else None
    if journal:
        begin(journal, "s1")
        journal.end("s1", "unknown", None)
    inbox = CallbackInbox(CallbackVerifier(KEY, clock=lambda: AT), url="https://app.test/", journal=journal)
    url = inbox.callback_url("s1") or ""
    forged, genuine = marked(url, "forged"), signed(query=url.partition("?")[2])
    assert statuses(inbox, forged, forged, genuine) == [200, 200, 200]
    assert statuses(inbox, forged, genuine, marked(url)) == [401, 200, 200]
    assert statuses(inbox, signed("another", query=genuine.query)) == [401]
    if journal:
        assert [entry.task_id for entry in journal.submissions()] == [TASK]


def test_what_a_mark_alone_took_goes_back_to_whose_it_is(tmp_path: Path) -> None:
    """Who has seen the URL of one submission can name the task of another."""
    verifier, keys = CallbackVerifier(KEY, clock=lambda: AT), iter("abcdef")

    def stolen() -> tuple[Journal, CallbackInbox]:
        journal = Journal(tmp_path / f"{next(keys)}.db")
        inbox = CallbackInbox(verifier, url="https://app.test/", journal=journal)
        begin(journal, "thief")
        begin(journal, "owner")
        assert statuses(inbox, marked(inbox.callback_url("thief") or "", TASK)) == [200]
        return journal, inbox

    def owner(journal: Journal) -> list[tuple[str, str | None]]:
        return [(one.submission_id, one.task_id) for one in journal.submissions() if one.task_id]

    journal, inbox = stolen()
    journal.end("owner", "submitted", TASK)
    assert owner(journal) == [("owner", TASK)]
    url = inbox.callback_url("owner") or ""
    assert statuses(inbox, marked(url), signed(query=url.partition("?")[2])) == [200, 200]

    journal, inbox = stolen()
    journal.end("owner", "unknown", None)
    url = inbox.callback_url("owner") or ""
    assert statuses(inbox, marked(url), signed(query=url.partition("?")[2])) == [200, 200]
    assert owner(journal) == [("owner", TASK)]

    journal, inbox = stolen()
    journal.end("owner", "submitted", "another")
    refused = signed(query=(inbox.callback_url("owner") or "").partition("?")[2])
    assert statuses(inbox, refused) == [401]
    assert owner(journal) == [("thief", TASK), ("owner", "another")]  # who is refused takes nothing

    journal, inbox = stolen()
    journal.end("owner", "unknown", None)
    journal.adopt("owner", TASK)
    journal.adopt("thief", "its own")
    assert owner(journal) == [("thief", "its own"), ("owner", TASK)]


def test_a_file_of_another_version_is_refused_before_anything_is_bought(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal(path)
    with closing(sqlite3.connect(path)) as rows:
        rows.execute("ALTER TABLE submissions DROP COLUMN marked")
    with pytest.raises(ConfigurationError, match="marked"):
        Journal(path)


def test_an_answer_that_is_lost_after_the_callback_came_unmakes_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    inbox = CallbackInbox(url="https://app.test/", journal=journal)
    begin(journal, "s1")
    assert statuses(inbox, marked(inbox.callback_url("s1") or "", "t1")) == [200]
    journal.end("s1", "unknown", None)
    assert [(entry.state, entry.task_id) for entry in journal.submissions()] == [("submitted", "t1")]
    journal.end("s1", "submitted", "what the service says")
    assert [entry.task_id for entry in journal.submissions()] == ["what the service says"]


def test_the_mark_is_added_to_whatever_the_url_asks_already() -> None:
    verifier = CallbackVerifier(KEY)
    plain, asking = (CallbackInbox(verifier, url=url) for url in ("https://a.test/k", "https://a.test/k?u=7"))
    assert (plain.callback_url("s1") or "").startswith("https://a.test/k?kf=s1.")
    assert (asking.callback_url("s1") or "").startswith("https://a.test/k?u=7&kf=s1.")
    assert CallbackInbox(verifier).callback_url("s1") is None


# Troubles


def test_each_reason_for_a_refusal_is_logged_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("kling_facade.callbacks.complaints.time.monotonic", lambda: now)
    inbox = CallbackInbox(CallbackVerifier(KEY, clock=lambda: AT), url="https://app.test/")
    wrong, marked_too = signed(key="wrong"), signed(key="wrong", query=inbox._verifier.mark("s1"))
    statuses(inbox, wrong, wrong, Delivery({}, b"{}"), marked_too)
    now += 61
    statuses(inbox, wrong)
    signature = "a callback was refused (401): the signature is not right"
    assert [record.getMessage() for record in caplog.records] == [
        signature,
        "a callback was refused (401): it is neither signed nor marked",
        f"{signature}, though the mark in the URL is ours: is the service's key among the keys?",
        signature,
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_what_is_no_verifier_and_what_is_no_journal_is_refused_at_once() -> None:
    wrong: Any = [KEY]
    with pytest.raises(InvalidInputError, match="verifier"):
        CallbackInbox(wrong)
    wrong = "journal.db"
    with pytest.raises(InvalidInputError, match=r"Journal\('journal.db'\)"):
        CallbackInbox(CallbackVerifier(KEY), journal=wrong)


def test_a_body_that_is_text_is_the_receivers_own_mistake(caplog: pytest.LogCaptureFixture) -> None:
    text: Any = body().decode()
    inbox = CallbackInbox(CallbackVerifier(KEY, clock=lambda: AT))
    assert statuses(inbox, signed()._replace(body=text)) == [503]
    assert "body: is not bytes" in caplog.text


def test_workers_that_start_at_once_share_a_new_journal(tmp_path: Path) -> None:
    for attempt in range(60):
        together = threading.Barrier(6)

        def start(path: Path = tmp_path / f"{attempt}.db", together: threading.Barrier = together) -> Journal:
            together.wait()
            return Journal(path)

        with ThreadPoolExecutor(6) as workers:
            journals = [future.result() for future in [workers.submit(start) for _ in range(6)]]
        assert len(journals) == 6


class BrokenJournal(RecentMemory):
    """Fails at what it is told to."""

    def __init__(self, failing: str) -> None:
        super().__init__()
        self.failing = failing

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "__dict__").get("failing"):
            raise ConfigurationError("the journal cannot be used")
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("failing", "status", "runs"), [("bind", 503, 0), ("claim", 503, 0), ("finish", 200, 1)]
)
def test_a_broken_journal_is_the_senders_to_try_again_unless_all_is_done(
    failing: str, status: int, runs: int, caplog: pytest.LogCaptureFixture
) -> None:
    handled: list[Callback] = []
    inbox = CallbackInbox(url="https://a.test/", handler=handled.append, journal=BrokenJournal(failing))
    assert statuses(inbox, marked(inbox.callback_url("s1") or "")) == [status]
    assert len(handled) == runs
    assert "the journal cannot be used" in caplog.text


def test_a_claim_that_cannot_be_given_back_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_callback: Callback) -> None:
        raise ValueError

    inbox = CallbackInbox(
        CallbackVerifier(KEY, clock=lambda: AT), handler=fail, journal=BrokenJournal("release")
    )
    assert statuses(inbox, signed()) == [500]
    assert "held for 60 s more" in caplog.text
    assert all(record.levelno == logging.ERROR for record in caplog.records)


def test_the_memory_of_a_process_has_an_end() -> None:
    memory = RecentMemory(size=100)
    for number in range(1000):
        task_id = f"t{number}"
        assert memory.bind(f"s{number}", task_id, signed=True)
        assert memory.claim(task_id, owner="o", seconds=60) == "taken"
        memory.finish(task_id)
    assert memory.claim("t999", owner="o", seconds=60) == "finished"
    assert memory.claim("t900", owner="o", seconds=60) == "finished"
    assert memory.claim("t899", owner="o", seconds=60) == "taken"
    assert len(memory._finished) == len(memory._tasks) == 100


def test_the_news_of_a_process_has_an_end() -> None:
    inbox = CallbackInbox(CallbackVerifier(KEY))
    for number in range(10_500):
        inbox.waiters.tell(f"t{number}")
    assert inbox.waiters.news() == 10_000
    assert (inbox.waiters.news("t499"), inbox.waiters.news("t500")) == (0, 1)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_handler_without_time_is_refused(timeout: float) -> None:
    with pytest.raises(InvalidInputError, match="handler_timeout"):
        CallbackInbox(handler_timeout=timeout)
