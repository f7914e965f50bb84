"""The id of a paid task gets through somehow, and a broken terminal does not waste a video."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kling_facade.sandbox import Sandbox

COMMAND = f"{sys.executable} -c 'from kling_facade.cli import main; main()'"
pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(line: str, sandbox: Sandbox) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "APIKLEY_API_KEY": sandbox.api_key, "APIKLEY_BASE_URL": sandbox.url}
    return subprocess.run(
        ["bash", "-c", line.replace("kling", COMMAND, 1)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("broken", [">/dev/full", ">&-", "| true"])
def test_an_id_that_stdout_does_not_take_is_said_on_stderr(picture: str, broken: str) -> None:
    with Sandbox(realtime=True) as sandbox:
        done = shell(f"set -o pipefail; kling submit {picture} waves {broken}", sandbox)
        (task_id,) = sandbox.tasks
    assert done.returncode == 1
    assert task_id in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("broken", ["2>/dev/full", "2>&-", "2>&1 >out.txt | true"])
def test_a_video_is_saved_although_nobody_can_be_told(picture: str, folder: Path, broken: str) -> None:
    with Sandbox(realtime=True, speed=100) as sandbox:
        done = shell(f"set -o pipefail; kling generate {picture} waves -o sea.mp4 {broken}", sandbox)
    assert done.returncode == 0
    assert (folder / "sea.mp4").stat().st_size > 1000


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_paid(picture: str) -> None:
    with Sandbox(realtime=True) as sandbox:
        done = shell(f"kling generate {picture} waves -o /proc/sea.mp4", sandbox)
        assert done.returncode == 2
        assert "/proc" in done.stderr
        assert sandbox.requests == []


def test_a_key_without_a_journal_names_the_option(picture: str) -> None:
    with Sandbox(realtime=True) as sandbox:
        done = shell(f"kling submit {picture} waves --key sea", sandbox)
        assert done.returncode == 2
        assert "--journal" in done.stderr
        assert sandbox.requests == []


def test_an_id_that_the_service_does_not_know_is_not_called_paid(picture: str) -> None:
    with Sandbox(realtime=True) as sandbox:
        done = shell("kling wait bogus --timeout 1.5", sandbox)
    assert done.returncode == 4
    assert "Is the id right?" in done.stderr
    assert "paid" not in done.stderr
