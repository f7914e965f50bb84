import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from typer.testing import Result

from kling_facade.cli import services
from kling_facade.sandbox import Sandbox
from kling_facade.tasks import Task
from kling_facade.videos import Video

Run = Callable[..., Result]


def interrupt(*_arguments: object, **_options: object) -> NoReturn:
    raise KeyboardInterrupt


def resume_command(result: Result) -> list[str]:
    """The arguments of the command that the output offers."""
    [line] = [line for line in result.stderr.splitlines() if line.startswith("  kling ")]
    return shlex.split(line)[1:]


def test_only_the_path_goes_to_stdout(run: Run, service: Sandbox, picture: str, folder: Path) -> None:
    result = run("generate", picture, "waves", "-o", "sea.mp4")
    [task_id] = service.tasks
    assert (result.exit_code, result.stdout) == (0, "sea.mp4\n")
    assert (folder / "sea.mp4").read_bytes()[4:8] == b"ftyp"
    assert f"task {task_id} is submitted" in result.stderr
    assert "for 55 credits" in result.stderr


def test_without_a_name_the_video_is_called_after_its_task(
    run: Run, service: Sandbox, picture: str, folder: Path
) -> None:
    result = run("generate", picture, "waves")
    [task_id] = service.tasks
    assert result.stdout == f"{task_id}.mp4\n"
    assert [path.name for path in folder.iterdir()] == [f"{task_id}.mp4"]


def test_a_directory_takes_the_video(run: Run, service: Sandbox, picture: str, folder: Path) -> None:
    (folder / "videos").mkdir()
    result = run("generate", picture, "waves", "-o", "videos")
    [task_id] = service.tasks
    assert result.stdout.strip() == str(Path("videos") / f"{task_id}.mp4")


@pytest.mark.parametrize("target", ["there.mp4", "no/such/folder.mp4", "x" * 300 + ".mp4"])
def test_a_target_that_cannot_be_is_refused_before_anything_is_sent(
    run: Run, service: Sandbox, picture: str, folder: Path, target: str
) -> None:
    (folder / "there.mp4").write_text("mine")
    result = run("generate", picture, "waves", "-o", target)
    assert result.exit_code == 2
    assert "--output" in result.stderr
    assert service.requests == []
    assert (folder / "there.mp4").read_text() == "mine"


def test_overwrite_replaces_an_existing_file(run: Run, service: Sandbox, picture: str, folder: Path) -> None:
    (folder / "there.mp4").write_text("mine")
    assert run("generate", picture, "waves", "-o", "there.mp4", "--overwrite").exit_code == 0
    assert (folder / "there.mp4").read_bytes()[4:8] == b"ftyp"


def test_the_options_reach_the_service(run: Run, service: Sandbox, picture: str) -> None:
    hook = "https://example.com/kling"
    run("submit", picture, "waves", "--duration", "10", "--sound", "--callback-url", hook)
    [task] = service.tasks.values()
    assert task.request["callBackUrl"] == hook
    assert task.request["input"] | {"image_urls": []} == {
        "prompt": "waves",
        "duration": "10",
        "sound": True,
        "image_urls": [],
    }


def test_json_is_one_object(run: Run, service: Sandbox, picture: str) -> None:
    document: Any = json.loads(run("generate", picture, "waves", "-o", "sea.mp4", "--json").stdout)
    [task_id] = service.tasks
    assert document["task_id"] == task_id
    assert document["path"] == "sea.mp4"
    assert document["url"] == document["urls"][0]
    assert (document["state"], document["credits"]) == ("success", 55.0)
    assert 30 < document["elapsed"] < 300
    assert document["sandbox"] is False


def test_a_quiet_success_says_nothing(run: Run, service: Sandbox, picture: str) -> None:
    assert run("generate", picture, "waves", "-o", "sea.mp4", "--quiet").stderr == ""


def test_without_a_key_both_ways_on_are_named(run: Run, picture: str) -> None:
    result = run("generate", picture, "waves")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "APIKLEY_API_KEY" in result.stderr
    assert "--sandbox" in result.stderr


def test_the_sandbox_needs_no_key_and_says_what_it_is(
    run: Run, picture: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SPEED", 400.0)
    result = run("generate", picture, "waves", "-o", "sea.mp4", "--sandbox")
    assert (result.exit_code, result.stdout) == (0, "sea.mp4\n")
    assert (folder / "sea.mp4").exists()
    for words in ("400 times", "pan and zoom", "not made by Kling", "costs nothing"):
        assert words in result.stderr


def test_the_sandbox_promises_no_way_back_to_a_task_that_ends_with_it(
    run: Run, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Task, "wait", interrupt)
    result = run("generate", picture, "waves", "--sandbox")
    assert result.exit_code == 130
    assert "The sandbox ends with this command" in result.stderr
    assert "kling wait" not in result.stderr


@pytest.mark.parametrize("moment", [(Task, "wait"), (Video, "save")])
def test_an_interruption_tells_the_way_back(
    run: Run,
    service: Sandbox,
    picture: str,
    folder: Path,
    moment: tuple[type, str],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*moment, interrupt)
        result = run("generate", picture, "waves", "-o", "the sea.mp4")
    [task_id] = service.tasks
    assert (result.exit_code, result.stdout) == (130, "")
    assert resume_command(result) == ["wait", task_id, "-o", "the sea.mp4"]
    assert run(*resume_command(result)).stdout == "the sea.mp4\n"
    assert (folder / "the sea.mp4").exists()
    assert len(service.tasks) == 1


def test_an_interruption_before_the_submission_says_that_nothing_was_submitted(
    run: Run, service: Sandbox, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kling_facade.client.Kling.submit", interrupt)
    result = run("generate", picture, "waves")
    assert result.exit_code == 130
    assert "Nothing was submitted" in result.stderr


def test_when_the_time_is_up_the_way_back_is_told(run: Run, service: Sandbox, picture: str) -> None:
    result = run("generate", picture, "waves", "--timeout", "20", "--json")
    [task_id] = service.tasks
    assert result.exit_code == 4
    assert resume_command(result) == ["wait", task_id, "-o", "."]
    error: Any = json.loads(result.stdout)["error"]
    assert (error["type"], error["exit_code"], error["task_id"]) == ("WaitTimeoutError", 4, task_id)
    assert error["resume"] == f"kling wait {task_id} -o ."
    assert run(*resume_command(result)).stdout == f"{task_id}.mp4\n"
