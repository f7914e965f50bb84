"""What is on disk before and after the paid call."""

from __future__ import annotations

import pickle
import sqlite3
import time
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes import FakeIO, reply, session

from kling_facade import ConfigurationError, InvalidInputError, Journal, errors
from kling_facade.flows.submitting import Bought, recover, submit
from kling_facade.inputs import Inputs, check_key
from kling_facade.ports import run
from kling_facade.wire import Answer, AnswerLost, Reply, Request

CREATED = reply({"code": 200, "data": {"taskId": "t1"}})
INPUTS = Inputs(prompt="the secret prompt", duration="5", sound=False)
URL = "https://f.test/a.jpg"
SERVICE = "https://api.test"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "submissions.db"


def buy(
    journal: Journal, *answers: Answer, key: str | None = "k", image: Any = URL, **inputs: Any
) -> tuple[FakeIO, Bought]:
    io = FakeIO(answers)
    asked = Inputs(**{"prompt": "p", "duration": "5", "sound": False, **inputs})
    return io, run(submit(session(io, journal=journal), image, asked, key=key, timeout=60))


def test_the_intent_is_on_disk_before_the_create_is_sent(path: Path) -> None:
    seen: list[tuple[str, ...]] = []

    class LookingIO(FakeIO):
        async def send(self, request: Request, *, timeout: float) -> Answer:
            with sqlite3.connect(path) as rows:
                seen.extend(rows.execute("SELECT state FROM submissions").fetchall())
            rows.close()
            return await super().send(request, timeout=timeout)

    io = LookingIO([CREATED])
    bought = run(submit(session(io, journal=Journal(path)), URL, INPUTS, key=None, timeout=60))
    assert seen == [("intent",)]
    (entry,) = Journal(path).submissions()
    assert (entry.state, entry.task_id, entry.submission_id) == ("submitted", "t1", bought.submission_id)


def test_the_same_key_and_inputs_give_the_same_task_without_a_request(path: Path) -> None:
    _, first = buy(Journal(path), CREATED)
    io, again = buy(Journal(path), CREATED)
    assert io.sent == []
    assert (again.task_id, again.submission_id) == (first.task_id, first.submission_id)


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "q"},
        {"duration": "10"},
        {"sound": True},
        {"image": URL + "?"},
        {"image": b"\xff\xd8\xff other"},
    ],
)
def test_the_same_key_for_other_inputs_is_refused_without_a_request(
    path: Path, change: dict[str, Any]
) -> None:
    buy(Journal(path), CREATED)
    io = FakeIO([CREATED])
    asked: Any = {"prompt": "p", "duration": "5", "sound": False, "image": URL, **change}
    image = asked.pop("image")
    with pytest.raises(InvalidInputError, match="^key: "):
        run(submit(session(io, journal=Journal(path)), image, Inputs(**asked), key="k", timeout=60))
    assert io.sent == []


def test_equal_picture_bytes_are_the_same_input_wherever_they_come_from(path: Path, tmp_path: Path) -> None:
    picture = b"\xff\xd8\xff picture"
    (tmp_path / "a.jpg").write_bytes(picture)
    uploaded = reply({"code": 200, "data": {"downloadUrl": "https://up.test/a.jpg"}})
    buy(Journal(path), uploaded, CREATED, image=picture)
    io, _ = buy(Journal(path), CREATED, image=tmp_path / "a.jpg")
    assert io.sent == []


def test_where_the_callback_goes_does_not_make_another_order(path: Path) -> None:
    buy(Journal(path), CREATED)
    io, _ = buy(Journal(path), CREATED, callback_url="https://me.test/")
    assert io.sent == []


@pytest.mark.parametrize("answer", [AnswerLost("reset"), Reply(500), Reply(200, {}, b"<html>")])
def test_an_uncertain_submission_stays_uncertain_whoever_asks(path: Path, answer: Answer) -> None:
    with pytest.raises(errors.SubmissionUncertainError) as first:
        buy(Journal(path), answer)
    io = FakeIO([CREATED])
    asked = Inputs(prompt="p", duration="5", sound=False)
    with pytest.raises(errors.SubmissionUncertainError, match="adopt") as again:
        run(submit(session(io, journal=Journal(path)), URL, asked, key="k", timeout=60))
    assert io.sent == []
    assert again.value.submission_id == first.value.submission_id


def test_a_refused_submission_frees_its_key(path: Path) -> None:
    with pytest.raises(errors.InsufficientCreditsError):
        buy(Journal(path), reply({"code": 402}))
    assert buy(Journal(path), CREATED)[1].task_id == "t1"
    assert len(Journal(path).submissions()) == 1


def test_each_offer_is_an_attempt_of_its_own(path: Path) -> None:
    buy(Journal(path), reply({"code": 429}), reply({"code": 455}), CREATED)
    with sqlite3.connect(path) as rows:
        states = [state for (state,) in rows.execute("SELECT state FROM submissions ORDER BY at")]
    rows.close()
    assert states == ["refused", "refused", "submitted"]


def test_adopting_leads_the_key_to_the_task(path: Path) -> None:
    with pytest.raises(errors.SubmissionUncertainError) as caught:
        buy(Journal(path), AnswerLost("x"))
    Journal(path).adopt(caught.value.submission_id, "t9")
    io, bought = buy(Journal(path), CREATED)
    assert (io.sent, bought.task_id) == ([], "t9")
    with pytest.raises(InvalidInputError, match="task_id"):
        Journal(path).adopt(caught.value.submission_id, "t8")


