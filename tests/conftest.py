"""What tests of both clients share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.blocking import Blocking
from support.fakes import FakeClock

from kling_facade import AsyncKling, Kling
from kling_facade.sandbox import Sandbox

PICTURE = Path(__file__).parent.parent / "examples" / "lighthouse.jpg"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APIKLEY_API_KEY", "APIKLEY_BASE_URL", "APIKLEY_UPLOAD_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def picture() -> Path:
    return PICTURE


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(params=["sync", "async"])
def flavour(request: pytest.FixtureRequest) -> str:
    """Which of the two clients; a test that asks for it runs with both."""
    return str(request.param)


Connect = Callable[..., Any]


@pytest.fixture
def connect(flavour: str) -> Iterator[Connect]:
    """Makes a client of either kind, all of them without ``await``; sleeping costs no time."""
    with contextlib.ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner()) if flavour == "async" else None

        def make(url: str, **options: Any) -> Any:
            options = {"api_key": "sandbox-key", "base_url": url, "clock": FakeClock(), **options}
            if runner is None:
                return stack.enter_context(Kling(**options))
            client = Blocking(AsyncKling(**options), runner)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def kling(connect: Connect, sandbox: Sandbox) -> Any:
    """A client of either kind at the sandbox, whose clock it turns."""
    return connect(sandbox.url, clock=sandbox.clock)
