"""The page about the sandbox: its shell runs as printed, with nothing but curl and openssl."""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kling_facade.sandbox import FAULTS, QUIRKS, SCENARIOS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sandbox.md").read_text()
COMMAND = [sys.executable, "-c", "from kling_facade.cli import main; main()", "sandbox"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """The lines that the command of the page prints."""
    [console] = blocks("console")
    options = console.splitlines()[0].removeprefix("$ kling sandbox").replace("8787", "0").split()
    command = [*COMMAND, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            lines = [process.stdout.readline() for _ in range(4)]
            printed = [re.sub(r":\d{4,5}", ":8787", line).strip() for line in lines]
            assert printed == console.splitlines()[1:]
            yield dict(line.strip().removeprefix("export ").split("=", 1) for line in lines)
        finally:
            process.terminate()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        server.got.append(dict(self.headers.items()))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        seen: Any = server
        seen.got = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sh(script: str, environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        env={**os.environ, "NO_PROXY": "*", **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
def test_the_page_works_with_curl_and_openssl_alone(
    environment: dict[str, str], receiver: Any, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    *steps, verify = blocks("sh")
    script = "".join(steps).replace(":8788/", f":{receiver.server_port}/")
    said = sh(script, environment, tmp_path)
    assert re.search(r"uploaded: http://127.*\.jpg\ntask: [0-9a-f]{32}\nstate: success\n", said), said
    assert (tmp_path / "lighthouse.mp4").read_bytes()[4:8] == b"ftyp"
    [headers] = receiver.got
    signed = {
        "task": re.findall("task: (.*)", said)[0],
        "timestamp": headers["x-webhook-timestamp"],
        "signature": headers["x-webhook-signature"],
    }
    assert sh(verify, {**environment, **signed}, tmp_path) == "the callback is genuine\n"
    with pytest.raises(AssertionError):
        sh(verify, {**environment, **signed, "task": "0" * 32}, tmp_path)


def test_the_python_of_the_page_runs(tmp_path: Path) -> None:
    fixtures, plain = blocks("python")
    (tmp_path / "test_page.py").write_text(
        f"import pytest\nfrom kling_facade import TaskFailedError\n\n{fixtures}"
    )
    for arguments in (["-c", plain], ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"]):
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_lists_every_name() -> None:
    for rows in (SCENARIOS, QUIRKS):
        for name, row in rows.items():
            assert f"| `{name}` | {row.about} |" in PAGE
    assert all(f"`{name}`" in PAGE for name in FAULTS)


@pytest.mark.parametrize(("option", "known"), [("--scenario", "stuck"), ("--quirk", "real_status")])
def test_the_command_names_what_there_is_instead(option: str, known: str) -> None:
    done = subprocess.run(
        [*COMMAND, option, "nonsense"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode != 0
    assert "nonsense" in done.stderr
    assert known in done.stderr
    assert "Traceback" not in done.stderr
