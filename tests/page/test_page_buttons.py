"""What the buttons of the page do, pressed without a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kling_facade.sandbox import Sandbox, SandboxTask

Connect = Callable[[Sandbox], Any]


def test_the_buttons_do_what_the_methods_do(local: Sandbox, page: Any, connect_to: Connect) -> None:
    before = local.clock.now()
    assert page.act("advance", seconds=600).status_code == 200
    assert local.clock.now() - before >= 600
    page.act("scenario", name="out_of_credits")
    assert local.credits == 0
    page.act("credits", credits=500)
    page.act("scenario", name="stuck")
    page.act("quirks", names=["message"])
    page.act("fault", operation="create", fault="gateway", times=2, accept=False)
    rules = page.look()["rules"]
    assert (rules["scenario"], rules["quirks"]) == ("stuck", ["message"])
    assert rules["faults"] == [
        {"operation": "create", "name": "gateway", "left": 2, "met": 0, "accept": False}
    ]
    page.act("clear-faults")
    with connect_to(local) as api:
        task_id = api.create()
    task: SandboxTask = local.tasks[task_id]
    assert task.ends == float("inf")
    assert page.look(chosen=task_id)["task"]["course"]["done"] is None


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("advance", {"seconds": -1}),
        ("advance", {"seconds": "60"}),
        ("advance", {"seconds": True}),
        ("advance", {"seconds": 1e300}),
        ("advance", {}),
        ("scenario", {"name": "nonsense"}),
        ("quirks", {"names": ["nonsense"]}),
        ("quirks", {"names": None}),
        ("fault", {"operation": "nonsense", "fault": "gateway", "times": 1, "accept": False}),
        ("fault", {"operation": "create", "fault": "nonsense", "times": 1, "accept": False}),
        ("fault", {"operation": "create", "fault": "gateway", "times": 0, "accept": False}),
        ("deliver", {"task": "nobody"}),
        ("deliver", {"delivery": "none"}),
        ("deliver", {"delivery": ["none"], "task": ["none"]}),
    ],
)
def test_a_button_pressed_wrongly_says_so(page: Any, name: str, given: dict[str, Any]) -> None:
    answer = page.act(name, **given)
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 60_000, b'"' + b"x" * 100_000 + b'"'])
def test_what_is_no_json_object_presses_no_button(page: Any, body: bytes) -> None:
    assert page.post("/page/acts/advance", content=body).status_code == 400
