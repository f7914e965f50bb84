"""What every flow of one client shares."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from kling_facade.polling import PollPolicy
    from kling_facade.settings import Settings
    from kling_facade.wire import IO

log = logging.getLogger("kling_facade")


@frozen
class Session:
    """One client's port to the world, what it was told, and when it looks."""

    io: IO
    settings: Settings
    polling: PollPolicy
