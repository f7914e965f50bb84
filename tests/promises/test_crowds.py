"""Two hundred submissions at once: nobody is refused, nobody is lost, no time is wasted."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from kling_facade.sandbox import Sandbox

COUNT = 200
URL = "https://f.test/a.jpg"


def submit_in_threads(sandbox: Sandbox) -> list[str]:
    with sandbox.client() as kling, ThreadPoolExecutor(COUNT) as pool:
        return list(pool.map(lambda number: kling.submit(URL, f"{number}", timeout=2000).id, range(COUNT)))


def submit_in_a_loop(sandbox: Sandbox) -> list[str]:
    async def main() -> list[str]:
        async with sandbox.async_client() as kling:
            tasks = await asyncio.gather(*(kling.submit(URL, f"{n}", timeout=2000) for n in range(COUNT)))
            return [task.id for task in tasks]

    return asyncio.run(main())


def refusals(sandbox: Sandbox) -> int:
    creates = sum(1 for request in sandbox.requests if request.path.endswith("createTask"))
    return creates - len(sandbox.tasks)


@pytest.mark.parametrize("submit", [submit_in_threads, submit_in_a_loop])
@pytest.mark.parametrize(("allowed", "tolerance", "most_refusals"), [(20, 1.05, 0), (5, 1.10, 19)])
def test_a_crowd_gets_through_at_the_pace_of_the_service(
    submit: Callable[[Sandbox], list[str]], allowed: int, tolerance: float, most_refusals: int
) -> None:
    with Sandbox(creates_per_10s=allowed, credits=COUNT * 55) as sandbox:
        began = sandbox.clock.now()
        ids = submit(sandbox)
        took = sandbox.clock.now() - began
        assert len(set(ids)) == COUNT
        assert set(ids) == set(sandbox.tasks)
        assert refusals(sandbox) <= most_refusals
        assert took <= tolerance * (math.ceil(COUNT / allowed) - 1) * 10
