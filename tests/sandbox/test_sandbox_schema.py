"""schemathesis asks the sandbox everything that the document allows, and much that it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kling_facade.sandbox import QUIRKS, SCENARIOS, Sandbox
from kling_facade.sandbox.document import document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(document())
CREATE = SCHEMA["/api/v1/jobs/createTask"]["POST"]
RECORD = SCHEMA["/api/v1/jobs/recordInfo"]["GET"]
EXAMINED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
Ask = Callable[[Any], set[str]]


@pytest.fixture(scope="module")
def asked() -> Iterator[Sandbox]:
    with Sandbox(credits=1e9, creates_per_10s=None, queries_per_second=None) as sandbox:
        yield sandbox


def departures(sandbox: Sandbox, case: Any) -> set[str]:
    """What the answer has that the document has not."""
    response = case.call(base_url=sandbox.url, headers={"Authorization": f"Bearer {sandbox.api_key}"})
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        return {type(failure).__name__ for failure in group.exceptions}
    return set()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", [CREATE, RECORD], ids=["create", "record"])
def test_no_answer_is_a_server_error_or_undocumented(asked: Sandbox, operation: Any, mode: Any) -> None:
    seen = 0

    @EXAMINED
    @given(case=operation.as_strategy(generation_mode=mode))
    def examine(case: Any) -> None:
        nonlocal seen
        seen += 1
        assert departures(asked, case) == set()

    examine()
    assert seen > 20


def states(sandbox: Sandbox) -> dict[str, str]:
    """A task in every state."""
    found: dict[str, str] = {}
    with sandbox.client() as kling:
        for scenario in ("stuck", "moderated", "ordinary"):
            sandbox.use(scenario)
            found[scenario] = kling.submit("https://example.com/a.png", "it yawns").id
    sandbox.clock.advance(600)
    sandbox.use("ordinary")
    return found


@pytest.fixture(scope="module")
def tasks(asked: Sandbox) -> dict[str, str]:
    return states(asked)


# What the document does not know of; all that is not here keeps to it.
UNDOCUMENTED = {
    "real_status": {"UndefinedStatusCode", "ServerError"},
    "result_object": {"JsonSchemaError"},
    "without_content_type": {"MissingContentType"},
}


@pytest.mark.parametrize("quirk", ["", *QUIRKS])
def test_a_quirk_departs_from_the_document_only_where_it_says(
    asked: Sandbox, tasks: dict[str, str], quirk: str
) -> None:
    asked.use(quirks=[quirk] if quirk else [])
    wrong: Any = {"model": "kling-2.6/image-to-video", "input": {}}
    right: Any = {
        "model": "kling-2.6/image-to-video",
        "input": {"prompt": "it yawns", "image_urls": ["https://a/b"], "sound": False},
    }
    cases = [
        *(RECORD.Case(query={"taskId": task_id}) for task_id in (*tasks.values(), "0" * 32)),
        *(CREATE.Case(body=body, media_type="application/json") for body in (right, wrong)),
    ]
    try:
        found = set[str]().union(*(departures(asked, case) for case in cases))
    finally:
        asked.use(quirks=[])
    assert found == UNDOCUMENTED.get(quirk, set())


@given(scenario=st.sampled_from(sorted(SCENARIOS)), quirks=st.sets(st.sampled_from(sorted(QUIRKS))))
@settings(max_examples=60, deadline=None)
def test_no_mixture_of_scenario_and_quirks_breaks_the_sandbox(
    asked: Sandbox, scenario: str, quirks: set[str]
) -> None:
    import httpx

    asked.use(scenario, quirks=quirks)
    asked.set_credits(1e6)
    headers = {"Authorization": f"Bearer {asked.api_key}"}
    body = {"prompt": "it yawns", "image_urls": ["https://a/b"], "sound": False}
    try:
        with httpx.Client(base_url=asked.url, headers=headers, timeout=10) as client:
            for path in ("/api/v1/chat/credit", "/api/v1/jobs/recordInfo?taskId=x"):
                assert client.get(path).text != "Internal Server Error"
            created = client.post(
                "/api/v1/jobs/createTask", json={"model": "kling-2.6/image-to-video", "input": body}
            )
            assert created.text != "Internal Server Error"
    except (httpx.ReadError, httpx.RemoteProtocolError):
        assert scenario in ("flaky", "lost_answers")
    newest = list(asked.tasks)[-1] if asked.tasks else None
    if newest:
        asked.clock.advance(1000)
        asked.send_callback(newest, url="http://127.0.0.1:9/")
    asked.use("ordinary", quirks=[])
