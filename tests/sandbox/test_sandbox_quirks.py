"""Each quirk changes what it says, and nothing else."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from kling_facade.sandbox import QUIRKS, Failure, Sandbox, Scenario, Timing

Make = Callable[..., Any]
CREATE, RECORD = "/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo"
Seen = dict[str, Any]


DATA = "document data"
LOOKS = ("young", "running", "waiting", "success", "fail")
RUNNING = LOOKS[:3]
REFUSED = ("refused", "poor", "unknown", "link", "limited")
ANSWERS = ("create", "credits", *LOOKS, *REFUSED)
CALLED = ("called back: success", "called back: fail")
SUCCESS, FAIL = ("success", CALLED[0]), ("fail", CALLED[1])
ANY = re.compile("")

# where, what, and what becomes of it
Row = tuple[tuple[str, ...], str, object]
GENERATION_1: list[Row] = [
    *[(CALLED, f"{DATA} {name}", "gone") for name in ("failCode", "failMsg", "creditsConsumed")],
    *[(CALLED, f"{DATA} {name}", ANY) for name in ("param", "updateTime")],
    *[(CALLED[1:], f"{DATA} {name}", ANY) for name in ("costTime", "completeTime", "createTime")],
    (CALLED[1:], f"{DATA} resultJson", ""),
    (CALLED[:1], f"{DATA} consumeCredits", 55.0),
    (CALLED[1:], f"{DATA} consumeCredits", 0),
    (CALLED, f"{DATA} remainedCredits", 35.95),
]
GENERATION_2: list[Row] = [
    (CALLED, f"{DATA} creditsConsumed", "gone"),
    (CALLED, f"{DATA} param", ANY),
    *[(CALLED[1:], f"{DATA} {name}", ANY) for name in ("costTime", "completeTime", "createTime")],
    (CALLED[1:], f"{DATA} resultJson", ""),
]
EXPECTED: dict[str, list[Row]] = {
    "callback_generation_1": GENERATION_1,
    "callback_generation_2": GENERATION_2,
    "without_record_id": [(("create",), f"{DATA} recordId", "gone")],
    "example_task_ids": [],
    "credits_as_500": [(("poor",), "document code", 500)],
    "whole_credits": [(("credits",), DATA, 35)],
    "not_visible_yet": [
        (("young",), "document code", 422),
        (("young",), "document msg", "recordInfo is null"),
        (("young",), DATA, None),
    ],
    "unknown_as_404": [
        (("unknown",), "document code", 404),
        (("unknown",), "document msg", "The record does not exist"),
    ],
    "param_once": [((*LOOKS[1:], *CALLED), f"{DATA} param", re.compile(r'.*"input": \{"duration".*'))],
    "result_null": [(RUNNING, f"{DATA} resultJson", None)],
    "result_missing": [(RUNNING, f"{DATA} resultJson", "gone")],
    "result_early": [(RUNNING, f"{DATA} resultJson", re.compile(r'\{"resultUrls": \["http.*"\]\}'))],
    "result_object": [(SUCCESS, f"{DATA} resultJson", {"resultUrls": [ANY]})],
    "result_urls": [(SUCCESS, f"{DATA} resultJson", re.compile(r'\{"result_urls": \["http.*"\]\}'))],
    "result_empty": [(SUCCESS, f"{DATA} resultJson", '{"resultUrls": []}')],
    "result_without_list": [(SUCCESS, f"{DATA} resultJson", "{}")],
    "documented_fail_fields": [
        ((*RUNNING, "success"), f"{DATA} failCode", ""),
        ((*RUNNING, "success"), f"{DATA} failMsg", ""),
    ],
    "fail_code_as_word": [(FAIL, f"{DATA} failCode", "SENSITIVE_WORD_ERROR")],
    "cost_in_ms": [(SUCCESS, f"{DATA} costTime", 93_700), (("fail",), f"{DATA} costTime", 50_000)],
    "without_update_time": [(LOOKS, f"{DATA} updateTime", "gone")],
    "without_credits_consumed": [((*LOOKS, *CALLED), f"{DATA} creditsConsumed", "gone")],
    "unknown_state": [(("running",), f"{DATA} state", "post_processing")],
    "disabled_with_data": [
        (("success",), "document code", 505),
        (("success",), "document msg", "This feature is temporarily disabled"),
    ],
    "failed_state": [(FAIL, f"{DATA} state", "failed")],
    "callback_task_id": [(CALLED, f"{DATA} taskId", "gone"), (CALLED, f"{DATA} task_id", ANY)],
    "callback_id_on_top": [(CALLED, f"{DATA} taskId", "gone"), (CALLED, "document taskId", ANY)],
    "real_status": [
        (("refused",), "status", 500),
        (("poor",), "status", 402),
        (("unknown", "link"), "status", 422),
    ],
    "limit_as_200": [(("limited",), "status", 200)],
    "retry_after": [(("limited",), "retry-after", "5")],
    "message": [
        ((*ANSWERS, *CALLED), "document msg", "gone"),
        ((*ANSWERS, *CALLED), "document message", ANY),
    ],
    "data_absent": [(REFUSED, DATA, "gone")],
    "data_empty": [(REFUSED, DATA, {})],
    "without_code": [(ANSWERS, "document code", "gone")],
    "without_content_type": [(ANSWERS, "content-type", None)],
    "callbacks_lost": [],
    "callbacks_forged": [],
    "callbacks_twice": [],
    "callbacks_late": [],
}


def timing(seconds: float) -> Timing:
    return Timing({"5": seconds}, spread=0.0)


@pytest.fixture(scope="module")
def still() -> Iterator[Sandbox]:
    """A sandbox whose time stands still, so that the same question has the same answer twice."""
    with Sandbox(credits=35.95, speed=1e-9, webhook_key="k", creates_per_10s=None) as sandbox:
        yield sandbox


class Stage:
    """Tasks in every state, and one question for each kind of answer."""

    def __init__(self, sandbox: Sandbox, api: Any) -> None:
        self.sandbox, self.api = sandbox, api
        sandbox.set_credits(10_000.0)
        failure = Failure("422", "Content was flagged by the safety system.")
        self.ids = {
            "running": self.accept(Scenario(name="long", about="", timing=timing(1e5))),
            "waiting": self.accept(Scenario(name="never", about="", timing=timing(math.inf))),
            "success": self.accept(Scenario(name="soon", about="", timing=timing(93.7))),
            "fail": self.accept(Scenario(name="bad", about="", timing=timing(50), failure=failure)),
        }
        sandbox.clock.advance(5e4)
        sandbox.set_credits(35.95)

    def accept(self, scenario: Scenario) -> str:
        self.sandbox.use(scenario)
        body = self.api.request_for() | {"callBackUrl": "http://127.0.0.1:9/"}
        return str(self.api.post(CREATE, json=body).json()["data"]["taskId"])

    def ask(self) -> dict[str, Seen]:
        """Every kind of answer, by name."""
        self.sandbox.use("ordinary")
        self.sandbox.set_credits(135.0)
        seen = {
            "create": self.seen(self.api.post(CREATE, json=self.api.request_for())),
            "refused": self.seen(self.api.post(CREATE, json=self.api.request_for(prompt=""))),
            "poor": self.seen(self.api.post(CREATE, json=self.api.request_for(sound=True))),
            "unknown": self.seen(self.api.get(RECORD, params={"taskId": "0" * 32})),
            "young": self.young(),
        }
        self.sandbox.set_credits(35.95)
        seen["credits"] = self.seen(self.api.get("/api/v1/chat/credit"))
        seen["link"] = self.seen(self.api.post("/api/v1/common/download-url", json={"url": "http://x"}))
        for state, task_id in self.ids.items():
            seen[state] = self.seen(self.api.get(RECORD, params={"taskId": task_id}))
            self.sandbox.clock.advance(1)  # queries are limited
        seen["limited"] = self.limited()
        for state in ("success", "fail"):
            body = self.sandbox.send_callback(self.ids[state]).body
            seen[f"called back: {state}"] = {"document": json.loads(body)}
        return seen

    def young(self) -> Seen:
        """The record of a task that was accepted just now."""
        *_, newest = self.sandbox.tasks
        return self.seen(self.api.get(RECORD, params={"taskId": newest}))

    def limited(self) -> Seen:
        for _ in range(11):
            answer = self.api.get(RECORD, params={"taskId": "0" * 32})
        self.sandbox.clock.advance(1)
        return self.seen(answer)

    def seen(self, answer: httpx.Response) -> Seen:
        headers = {name: answer.headers.get(name) for name in ("content-type", "retry-after")}
        return {"status": answer.status_code, "document": answer.json(), **headers}


@pytest.fixture
def stage(still: Sandbox, connect_to: Make) -> Iterator[Stage]:
    with connect_to(still) as api:
        yield Stage(still, api)


def differences(one: Any, other: Any, path: str = "") -> dict[str, Any]:
    """What became of each thing that is not the same; "gone" for what is no more."""
    if isinstance(one, dict) and isinstance(other, dict):
        found: dict[str, Any] = {}
        for name in {**one, **other}:
            found |= differences(one.get(name, "gone"), other.get(name, "gone"), f"{path} {name}".strip())
        return found
    return {} if one == other or (volatile(path) and "gone" not in (one, other)) else {path: other}


def volatile(path: str) -> bool:
    """Ids and times of tasks that are made anew for each question."""
    times = f"young {DATA} (taskId|.*Time|param)|(running|waiting) {DATA} updateTime"
    return bool(re.fullmatch(f"create {DATA} (taskId|recordId)|{times}", path))


def matches(value: object, expected: object) -> bool:
    if isinstance(expected, re.Pattern):
        return value != "gone" and (expected is ANY or bool(expected.fullmatch(str(value))))
    return True if expected == {"resultUrls": [ANY]} and isinstance(value, dict) else value == expected


def test_every_quirk_has_its_row() -> None:
    assert EXPECTED.keys() == QUIRKS.keys()
    assert all(quirk.about for quirk in QUIRKS.values())


@pytest.mark.parametrize("quirk", sorted(EXPECTED))
def test_a_quirk_changes_what_it_says_and_nothing_else(stage: Stage, quirk: str) -> None:
    plain = stage.ask()
    stage.sandbox.use(quirks=[quirk])
    try:
        changed = differences(plain, stage.ask())
    finally:
        stage.sandbox.use(quirks=[])
    rows = {f"{where} {what}": value for wheres, what, value in EXPECTED[quirk] for where in wheres}
    assert changed.keys() == rows.keys()
    assert {path: value for path, value in changed.items() if not matches(value, rows[path])} == {}


def test_task_ids_can_be_as_in_the_examples(connect_to: Make) -> None:
    with Sandbox(quirks=["example_task_ids"]) as sandbox, connect_to(sandbox) as api:
        ids = [api.create() for _ in range(10)]
        assert all(re.fullmatch(r"task_kling-2\.6_\d{13}", task_id) for task_id in ids)
        assert len(set(ids)) == 10
        assert api.record(ids[0])["taskId"] == ids[0]


def test_quirks_add_up(connect_to: Make) -> None:
    quirks = ["real_status", "message", "data_empty", "without_code", "without_content_type"]
    with Sandbox(scenario="documented", quirks=quirks) as sandbox, connect_to(sandbox) as api:
        answer = api.get(RECORD, params={"taskId": "0" * 32})
    assert (answer.status_code, answer.json()) == (404, {"message": "The record does not exist", "data": {}})
    assert "content-type" not in answer.headers


def test_names_that_there_are_not_are_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no such quirk: mesage.*real_status"):
        Sandbox(quirks=["message", "mesage"])
    with pytest.raises(ValueError, match=r"no such scenario: 'stuk'.*stuck"):
        Sandbox(scenario="stuk")
    sandbox = Sandbox()
    with pytest.raises(ValueError, match="no such quirk"):
        sandbox.use("stuck", quirks=["x"])
    with pytest.raises(ValueError, match=r"no such fault: 'htm'.*html"):
        sandbox.inject("create", "htm")
    with sandbox, sandbox.client() as kling:
        assert kling.generate("https://example.com/a.png", "it yawns").url  # nothing was changed
