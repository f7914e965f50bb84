"""Fixtures for tests of apps that make videos; imports only pytest until used."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kling_facade import AsyncKling, Kling
    from kling_facade.sandbox import Sandbox

MARKER = """kling(scenario="ordinary", **options): what the sandbox of this test does; \
options as for kling_facade.sandbox.Sandbox. The closest marker wins, option by option."""


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def kling_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A local service for this test alone, as its ``kling`` marker says.

    While it runs, the test can reach nothing but this machine.
    """
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("kling"))):
        if marker.args:
            raise pytest.UsageError(f"the kling marker takes keywords only: {marker}")
        options.update(marker.kwargs)
    try:
        from kling_facade.sandbox import Sandbox
        from kling_facade.sandbox.guard import loopback_only
    except ImportError as error:
        raise pytest.UsageError(f"install 'kling-facade[sandbox]' for this fixture: {error}") from error
    with ExitStack() as stack:
        if not options.get("allow_fetch"):
            stack.enter_context(loopback_only())
        yield stack.enter_context(Sandbox(**options))


@pytest.fixture
def kling_client(kling_sandbox: Sandbox) -> Iterator[Kling]:
    """A client of the sandbox; its waiting turns the sandbox's clock and takes no time."""
    with kling_sandbox.client() as client:
        yield client


@pytest.fixture
def async_kling_client(kling_sandbox: Sandbox) -> AsyncKling:
    """The same for asyncio, with any runner or plugin.

    It belongs to the event loop in which the test uses it first, and closes itself when that loop ends.
    """
    from kling_facade.sandbox.looped import LoopedKling

    return kling_sandbox.async_client(kind=LoopedKling)
