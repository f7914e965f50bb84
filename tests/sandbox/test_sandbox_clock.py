"""Promises of the sandbox's clock."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from kling_facade.sandbox import Clock


def test_sleeping_turns_the_clock_and_costs_no_time() -> None:
    clock, real = Clock(), time.monotonic()
    before = clock.now()
    clock.sleep(3600)
    assert 3600 <= clock.now() - before < 3601
    assert time.monotonic() - real < 1


def test_async_sleeping_turns_the_clock_and_lets_others_run() -> None:
    clock, seen = Clock(), []

    async def other() -> None:
        seen.append(clock.now())

    async def main() -> None:
        task = asyncio.create_task(other())
        await clock.async_sleep(3600)
        assert seen
        await task

    asyncio.run(main())
    assert seen[0] < 1
    assert 3600 <= clock.now() < 3601


def test_sleepers_of_one_moment_do_not_add_up() -> None:
    clock = Clock()

    async def main() -> None:
        await asyncio.gather(*(clock.async_sleep(seconds) for seconds in (100, 300, 200)))

    asyncio.run(main())
    assert 300 <= clock.now() < 301


def test_threads_each_get_what_they_asked_for() -> None:
    clock, slept = Clock(), []

    def sleeper() -> None:
        before = clock.now()
        clock.sleep(50)
        slept.append(clock.now() - before)

    threads = [threading.Thread(target=sleeper) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(slept) == 20
    assert min(slept) >= 50


def test_realtime_sleeps_as_long_as_the_speed_says() -> None:
    clock, real = Clock(realtime=True, speed=1000), time.monotonic()
    clock.sleep(50)
    asyncio.run(clock.async_sleep(50))
    assert clock.now() >= 100
    assert 0.1 <= time.monotonic() - real < 5


def test_wall_time_starts_now_and_moves_with_the_clock() -> None:
    clock = Clock()
    assert abs(clock.wall() - time.time()) < 1
    clock.advance(86_400)
    assert abs(clock.wall() - time.time() - 86_400) < 1
    assert clock.wall_time(clock.now()).utcoffset() is not None


def test_the_clock_is_not_turned_back() -> None:
    with pytest.raises(ValueError, match="turned back"):
        Clock().advance(-1)
    with pytest.raises(ValueError, match="speed"):
        Clock(speed=0)
    clock = Clock()
    clock.sleep(-5)
    assert clock.now() >= 0
