"""A task outlives the process that submitted it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kling_facade.sandbox import Sandbox


def run(code: str, sandbox: Sandbox, *arguments: str) -> str:
    environment = {**os.environ, "APIKLEY_API_KEY": sandbox.api_key, "APIKLEY_BASE_URL": sandbox.url}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_task_survives_its_process(sandbox: Sandbox, picture: Path, tmp_path: Path) -> None:
    submit = (
        "import sys, kling_facade as k\nwith k.Kling() as kling: print(kling.submit(sys.argv[1], 'p').id)"
    )
    task_id = run(submit, sandbox, str(picture))
    sandbox.clock.advance(600)
    save = (
        "import sys, kling_facade as k\n"
        "with k.Kling() as kling: print(kling.task(sys.argv[1]).wait().save(sys.argv[2]))"
    )
    target = tmp_path / "cat.mp4"
    assert run(save, sandbox, task_id, str(target)) == str(target)
    assert target.stat().st_size > 10_000
    assert len(sandbox.tasks) == 1


def test_a_client_that_is_not_closed_leaves_no_warning(sandbox: Sandbox) -> None:
    assert float(run("import kling_facade as k\nprint(k.Kling().credits())", sandbox)) > 0
