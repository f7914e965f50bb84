"""A real browser, where there is one, and somebody who receives callbacks."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from kling_facade.sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIETLY = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
PATIENCE = 15.0  # seconds


class Window:
    """A page of the sandbox in the browser, and all that the browser complained of."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.goto(url)
        self.until("document.body.dataset.live === 'true'")

    def until(self, condition: str, *, patience: float = PATIENCE) -> None:
        """Waits for JavaScript to be true; playwright's own way needs eval, which the page forbids itself."""
        deadline = time.monotonic() + patience
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"never true: {condition}\n{self.complaints}"
            self.page.wait_for_timeout(25)

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium. Of the module and not the session: playwright runs an event loop in this thread."""
    if CHROMIUM is None:
        pytest.skip("NO BROWSER: install Debian's chromium to test the sandbox's page in it")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="NO DRIVER: install playwright to test the sandbox's page in chromium"
    )
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIETLY.split())
        yield browser
        browser.close()


Look = Callable[..., Window]


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """Opens the page of a sandbox; options as for a new context of the browser."""
    contexts = []

    def look(sandbox: Sandbox, path: str = "/", **options: Any) -> Window:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        contexts.append(context)
        return Window(context.new_page(), sandbox.url + path)

    yield look
    for context in contexts:
        context.close()


class _Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        server.got.append(self.rfile.read(int(self.headers["content-length"])))
        answer = b"<b>thanks</b>"
        self.send_response(500 if "broken" in self.path else 200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Any]:
    """A server for callbacks; ``got`` are the bodies."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Receiver) as server:
        seen: Any = server
        seen.got = []
        seen.url = f"http://127.0.0.1:{server.server_port}/kling"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Api(httpx.Client):
    """Plain HTTP with the right key."""

    def __init__(self, sandbox: Sandbox) -> None:
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        super().__init__(base_url=sandbox.url, headers=headers, timeout=20)

    def create(self, prompt: str = "the cat yawns", callback: str | None = None, **changes: Any) -> str:
        """Creates a task; its id."""
        inputs = {"prompt": prompt, "image_urls": ["https://example.com/cat.png"], "sound": False}
        document = {"model": "kling-2.6/image-to-video", "input": {**inputs, "duration": "5", **changes}}
        document |= {"callBackUrl": callback} if callback else {}
        answer = self.post("/api/v1/jobs/createTask", json=document).json()
        return str(answer["data"]["taskId"])


@pytest.fixture
def connect_to() -> Callable[[Sandbox], Api]:
    return Api


class Viewer(httpx.Client):
    """What a browser asks of the page, without one."""

    def look(self, **glance: str) -> dict[str, Any]:
        """The first view that the live page is sent."""
        with self.stream("GET", "/page/events", params=glance) as events:
            for line in events.iter_lines():
                if line.startswith("data: "):
                    view: dict[str, Any] = json.loads(line.removeprefix("data: "))["view"]
                    return view
        raise AssertionError("no event came")

    def act(self, button: str, /, **given: object) -> httpx.Response:
        """Presses a button."""
        return self.post(f"/page/acts/{button}", json=given)


@pytest.fixture
def page(local: Sandbox) -> Iterator[Viewer]:
    with Viewer(base_url=local.url) as viewer:
        yield viewer


@pytest.fixture
def local() -> Iterator[Sandbox]:
    with Sandbox(webhook_key="test-key") as sandbox:
        yield sandbox
