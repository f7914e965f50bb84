"""Each example starts a video, and shows it when the callback has arrived."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from support.rawserver import wait_for
from support.senders import KEY
from support.servers import asgi_server, wsgi_server

from kling_facade.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str, framework: str) -> ModuleType:
    pytest.importorskip(framework, reason=f"{framework} is not installed, so examples/{name} was not tried")
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / name / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(url: str, sandbox: Sandbox, picture: Path) -> None:
    with httpx.Client(base_url=url, follow_redirects=True, timeout=30) as browser:
        assert "form" in browser.get("/").text
        page = browser.post("/", data={"prompt": "the beam turns"}, files={"image": picture.read_bytes()})
        assert page.status_code == 200
        assert "being made" in page.text
        task_id = page.url.path.rpartition("/")[2]
        assert task_id in sandbox.tasks
        assert "being made" in browser.get(page.url.path).text
        sandbox.clock.advance(600)
        wait_for(lambda: "<video" in browser.get(page.url.path).text, seconds=20)
        [link] = re.findall(r'src="([^"]+)"', browser.get(page.url.path).text)
        assert httpx.get(link).content[4:8] == b"ftyp"
        assert browser.post("/kling/", json={"data": {"taskId": task_id}}).status_code == 401
        check_what_goes_wrong(browser, sandbox)


def check_what_goes_wrong(browser: httpx.Client, sandbox: Sandbox) -> None:
    refused = browser.post("/", data={"prompt": "p"}, files={"image": b"no picture"})
    assert (refused.status_code, refused.headers["content-type"].partition(";")[0]) == (400, "text/plain")
    assert "image" in refused.text
    assert browser.get("/videos/unknown").status_code == 404
    lost = sandbox.client().submit("https://example.com/a.png", "p", callback_url="http://127.0.0.1:9/")
    sandbox.clock.advance(600)
    assert "<video" in browser.get(f"/videos/{lost.id}").text  # of which the page has heard nothing


@pytest.mark.parametrize(
    ("name", "framework", "serve"),
    [("flask_app", "flask", wsgi_server), ("fastapi_app", "fastapi", asgi_server)],
)
def test_the_example_shows_the_video_once_it_was_called(
    name: str,
    framework: str,
    serve: Callable[..., AbstractContextManager[str]],
    picture: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = load(name, framework)
    with Sandbox(webhook_key=KEY) as sandbox:

        def make(url: str) -> Any:
            monkeypatch.setenv("PUBLIC_URL", url)
            return module.create_app(api_key=sandbox.api_key, base_url=sandbox.url)

        with serve(make=make) as url:
            check(url, sandbox, picture)
