"""Many at once, and nothing left of it."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kling_facade.sandbox import Sandbox

IMAGE = "https://example.com/cat.png"


async def generate(sandbox: Sandbox, count: int) -> list[Any]:
    async with sandbox.async_client() as kling:
        return await asyncio.gather(*(kling.generate(IMAGE, "it yawns", timeout=7200) for _ in range(count)))


def test_two_hundred_tasks_take_seconds_and_the_time_that_they_would_take() -> None:
    with Sandbox(scenario="realistic", credits=100_000) as sandbox:
        began, real = sandbox.clock.now(), time.monotonic()
        videos = asyncio.run(generate(sandbox, 200))
        took = sandbox.clock.now() - began
        longest = max(task.ends for task in sandbox.tasks.values()) - began
    assert len({video.task_id for video in videos}) == 200
    assert time.monotonic() - real < 40
    assert longest <= took < longest + 90  # 10 queries a second are allowed for the 200


def test_a_hundred_tasks_without_limits_take_as_long_as_the_longest() -> None:
    with Sandbox(credits=100_000, creates_per_10s=None, queries_per_second=None) as sandbox:
        with ThreadPoolExecutor(20) as pool, sandbox.client() as kling:
            list(pool.map(lambda _: kling.generate(IMAGE, "it yawns", timeout=7200), range(20)))
        longest = max(task.ends for task in sandbox.tasks.values())
        assert longest <= sandbox.clock.now() < longest + 30


def test_memory_does_not_grow_with_the_requests() -> None:
    with Sandbox(scenario="instant", credits=1e9, creates_per_10s=None) as sandbox:
        asyncio.run(generate(sandbox, 20))
        tracemalloc.start()
        try:
            asyncio.run(generate(sandbox, 50))
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            asyncio.run(generate(sandbox, 50))
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert grown < 50 * 20_000  # the tasks themselves and their recorded requests


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_hundred_sandboxes_leave_no_thread_no_socket_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Sandbox(), Sandbox():
        pass
    gc.collect()
    threads, files = set(threading.enumerate()), open_files()
    for _ in range(100):
        with Sandbox() as sandbox:
            sandbox.clock.sleep(1)
    gc.collect()
    assert set(threading.enumerate()) <= threads
    assert open_files() <= files
    assert list(tmp_path.iterdir()) == []
