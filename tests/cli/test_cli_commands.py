import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import Result

from kling_facade import __version__
from kling_facade.cli.progress import Watching
from kling_facade.records import TaskStatus
from kling_facade.sandbox import Answer, Sandbox

Run = Callable[..., Result]


@pytest.fixture
def task_id(run: Run, service: Sandbox, picture: str) -> str:
    return run("submit", picture, "waves").stdout.strip()


def test_submit_prints_the_id(service: Sandbox, task_id: str) -> None:
    assert list(service.tasks) == [task_id]


def test_wait_prints_the_link(run: Run, service: Sandbox, task_id: str) -> None:
    result = run("wait", task_id)
    assert result.exit_code == 0
    assert result.stdout.startswith(service.url)
    assert "generating" in result.stderr


def test_wait_with_a_name_saves_and_prints_the_path(run: Run, task_id: str, folder: Path) -> None:
    assert run("wait", task_id, "-o", "sea.mp4").stdout == "sea.mp4\n"
    assert (folder / "sea.mp4").exists()


def test_wait_refuses_an_existing_file_before_it_waits(
    run: Run, service: Sandbox, task_id: str, folder: Path
) -> None:
    (folder / "sea.mp4").write_text("mine")
    asked = len(service.requests)
    assert run("wait", task_id, "-o", "sea.mp4").exit_code == 2
    assert len(service.requests) == asked


def test_status_shows_what_is_known(run: Run, service: Sandbox, task_id: str) -> None:
    service.clock.advance(33)
    lines = run("status", task_id).stdout.splitlines()
    assert lines[0] == "state    generating"
    assert lines[1].startswith("elapsed  0:3")
    run("wait", task_id)
    assert "url      http" in run("status", task_id).stdout


def test_status_shows_a_failure_without_failing(run: Run, service: Sandbox) -> None:
    failed = {"taskId": "t1", "state": "fail", "failCode": "500", "failMsg": "flagged\x1b[2J"}
    service.inject("record", Answer.envelope(200, "success", failed))
    result = run("status", "t1")
    assert result.exit_code == 0
    assert r"failure  500 flagged\x1b[2J (moderation)" in result.stdout


def test_status_as_json_holds_the_record_as_received(run: Run, task_id: str) -> None:
    document: Any = json.loads(run("status", task_id, "--json").stdout)
    assert document["state"] == "waiting"
    assert document["raw"]["taskId"] == task_id
    assert document["created_at"].endswith("+00:00")


def test_download_saves_what_is_finished(run: Run, task_id: str, folder: Path) -> None:
    run("wait", task_id)
    assert run("download", task_id).stdout == f"{task_id}.mp4\n"
    assert (folder / f"{task_id}.mp4").exists()
    assert run("download", task_id).exit_code == 2
    assert run("download", task_id, "--overwrite").exit_code == 0


def test_download_does_not_wait(run: Run, service: Sandbox, task_id: str, folder: Path) -> None:
    result = run("download", task_id)
    assert result.exit_code == 4
    assert f"kling wait {task_id} -o ." in result.stderr
    assert list(folder.iterdir()) == []


def test_an_id_cannot_name_a_file_elsewhere(run: Run, service: Sandbox, folder: Path) -> None:
    result = run("download", "../../evil")
    assert result.exit_code == 1
    service.inject("create", Answer.envelope(200, "success", {"taskId": "../evil"}))
    task: dict[str, Any] = {"taskId": "../evil", "state": "success"}
    url = run("submit", "https://example.com/cat.jpg", "waves").stdout.strip()
    assert url == "../evil"
    real = run("submit", "https://example.com/cat.jpg", "waves").stdout.strip()
    link = run("wait", real).stdout.strip()
    task["resultJson"] = json.dumps({"resultUrls": [link]})
    service.inject("record", Answer.envelope(200, "success", task), times=2)
    assert run("download", "../evil").exit_code == 0
    assert [path.name for path in folder.iterdir()] == ["___evil.mp4"]


def test_an_unknown_task_is_nothing_to_come_back_to(run: Run, service: Sandbox) -> None:
    result = run("download", "nobody")
    assert result.exit_code == 1
    assert "kling wait" not in result.stderr


def test_upload_prints_the_link(run: Run, service: Sandbox, picture: str) -> None:
    assert run("upload", picture).stdout.startswith(f"{service.url}/files/")


def test_credits_prints_the_number(run: Run, task_id: str) -> None:
    assert run("credits").stdout == "9945\n"
    assert json.loads(run("credits", "--json").stdout) == {"credits": 9945.0}


@pytest.mark.parametrize("command", ["submit a b", "wait a", "status a", "download a", "upload a", "credits"])
def test_every_command_says_kindly_that_the_key_is_missing(run: Run, command: str) -> None:
    result = run(*command.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert "APIKLEY_API_KEY" in result.stderr
    assert "kling sandbox" in result.stderr


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"kling {__version__}\n"


def test_the_time_runs_on_between_two_looks() -> None:
    now = 100.0
    console = Console(file=io.StringIO(), force_terminal=True, width=60)
    line = Watching("waiting", lambda: now, spinner="line")

    def shown() -> str:
        with console.capture() as capture:
            console.print(line)
        return " ".join(capture.get().split())

    now = 103.5
    assert "waiting" in shown()
    assert "0:03" in shown()
    line.see(TaskStatus(task_id="t", model="", state="generating", elapsed=64.0))
    assert "1:04" in shown()
    now = 104.6
    assert "generating" in shown()
    assert "1:05" in shown()


def test_on_a_terminal_the_living_line_leaves_no_trace_on_stdout(
    run: Run, service: Sandbox, task_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = run("wait", task_id, "-o", "sea.mp4")
    assert result.stdout == "sea.mp4\n"
    assert "\x1b[?25l" in result.stderr  # the cursor hides while the line lives
    assert result.stderr.rindex("\x1b[?25h") > result.stderr.rindex("\x1b[?25l")
