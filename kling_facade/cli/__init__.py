"""The ``kling`` command; needs the ``cli`` extra."""

from __future__ import annotations

import os
import signal
import sys

from kling_facade.cli.exits import Exit
from kling_facade.cli.extras import require
from kling_facade.errors import ConfigurationError


def main() -> None:
    """Runs the command; the process ends with one of the exit codes that ``kling --help`` lists."""
    # what ends a job or a container is an interruption too: it must not swallow a paid task's id
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        require("cli")
        from kling_facade.cli.app import app

        app()
    except ConfigurationError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(Exit.USAGE)
    except KeyboardInterrupt:  # before the command itself began
        _leave(Exit.INTERRUPTED)
    except SystemExit as end:
        if end.code == Exit.INTERRUPTED:
            _leave(Exit.INTERRUPTED)
        raise


def _leave(code: Exit) -> None:
    """Ends the process now; an ordinary exit waits for a thread whose answer does not come."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
