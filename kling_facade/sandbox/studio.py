"""Renders each video once, when it is first asked for."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Studio:
    """Videos by picture, length and sound; all who ask at once wait for the same rendering.

    Args:
        folder: where the videos are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._videos: dict[str, Future[Path]] = {}
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kling-sandbox-render")

    async def video(self, picture: Path, *, seconds: int, sound: bool) -> Path:
        """The finished MP4."""
        name = f"{picture.name}-{seconds}s{'-sound' if sound else ''}.mp4"
        if name not in self._videos:
            self._videos[name] = self._executor.submit(self._render, picture, name, seconds, sound)
        # Shielded: one client hanging up must not cancel the rendering that others wait for.
        return await asyncio.shield(asyncio.wrap_future(self._videos[name]))

    def _render(self, picture: Path, name: str, seconds: int, sound: bool) -> Path:  # noqa: FBT001 - for submit
        from kling_facade.sandbox.film import render  # loads PyAV

        target = self._folder / name
        render(picture, target, seconds=seconds, sound=sound)
        return target

    def close(self) -> None:
        """Waits for a rendering that is under way, drops the others."""
        self._executor.shutdown(wait=True, cancel_futures=True)
