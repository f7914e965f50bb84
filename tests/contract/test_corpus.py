"""Answers from the future, read by the client of today: the named outcome, and never a foreign exception."""

import json
from pathlib import Path
from typing import Any

import pytest

from kling_facade import operations
from kling_facade.envelope import Accepted, Denied, Operation, judge
from kling_facade.errors import KlingError
from kling_facade.records import TaskStatus
from kling_facade.wire import Reply

CASES = sorted((Path(__file__).parent / "corpus").glob("*.json"))
CALLS: dict[str, Operation[Any]] = {
    "create": operations.CREATE,
    "record": operations.RECORD,
    "credits": operations.CREDITS,
    "link": operations.LINK,
    "upload": operations.UPLOAD,
}


def plain(value: object) -> object:
    """As JSON has it, so that a case can say it."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def differences(expected: dict[str, Any], found: object) -> list[str]:
    """Of the attributes that the case names."""
    lines: list[str] = []
    for name, wanted in expected.items():
        value = getattr(found, name)
        if isinstance(wanted, dict):
            lines += differences(wanted, value)
        elif plain(value) != wanted:
            lines.append(f"{name} is {value!r}, not {wanted!r}")
    return lines


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_answer_from_the_future_has_its_outcome(path: Path) -> None:
    case = json.loads(path.read_text())
    answer = b"" if case["answer"] is None else json.dumps(case["answer"]).encode()
    outcome = judge(CALLS[case["call"]], Reply(case["status"], {}, answer), subject="asked for")
    expected = case["expect"]
    if "error" in expected:
        assert isinstance(outcome, Denied)
        assert isinstance(outcome.error, KlingError)
        assert type(outcome.error).__name__ == expected["error"]
    else:
        assert isinstance(outcome, Accepted)
        if isinstance(outcome.value, TaskStatus):
            assert differences(expected["value"], outcome.value) == []
            assert outcome.value.raw == case["answer"]["data"]
        else:
            assert outcome.value == expected["value"]


def test_the_corpus_asks_every_call() -> None:
    assert {json.loads(path.read_text())["call"] for path in CASES} == CALLS.keys()
