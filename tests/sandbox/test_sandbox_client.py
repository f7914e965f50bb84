"""The clients that a sandbox makes, end to end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av

from kling_facade.sandbox import Sandbox

Make = Callable[..., Any]


def seconds_of(path: Path) -> float:
    with av.open(str(path), "r") as container:
        return (container.duration or 0) / 1_000_000


def test_a_client_makes_a_video_without_waiting(make_picture: Make, tmp_path: Path) -> None:
    real = time.monotonic()
    with Sandbox() as sandbox, sandbox.client() as kling:
        before = sandbox.clock.now()
        video = kling.generate(make_picture(), "the cat yawns", duration=5, sound=False)
        assert sandbox.clock.now() - before > 30
        assert seconds_of(video.save(tmp_path / "cat.mp4")) == 5
        assert sandbox.credits == 10_000 - 55
    assert time.monotonic() - real < 20


def test_an_async_client_does_too(make_picture: Make, tmp_path: Path) -> None:
    async def main(sandbox: Sandbox) -> Path:
        async with sandbox.async_client() as kling:
            video = await kling.generate(make_picture(), "the cat yawns", duration=10, sound=True)
            return Path(await video.save(tmp_path / "cat.mp4"))

    with Sandbox() as sandbox:
        assert seconds_of(asyncio.run(main(sandbox))) == 10
        assert sandbox.credits == 10_000 - 220
