import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from kling_facade import errors
from kling_facade.cli.exits import Exit, exit_code
from kling_facade.sandbox import Answer, Sandbox

Run = Callable[..., Result]

LINK = "https://example.com/cat.jpg"


def record(**fields: object) -> Answer:
    return Answer.envelope(200, "success", {"taskId": "t1", "model": "kling", **fields})


FAILED = record(state="fail", failCode="500", failMsg="[red]internal error\x1b[2J[/red]")


@pytest.mark.parametrize(
    ("operation", "answer", "expected"),
    [
        ("create", Answer.envelope(401, "no"), Exit.ERROR),
        ("create", Answer.envelope(422, "this field is required"), Exit.ERROR),
        ("create", Answer.envelope(500, "server error"), Exit.UNCERTAIN),
        ("create", Answer(drop=True), Exit.UNCERTAIN),
        ("create", Answer.envelope(402, "no"), Exit.NO_CREDITS),
        ("create", Answer.envelope(433, "no"), Exit.NO_CREDITS),
        ("record", FAILED, Exit.TASK_FAILED),
        ("record", record(state="success", resultJson="{}"), Exit.ERROR),
    ],
)
def test_each_outcome_has_its_exit_code(
    run: Run, service: Sandbox, operation: Any, answer: Answer, expected: Exit
) -> None:
    service.inject(operation, answer)
    result = run("generate", LINK, "waves", "--json")
    assert result.exit_code == expected
    assert json.loads(result.stdout)["error"]["exit_code"] == expected
    assert result.stderr.splitlines()[-1].startswith(("error: ", "  kling wait "))


@pytest.mark.parametrize("arguments", [("generate", LINK, ""), ("generate", "no.jpg", "x"), ("submit", LINK)])
def test_wrong_usage_costs_nothing(run: Run, service: Sandbox, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == Exit.USAGE
    assert service.requests == []


def test_subclasses_share_the_code_of_their_parent() -> None:
    class NewError(errors.InsufficientCreditsError):
        pass

    assert exit_code(NewError("", code=402)) == Exit.NO_CREDITS
    assert exit_code(errors.LinkExpiredError("")) == Exit.ERROR


def test_the_help_lists_every_exit_code(run: Run) -> None:
    lines = run("--help").stdout.splitlines()
    for code in Exit:
        assert any(line.strip().startswith(f"• {code} ") for line in lines)


def test_a_failure_is_told_in_full_to_machines(run: Run, service: Sandbox) -> None:
    service.inject("record", FAILED)
    error: Any = json.loads(run("generate", LINK, "waves", "--json").stdout)["error"]
    assert error["failure"] == {
        "code": "500",
        "message": "[red]internal error\x1b[2J[/red]",
        "kind": "transient",
    }
    assert error["resume"] is None


@pytest.mark.parametrize("color", ["", "1"])
def test_what_the_service_says_cannot_steer_the_terminal(
    run: Run, service: Sandbox, color: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "500")
    if color:
        monkeypatch.setenv("FORCE_COLOR", color)
    service.inject("record", record(state="[blink]\x1b]0;gotcha\x07painting"))
    service.inject("record", FAILED)
    result = run("generate", LINK, "waves")
    assert "[red]internal error" in result.stderr
    assert "[/red]" in result.stderr
    for control in ("\x1b[2J", "\x1b]0;", "\x07"):
        assert control not in result.stderr


def test_markup_in_a_file_name_is_shown_as_it_is(run: Run, service: Sandbox) -> None:
    assert "'[bold]no.jpg'" in run("generate", "[bold]no.jpg", "waves").stderr


def test_the_key_is_hidden_even_if_the_service_repeats_it(run: Run, service: Sandbox) -> None:
    service.inject("create", Answer.envelope(401, f"the key {service.api_key} is wrong"))
    assert run("generate", LINK, "waves", "--json").exit_code == Exit.ERROR
