"""Prices, refunds and limits, on a turned clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kling_facade.sandbox import Sandbox

Make = Callable[..., Any]
CREATE = "/api/v1/jobs/createTask"


@pytest.mark.parametrize(
    ("duration", "sound", "price"),
    [("5", False, 55), ("10", False, 110), ("5", True, 110), ("10", True, 220)],
)
def test_a_task_is_charged_when_it_is_accepted(
    api: Any, local: Sandbox, duration: str, sound: bool, price: float
) -> None:
    before = local.credits
    api.create(duration=duration, sound=sound)
    assert before - local.credits == price
    local.clock.advance(600)
    assert before - local.credits == price


def test_nothing_is_accepted_without_credits(connect_to: Make) -> None:
    with Sandbox(credits=60) as sandbox, connect_to(sandbox) as api:
        assert api.post(CREATE, json=api.request_for()).json()["code"] == 200
        refused = api.post(CREATE, json=api.request_for()).json()
        assert refused["code"] == 402
        assert refused["msg"].startswith("Credits insufficient")
        assert (len(sandbox.tasks), sandbox.credits) == (1, 5)


@pytest.mark.parametrize(
    "data", [b"no picture at all", b"\x89PNG\r\n\x1a\n" + b"junk" * 50, "small", "wide", "half"]
)
def test_an_unusable_picture_fails_later_and_is_refunded_once(
    api: Any, local: Sandbox, make_picture: Make, data: bytes | str
) -> None:
    made = {
        "small": lambda: make_picture(640, 298),
        "wide": lambda: make_picture(1000, 398),
        "half": lambda: make_picture()[:300],
    }
    url = api.upload(made[data]() if isinstance(data, str) else data)
    before = local.credits
    task_id = api.create(url)
    assert local.credits == before - 55
    assert api.record(task_id)["creditsConsumed"] == 55
    local.clock.advance(600)
    found = api.record(task_id)
    assert (found["state"], found["creditsConsumed"], found["resultJson"]) == ("fail", 0, "")
    assert found["failMsg"] == "Your media file is unavailable, please replace it."
    assert found["failCode"] == "400"
    assert found["completeTime"] > found["createTime"]
    assert [local.credits, local.credits] == [before, before]


def test_an_upload_that_is_not_there_fails_the_task(api: Any, local: Sandbox, make_picture: Make) -> None:
    task_id = api.create(api.upload(make_picture()) + ".gone")
    local.clock.advance(600)
    assert api.record(task_id)["failMsg"] == "Image fetch failed"


def test_the_twenty_first_create_in_ten_seconds_is_refused(connect_to: Make) -> None:
    with Sandbox() as sandbox, connect_to(sandbox) as api:
        answers = [api.post(CREATE, json=api.request_for()) for _ in range(21)]
        assert [answer.status_code for answer in answers] == [200] * 20 + [429]
        assert answers[-1].json()["code"] == 429
        assert len(sandbox.tasks) == 20
        sandbox.clock.advance(10)
        assert api.post(CREATE, json=api.request_for()).status_code == 200


def test_the_eleventh_query_in_a_second_is_refused(connect_to: Make) -> None:
    with Sandbox(speed=0.01) as sandbox, connect_to(sandbox) as api:
        task_id = api.create()
        ask = [api.get("/api/v1/jobs/recordInfo", params={"taskId": task_id}) for _ in range(11)]
        assert [answer.status_code for answer in ask] == [200] * 10 + [429]
        sandbox.clock.advance(1)
        assert api.get("/api/v1/jobs/recordInfo", params={"taskId": task_id}).status_code == 200


def test_the_same_seed_gives_the_same_times(connect_to: Make) -> None:
    def courses(seed: int) -> list[float]:
        with Sandbox(seed=seed) as sandbox, connect_to(sandbox) as api:
            ids = [api.create() for _ in range(3)]
            return [sandbox.tasks[task_id].course.done for task_id in ids]

    assert courses(1) == courses(1) != courses(2)
