"""What tests of both clients share."""

from __future__ import annotations

import asyncio
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
    if flavour == "sync":
        made: list[Kling] = []

        def connect_sync(url: str, **options: Any) -> Any:
            made.append(Kling(**{"api_key": "sandbox-key", "base_url": url, "clock": FakeClock(), **options}))
            return made[-1]

        yield connect_sync
        for client in made:
            client.close()
        return
    with asyncio.Runner() as runner:
        clients: list[AsyncKling] = []

        def connect_async(url: str, **options: Any) -> Any:
            clients.append(
                AsyncKling(**{"api_key": "sandbox-key", "base_url": url, "clock": FakeClock(), **options})
            )
            return Blocking(clients[-1], runner)

        yield connect_async
        for client in clients:
            runner.run(client.close())


@pytest.fixture
def kling(connect: Connect, sandbox: Sandbox) -> Any:
    """A client of either kind at the sandbox, whose clock it turns."""
    return connect(sandbox.url, clock=sandbox.clock)
