"""What was submitted can be looked up, adopted and forgotten, without a request and without a key."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from kling_facade.sandbox import Answer, Sandbox

Run = Callable[..., Result]


@pytest.fixture
def uncertain(run: Run, service: Sandbox, picture: str) -> str:
    """The id of a submission whose answer was lost."""
    service.inject("create", Answer(drop=True), accept=True)
    result = run("submit", picture, "waves", "--key", "sea", "--journal", "book.db", "--json")
    assert result.exit_code == 5
    return str(json.loads(result.stdout)["error"]["submission_id"])


def listed(run: Run) -> list[dict[str, str | None]]:
    submissions: list[dict[str, str | None]] = json.loads(
        run("recover", "--journal", "book.db", "--json").stdout
    )["submissions"]
    return submissions


def test_the_same_key_is_not_bought_twice(run: Run, service: Sandbox, picture: str) -> None:
    first = run("submit", picture, "waves", "--key", "sea", "--journal", "book.db")
    again = run("submit", picture, "waves", "--key", "sea", "--journal", "book.db")
    assert (first.exit_code, again.stdout) == (0, first.stdout)
    assert len(service.tasks) == 1
    other = run("submit", picture, "calm", "--key", "sea", "--journal", "book.db")
    assert other.exit_code == 2
    assert "key" in other.stderr


def test_an_uncertain_submission_is_listed_and_stays_uncertain(
    run: Run, service: Sandbox, picture: str, uncertain: str
) -> None:
    asked = len(service.requests)
    (entry,) = listed(run)
    assert (entry["state"], entry["submission_id"], entry["task_id"]) == ("unknown", uncertain, None)
    text = run("recover", "--journal", "book.db").stdout
    assert "unknown" in text
    assert uncertain in text
    assert len(service.requests) == asked
    again = run("submit", picture, "waves", "--key", "sea", "--journal", "book.db")
    assert again.exit_code == 5
    assert len(service.tasks) == 1


def test_adopting_leads_the_key_to_its_task(run: Run, service: Sandbox, picture: str, uncertain: str) -> None:
    (task_id,) = service.tasks
    assert run("recover", "--journal", "book.db", "--adopt", uncertain, task_id).exit_code == 0
    again = run("submit", picture, "waves", "--key", "sea", "--journal", "book.db")
    assert again.stdout == f"{task_id}\n"
    assert len(service.tasks) == 1


def test_forgetting_lets_it_be_bought_again(run: Run, service: Sandbox, picture: str, uncertain: str) -> None:
    assert run("recover", "--journal", "book.db", "--forget", uncertain).exit_code == 0
    assert listed(run) == []
    assert run("submit", picture, "waves", "--key", "sea", "--journal", "book.db").exit_code == 0
    assert len(service.tasks) == 2


def test_a_journal_that_is_not_there_is_not_made(run: Run, folder: Path) -> None:
    result = run("recover", "--journal", "missing.db")
    assert result.exit_code == 2
    assert "missing.db" in result.stderr
    assert not (folder / "missing.db").exists()
    assert run("recover").exit_code == 2


def test_an_unknown_submission_is_said(run: Run, uncertain: str) -> None:
    result = run("recover", "--journal", "book.db", "--forget", "nothing")
    assert result.exit_code == 2
    assert "submission_id" in result.stderr
