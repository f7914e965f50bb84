"""Hundreds of tasks waited for at once, within what the service allows."""

from __future__ import annotations

import asyncio

from benchmarks.crowd import Crowd
from kling_facade import AsyncKling, AsyncTask, Limits
from kling_facade.events import Event
from kling_facade.sandbox import Sandbox

TASKS = 300


def test_three_hundred_waits_never_exceed_the_budget_and_all_come_home() -> None:
    events: list[Event] = []
    with Sandbox(creates_per_10s=None, queries_per_second=10, credits=1e6) as sandbox:
        found = asyncio.run(_wait_for_all(sandbox, events))
        asked = [request.at for request in sandbox.requests if request.path.endswith("/recordInfo")]
        ends = {task.id: task.ends for task in sandbox.tasks.values()}
    assert len(found) == TASKS
    assert Crowd(0.0, tuple(sorted(asked))).most_in(1.0) <= 10
    assert not [event for event in events if event.http_status == 429 or event.code == 429]
    delays = [found[task_id] - end for task_id, end in ends.items()]
    assert max(delays) < 3 * TASKS / 10  # seconds; nobody is passed over
    assert sum(delays) / TASKS < TASKS / 10


async def _wait_for_all(sandbox: Sandbox, events: list[Event]) -> dict[str, float]:
    found: dict[str, float] = {}

    async def wait(task: AsyncTask) -> None:
        await task.wait(timeout=3000)
        found[task.id] = sandbox.clock.now()

    async with sandbox.async_client(limits=Limits(creates=None), on_event=events.append) as kling:
        tasks = await asyncio.gather(*(_submit(kling) for _ in range(TASKS)))
        await asyncio.gather(*(wait(task) for task in tasks))
    return found


async def _submit(kling: AsyncKling) -> AsyncTask:
    return await kling.submit("https://files.example.test/lighthouse.jpg", "The lamp turns.")