def test_forgetting_lets_the_key_be_bought_again(path: Path) -> None:
    with pytest.raises(errors.SubmissionUncertainError) as caught:
        buy(Journal(path), AnswerLost("x"))
    Journal(path).forget(caught.value.submission_id)
    assert buy(Journal(path), CREATED)[1].task_id == "t1"


def test_what_is_not_there_cannot_be_adopted_or_forgotten(path: Path) -> None:
    with pytest.raises(InvalidInputError, match="submission_id"):
        Journal(path).adopt("s", "t")
    with pytest.raises(InvalidInputError, match="submission_id"):
        Journal(path).forget("s")


def test_an_intent_of_a_dead_process_reads_as_unknown_once_it_is_old(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Journal(path).begin("s1", service=SERVICE, key="k", digest="d", timeout=30) is None
    known = Journal(path).find("k", service=SERVICE)
    assert known is not None
    assert known.state == "intent"
    assert Journal(path).submissions() == []
    later = time.time() + 91
    monkeypatch.setattr("kling_facade.journal.time.time", lambda: later)
    known = Journal(path).find("k", service=SERVICE)
    assert known is not None
    assert known.state == "unknown"
    assert [entry.submission_id for entry in Journal(path).submissions()] == ["s1"]


def test_a_key_about_to_be_bought_elsewhere_is_waited_for(path: Path) -> None:
    asked = Inputs(prompt="p", duration="5", sound=False)
    buy(Journal(path), CREATED)
    (entry,) = Journal(path).submissions()
    Journal(path).forget(entry.submission_id)
    Journal(path).begin("elsewhere", service=SERVICE, key="k", digest=entry.digest, timeout=30)

    class ElsewhereIO(FakeIO):
        async def sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
            await super().sleep(seconds, wake)
            if len(self.clock.sleeps) == 3:
                Journal(path).end("elsewhere", "submitted", "t7")

    io = ElsewhereIO([CREATED])
    bought = run(submit(session(io, journal=Journal(path)), URL, asked, key="k", timeout=60))
    assert (io.sent, bought.task_id) == ([], "t7")


def test_a_journal_that_cannot_be_written_stops_the_create(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Journal(path)

    def full(*args: object, **kwargs: object) -> None:
        raise ConfigurationError("disk full")

    monkeypatch.setattr(Journal, "begin", full)
    io = FakeIO([CREATED])
    with pytest.raises(ConfigurationError, match="disk full"):
        run(submit(session(io, journal=book), URL, INPUTS, key=None, timeout=60))
    assert io.sent == []


def test_a_journal_that_fails_after_the_create_does_not_lose_the_id(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    book = Journal(path)

    def full(*args: object, **kwargs: object) -> None:
        raise ConfigurationError("disk full")

    monkeypatch.setattr(Journal, "end", full)
    bought = run(submit(session(FakeIO([CREATED]), journal=book), URL, INPUTS, key=None, timeout=60))
    assert bought.task_id == "t1"
    assert "t1" in caplog.text


@pytest.mark.parametrize("where", ["missing/x.db", "."])
def test_a_path_that_cannot_be_a_journal_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(ConfigurationError, match="journal"):
        Journal(tmp_path / where)


def test_a_file_that_is_no_journal_is_refused(path: Path) -> None:
    path.write_bytes(b"not a database, certainly not" * 100)
    with pytest.raises(ConfigurationError, match="journal"):
        Journal(path)


def test_neither_prompt_nor_api_key_is_kept(path: Path) -> None:
    run(submit(session(FakeIO([CREATED]), journal=Journal(path)), URL, INPUTS, key="k", timeout=60))
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"secret prompt" not in kept
    assert b"t1" in kept


def test_recovering_needs_a_journal_and_sends_nothing(path: Path) -> None:
    io = FakeIO([CREATED])
    with pytest.raises(ConfigurationError, match="journal="):
        run(recover(session(io)))
    buy(Journal(path), CREATED)
    (entry,) = run(recover(session(io, journal=Journal(path))))
    assert io.sent == []
    assert datetime.now(UTC) - entry.at < timedelta(minutes=1)
    assert pickle.loads(pickle.dumps(entry)) == entry


def test_a_key_without_a_journal_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"^key: .*journal="):
        run(submit(session(FakeIO([CREATED])), URL, INPUTS, key="k", timeout=60))


@given(st.text(max_size=300) | st.integers() | st.binary())
def test_any_key_is_taken_or_refused(key: object) -> None:
    try:
        assert check_key(key) == key
    except InvalidInputError as error:
        assert error.field == "key"


def test_a_key_tried_out_in_a_sandbox_is_still_to_be_had_elsewhere(path: Path) -> None:
    book = Journal(path)
    book.begin("s1", service="http://127.0.0.1:1234", key="k", digest="other", timeout=30)
    book.end("s1", "submitted", "t0")
    io, bought = buy(book, CREATED)
    assert (len(io.sent), bought.task_id) == (1, "t1")
    assert {entry.service for entry in book.submissions()} == {"http://127.0.0.1:1234", SERVICE}
