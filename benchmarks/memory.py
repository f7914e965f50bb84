"""P12: the memory of a task that is waited for, among a thousand on one event loop."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from typing import TYPE_CHECKING

from benchmarks.loopback import serving
from benchmarks.measuring import Row
from benchmarks.records import ANSWERS, TASK_ID
from kling_facade import AsyncKling, AsyncTask, Limits
from kling_facade.clock import RealClock
from kling_facade.flows.submitting import Bought
from kling_facade.kinds import Kind

if TYPE_CHECKING:
    from concurrent.futures import Future

TASKS = 1000
KB = 1024


class Patient(RealClock):
    """A clock whose sleepers sleep until they are cancelled."""

    async def async_sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        await super().async_sleep(3600 + seconds, wake)


def rows() -> list[Row]:
    """P12."""
    with serving(ANSWERS) as server:
        before, after = (asyncio.run(_measure(server.url, looked=looked)) / KB for looked in (False, True))
    return [
        Row(
            "P12", "memory per waiting task, async, at 1,000, before its first look",
            f"{before:.1f} KB", "<= 8 KB", before <= 8,
        ),
        Row(
            "P12", "the same after a look", f"{after:.1f} KB", "<= 8 KB", after <= 8,
            "2 KB of it are the record as received, which a status keeps as ``raw``",
        ),
    ]  # fmt: skip


async def _measure(url: str, *, looked: bool) -> float:
    """Bytes for each task; a wait looks at once, or at the end of its first pause, which never comes here."""
    async with AsyncKling("key", base_url=url, clock=Patient(), limits=Limits(queries=None)) as kling:
        await kling.task(TASK_ID).status()
        bought = None if looked else Bought(TASK_ID, "s", Kind(), at=time.monotonic())
        gc.collect()
        tracemalloc.start()
        tasks = [AsyncTask(kling._session, f"{TASK_ID}{i}", bought) for i in range(TASKS)]
        waits = [asyncio.create_task(task.wait(timeout=9000)) for task in tasks]
        del tasks
        await asyncio.sleep(10 if looked else 1)  # long enough for all looks, and not measured
        assert not looked or _all_looked(kling)
        gc.collect()
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        return used / TASKS


def _all_looked(kling: AsyncKling) -> bool:
    sightings = list(kling._session.sightings.values())
    return len(sightings) == TASKS and all(sighting.status for sighting in sightings)
