"""``kling callbacks sign`` prints what the service would send."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from itertools import pairwise

import pytest
from support.senders import KEY
from support.servers import wsgi_server
from typer.testing import CliRunner

from kling_facade.callbacks import Callback, CallbackInbox, CallbackVerifier, wsgi_app
from kling_facade.cli.app import app


def sign(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, ["callbacks", "sign", *arguments])
    assert result.exit_code == 0, result.output
    assert KEY not in result.output
    assert ("--task-id" in result.stderr) == ("--task-id" not in arguments)
    return shlex.split(result.stdout)


def test_the_sample_is_signed_as_the_service_does_it() -> None:
    words = sign("https://app.test/kling", "--task-id", "it's $a task")
    headers = dict(word.split(": ", 1) for option, word in pairwise(words) if option == "-H")
    callback = CallbackVerifier(KEY).verify(headers, words[-1].encode())
    assert callback.task_id == "it's $a task"
    assert words[:3] == ["curl", "-i", "https://app.test/kling"]


@pytest.mark.parametrize("options", [[], ["--failed"]])
def test_the_line_as_printed_reaches_a_receiver(options: list[str]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed, so the line was not run")
    handled: list[Callback] = []
    with wsgi_server(wsgi_app(CallbackInbox(handler=handled.append))) as url:
        done = subprocess.run(sign(url, *options), capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.startswith("HTTP/1.0 200 OK")
    assert len(handled) == 1


def test_without_a_key_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APIKLEY_WEBHOOK_KEYS")
    result = CliRunner().invoke(app, ["callbacks", "sign", "https://app.test/"])
    assert result.exit_code == 2
    assert "APIKLEY_WEBHOOK_KEYS" in result.output


def test_what_is_no_url_is_refused() -> None:
    assert CliRunner().invoke(app, ["callbacks", "sign", "app.test"]).exit_code == 2
