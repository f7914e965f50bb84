"""The command as a person starts it: processes, signals, missing packages."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kling_facade.sandbox import Answer, Sandbox

HEAR_CTRL_C = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # even in a background job
)
COMMAND = [sys.executable, "-c", f"{HEAR_CTRL_C}; from kling_facade.cli import main; main()"]


def start(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*arguments: str, environment: dict[str, str]) -> str:
    """What a command prints that succeeds."""
    with start(*arguments, environment=environment) as process:
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        return out.strip()


@pytest.fixture
def served() -> Iterator[dict[str, str]]:
    """The three lines of a running `kling sandbox`, as an environment."""
    with start("sandbox", "--port", "0", "--speed", "2000", "--credits", "100") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        yield dict(shlex.split(line)[1].split("=", 1) for line in lines)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out) == (0, "")
        assert "Traceback" not in err


def test_a_task_submitted_by_one_process_is_saved_by_another(
    served: dict[str, str], picture: str, folder: Path
) -> None:
    assert set(served) == {"APIKLEY_API_KEY", "APIKLEY_BASE_URL", "APIKLEY_UPLOAD_URL"}
    task_id = finish("submit", picture, "waves", environment=served)
    assert finish("credits", environment=served) == "45"
    time.sleep(0.1)  # 200 s of the sandbox's time
    assert finish("wait", task_id, "-o", "sea.mp4", environment=served) == "sea.mp4"
    assert (folder / "sea.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_tells_the_way_back_at_once(number: signal.Signals, picture: str) -> None:
    with Sandbox(realtime=True) as sandbox:
        sandbox.inject("record", Answer(delay=60.0))
        environment = {"APIKLEY_API_KEY": sandbox.api_key, "APIKLEY_BASE_URL": sandbox.url}
        with start("wait", "abc123", "-o", "sea.mp4", environment=environment) as process:
            while not sandbox.requests:
                time.sleep(0.01)
            sent_at = time.monotonic()
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
        assert time.monotonic() - sent_at < 5.0  # the answer would have taken half a minute more
    assert (process.returncode, out) == (130, "")
    assert "  kling wait abc123 -o sea.mp4\n" in err


def test_an_id_that_comes_after_ctrl_c_is_told(picture: str) -> None:
    with Sandbox(realtime=True) as sandbox:
        accepted = Answer.json({"code": 200, "msg": "success", "data": {"taskId": "late1"}}, delay=1.0)
        sandbox.inject("create", accepted)
        environment = {"APIKLEY_API_KEY": sandbox.api_key, "APIKLEY_BASE_URL": sandbox.url}
        with start("generate", picture, "waves", environment=environment) as process:
            while not any(request.path.endswith("createTask") for request in sandbox.requests):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "late1" in err
    assert "`kling wait ID`" in err
    assert "Nothing was submitted" not in err


def test_a_taken_port_is_an_error_and_no_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start("sandbox", "--port", str(port)) as process:
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert f"127.0.0.1:{port}" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("module", "extra", "arguments"),
    [
        ("typer", "cli", ["--help"]),
        ("rich", "cli", ["credits"]),
        ("av", "sandbox", ["sandbox"]),
        ("starlette", "sandbox", ["generate", "cat.jpg", "waves", "--sandbox"]),
    ],
)
def test_what_is_not_installed_is_named(module: str, extra: str, arguments: list[str]) -> None:
    script = f"import sys; sys.modules[{module!r}] = None; from kling_facade.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], check=False, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert module in done.stderr
    assert f"pip install 'kling-facade[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
