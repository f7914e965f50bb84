"""Whom the command talks to: the configured service, or a sandbox of its own."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen

from kling_facade.cli.extras import require
from kling_facade.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from kling_facade.cli.talk import Talk
    from kling_facade.client import Kling
    from kling_facade.sandbox import Sandbox

SPEED = 20.0  # times faster than the clock on the wall

_NO_KEY = (
    "There is no API key. To use the service, put your key into the environment variable APIKLEY_API_KEY. "
    "To try things out without a key and without paying, "
)


@frozen
class Service:
    """A client, and the clock it waits by.

    Attributes:
        lasting: whether tasks outlive this command.
    """

    kling: Kling
    now: Callable[[], float] = time.monotonic
    lasting: bool = True


@contextmanager
def configured(
    way_out: str = "run `kling sandbox` in another terminal.", *, journal: Path | None = None
) -> Generator[Service]:
    """The service that the environment names.

    Args:
        way_out: what somebody without a key can do.
        journal: where submissions are written down.

    Raises:
        ConfigurationError: the environment does not allow it.
    """
    if not os.environ.get("APIKLEY_API_KEY", "").strip():
        raise ConfigurationError(_NO_KEY + way_out)
    from kling_facade.client import Kling

    with Kling(journal=journal) as kling:
        yield Service(kling)


@contextmanager
def local(talk: Talk, image: str, *, journal: Path | None = None) -> Generator[Service]:
    """A sandbox that lasts as long as the command."""
    require("sandbox")
    from kling_facade.sandbox import Sandbox

    talk.say(
        f"This is the sandbox, a stand-in on your own machine, at {SPEED:g} times the speed. The video will "
        "be a pan and zoom over the picture, not made by Kling. It costs nothing.",
        style="yellow",
    )
    if image.lower().startswith(("http://", "https://")):
        talk.say("The sandbox fetches nothing: a test card takes the place of your link.", style="yellow")
    with Sandbox(realtime=True, speed=SPEED) as sandbox, sandbox.client(journal=journal) as kling:
        yield Service(kling, now=sandbox.clock.now, lasting=False)


def start_sandbox(**options: Any) -> Sandbox:
    """A sandbox for other processes, running; ``options`` as for ``Sandbox``.

    Raises:
        ConfigurationError: it cannot listen where it should, or there is no such scenario or quirk.
    """
    require("sandbox")
    from kling_facade.sandbox import Sandbox

    try:
        sandbox = Sandbox(realtime=True, **options)
        sandbox.start()
    except ValueError as error:
        raise ConfigurationError(f"The sandbox cannot do that: {error}.") from error
    except OSError as error:
        where = f"{options['host']}:{options['port']}"
        raise ConfigurationError(f"The sandbox cannot listen on {where}: {error.strerror}.") from error
    return sandbox
