"""An asynchronous client that nobody needs to close."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kling_facade.async_client import AsyncKling

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class LoopedKling(AsyncKling):
    """Closes itself when the event loop ends in which it was used.

    A fixture outlives the loop of ``asyncio.run``, and connections can be closed in their own loop only. Each
    runner closes the asynchronous generators left open in its loop before it closes the loop: so one is.
    """

    _held: AsyncGenerator[None] | None = None

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_"):
            self._hold()
        return super().__getattribute__(name)

    def _hold(self) -> None:
        with suppress(RuntimeError):  # no loop is running
            asyncio.get_running_loop()
            if self._held is None:
                self._held = self._open()
                with suppress(StopIteration):  # it has come to its yield
                    self._held.__anext__().send(None)

    async def _open(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await AsyncKling.close(self)
