"""Each documented code has its row in the one table; a code that comes new must be given one."""

import json
from pathlib import Path
from typing import Any

import pytest

from kling_facade import errors, operations
from kling_facade.envelope import Denied, Operation, judge
from kling_facade.wire import Reply
from pipeline.sources import Source, read_sources

SOURCES = read_sources(Path(__file__).parents[2] / "openapi")
UNCERTAIN = errors.SubmissionUncertainError

OUTCOMES: dict[int, tuple[type[errors.KlingError], type[errors.KlingError]]] = {
    200: (UNCERTAIN, errors.UnexpectedResponseError),  # with nothing in it
    401: (errors.AuthenticationError, errors.AuthenticationError),
    402: (errors.InsufficientCreditsError, errors.InsufficientCreditsError),
    404: (errors.RequestRejectedError, errors.TaskNotFoundError),
    422: (errors.RequestRejectedError, errors.RequestRejectedError),
    429: (errors.RateLimitedError, errors.RateLimitedError),
    455: (errors.MaintenanceError, errors.MaintenanceError),
    500: (UNCERTAIN, errors.ServerError),
    501: (UNCERTAIN, errors.ServerError),
    505: (errors.FeatureDisabledError, errors.FeatureDisabledError),
}
"""For a create and for a query: the decisions of the table, for just the codes that are documented."""


def documented_codes(source: Source) -> list[int]:
    document: Any = SOURCES.document(source)
    codes: list[int] = document["components"]["schemas"]["ApiResponse"]["properties"]["code"]["enum"]
    return codes


@pytest.mark.parametrize("source", SOURCES.documents, ids=lambda source: source.name)
def test_the_table_has_a_row_for_each_documented_code(source: Source) -> None:
    documented = documented_codes(source)
    assert set(documented) == OUTCOMES.keys(), "decide what envelope.judge makes of the code, and say it here"
    assert len(documented) == len(set(documented))


@pytest.mark.parametrize("code", OUTCOMES)
@pytest.mark.parametrize("in_body", [True, False], ids=["in the body", "as HTTP status"])
def test_a_documented_code_has_the_outcome_of_its_row(code: int, *, in_body: bool) -> None:
    body = json.dumps({"code": code, "msg": "words", "data": None}).encode()
    reply = Reply(200 if in_body else code, {}, body)
    calls: list[Operation[Any]] = [operations.CREATE, operations.RECORD]
    for operation, error in zip(calls, OUTCOMES[code], strict=True):
        outcome = judge(operation, reply, subject="id")
        assert isinstance(outcome, Denied)
        assert type(outcome.error) is error, (operation.name, code)
