"""The tree is as it is drawn, and everything in it travels between processes."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest

from kling_facade import errors
from kling_facade.failures import Failure
from kling_facade.records import TaskStatus

STATUS = TaskStatus(
    task_id="t1", model="m", state="fail", failure=Failure("500", "busy", "transient"), raw={"a": 1}
)
API: Any = {"code": 429, "message": "too fast", "http_status": 200, "retryable": True}
EXAMPLES = [
    errors.ConfigurationError("no key"),
    errors.InvalidInputError("prompt", "is empty"),
    errors.ConnectionFailedError("no route"),
    *(kind("no", **API) for kind in errors.ApiError.__subclasses__()),
    errors.UnexpectedResponseError("?", http_status=200, excerpt=b"<html>"),
    errors.SubmissionUncertainError("?", submission_id="s1", code=500, http_status=200),
    errors.TaskFailedError("no", status=STATUS, failure=Failure("500", "busy", "transient")),
    errors.ResultMissingError("no link", status=STATUS),
    errors.WaitTimeoutError("later", task_id="t1", status=STATUS),
    errors.CallbackRejectedError("no", http_status=401),
    errors.DownloadError("no"),
    errors.LinkExpiredError("no"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_survives_pickling_and_copying(error: errors.KlingError) -> None:
    error.add_note("a note")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert twin.__dict__ == error.__dict__


def tree() -> list[type[errors.KlingError]]:
    found: list[type[errors.KlingError]] = [errors.KlingError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


def test_the_drawn_tree_is_the_real_one() -> None:
    assert errors.__doc__
    drawn = re.findall(r"^([│├└─ ]*)(\w+Error)\b", errors.__doc__, re.MULTILINE)
    parents: dict[int, str] = {}
    for branch, name in drawn:
        parents[len(branch)] = name
        kind = getattr(errors, name)
        above = [parents[depth] for depth in parents if depth < len(branch)]
        assert kind.__mro__[1].__name__ == (above[-1] if above else "Exception")
    assert {name for _, name in drawn} == {kind.__name__ for kind in tree()}


def test_every_error_is_an_example_here() -> None:
    leaves = {kind for kind in tree() if not kind.__subclasses__()}
    assert leaves <= {type(error) for error in EXAMPLES}


def test_a_wait_that_timed_out_is_not_caught_by_a_retry_on_oserror() -> None:
    assert not any(issubclass(kind, OSError) for kind in tree())
