"""Scenarios and faults: what each name promises."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from kling_facade import KlingError, TaskFailedError
from kling_facade.errors import (
    InsufficientCreditsError,
    MaintenanceError,
    SubmissionUncertainError,
    WaitTimeoutError,
)
from kling_facade.sandbox import FAULTS, SCENARIOS, Answer, Sandbox

Make = Callable[..., Any]
CREATE, CREDIT = "/api/v1/jobs/createTask", "/api/v1/chat/credit"
IMAGE = "https://example.com/cat.png"


def generate(scenario: str, *, timeout: float = 900) -> tuple[Sandbox, Any]:
    """What a client gets out of a scenario."""
    sandbox = Sandbox(scenario=scenario)
    with sandbox, sandbox.client() as kling:
        try:
            outcome: object = kling.generate(IMAGE, "it yawns", timeout=timeout)
        except KlingError as error:
            outcome = error
    return sandbox, outcome


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("stuck", WaitTimeoutError),
        ("moderated", TaskFailedError),
        ("failing", TaskFailedError),
        ("lost_answers", SubmissionUncertainError),
        ("out_of_credits", InsufficientCreditsError),
        ("maintenance", MaintenanceError),
    ],
)
def test_a_scenario_brings_the_error_it_is_for(scenario: str, expected: type[KlingError]) -> None:
    _, outcome = generate(scenario)
    assert type(outcome) is expected
    kind = {"moderated": "moderation", "failing": "transient"}.get(scenario)
    assert kind is None or (isinstance(outcome, TaskFailedError) and outcome.failure.kind == kind)


@pytest.mark.parametrize(
    "scenario",
    ["ordinary", "instant", "realistic", "lost_callbacks", "unruly_callbacks", "documented", "flaky"],
)
def test_a_scenario_that_ends_well_ends_well(scenario: str) -> None:
    _, video = generate(scenario, timeout=3600)
    assert not isinstance(video, KlingError)
    assert video.url.endswith(".mp4")


def test_every_scenario_is_tried_and_says_what_it_is() -> None:
    assert len(SCENARIOS) == 13
    assert all(scenario.about for scenario in SCENARIOS.values())


def test_an_instant_task_has_succeeded_at_the_first_look(connect_to: Make) -> None:
    with Sandbox(scenario="instant") as sandbox, connect_to(sandbox) as api:
        assert api.record(api.create())["state"] == "success"


def test_realistic_times_are_log_normal_with_a_tail() -> None:
    import random

    chance, timing = random.Random(1), SCENARIOS["realistic"].timing
    courses = [timing.draw("5", chance) for _ in range(2000)]
    times = sorted(course.done for course in courses)
    assert 90 < statistics.median(times) < 115
    assert 40 < times[100] < 60
    assert times[-20] > 300
    assert all(course.queuing < course.generating < course.done for course in courses)


def test_the_same_seed_is_flaky_in_the_same_way(connect_to: Make) -> None:
    def codes(seed: int) -> list[int]:
        with Sandbox(scenario="flaky", seed=seed) as sandbox, connect_to(sandbox) as api:
            return [api.get(CREDIT).status_code for _ in range(40)]

    assert codes(3) == codes(3) != codes(4)
    assert 3 < codes(3).count(520) < 20


def test_a_scenario_can_change_while_tasks_run(connect_to: Make) -> None:
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        good = api.create()
        sandbox.use("moderated")
        bad = api.create()
        sandbox.use("out_of_credits")
        assert (sandbox.credits, api.post(CREATE, json=api.request_for()).json()["code"]) == (0, 402)
        sandbox.clock.advance(600)
        assert [api.record(task_id)["state"] for task_id in (good, bad)] == ["success", "fail"]
        assert sandbox.credits == 55  # the failed one was refunded
        sandbox.use("maintenance")
        assert api.get(CREDIT).status_code == 455
        sandbox.use("ordinary")
        sandbox.set_credits(1000)
        assert api.get(CREDIT).json()["data"] == 1000


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_can_be_ordered_by_name(connect_to: Make, name: str) -> None:
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        sandbox.inject("credits", name)
        try:
            got = api.get(CREDIT)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            assert FAULTS[name].drop
        else:
            assert (got.status_code, got.content) == (FAULTS[name].status, FAULTS[name].body)
        assert api.get(CREDIT).json()["code"] == 200


def test_a_fault_can_wait_for_its_turn_and_its_task(connect_to: Make) -> None:
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        mine, other = api.create(), api.create()
        sandbox.inject("record", Answer.envelope(500, "now"), after=2, times=None, task_id=mine)

        def code(task_id: str) -> int:
            sandbox.clock.advance(1)
            return int(api.get("/api/v1/jobs/recordInfo", params={"taskId": task_id}).json()["code"])

        assert [code(other), code(mine), code(other), code(mine)] == [200] * 4
        assert [code(mine), code(other), code(mine)] == [500, 200, 500]
