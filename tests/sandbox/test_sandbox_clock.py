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


def test_sleepers_wake_in_order_and_only_when_nobody_acts() -> None:
    clock, woken = Clock(), list[tuple[int, bool]]()
    busy = threading.Event()

    def sleeper(seconds: int) -> None:
        clock.sleep(seconds)
        woken.append((seconds, busy.is_set()))

    threads = [threading.Thread(target=sleeper, args=(seconds,)) for seconds in (30, 10, 20)]
    busy.set()
    with clock.acting():
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        assert woken == []
        assert clock.now() < 5
        busy.clear()
    for thread in threads:
        thread.join()
    assert woken == [(10, False), (20, False), (30, False)]
    assert 30 <= clock.now() < 31


def test_two_who_sleep_in_turns_take_as_long_as_one() -> None:
    clock = Clock()

    async def sleeper(steps: int, seconds: float) -> None:
        for _ in range(steps):
            await clock.async_sleep(seconds)

    async def main() -> None:
        await asyncio.gather(sleeper(30, 10), sleeper(20, 15), sleeper(3, 100))

    asyncio.run(main())
    assert 300 <= clock.now() < 310


def test_a_thread_and_a_blocked_event_loop_do_not_wait_for_each_other() -> None:
    clock = Clock()

    async def main() -> None:
        task = asyncio.create_task(clock.async_sleep(10))
        await asyncio.sleep(0)
        clock.sleep(600)  # blocks the loop in which the earlier sleeper lives
        await task

    real = time.monotonic()
    asyncio.run(main())
    assert 600 <= clock.now() < 605
    assert time.monotonic() - real < 2


def test_watching_a_moment_does_not_turn_the_clock_but_sleepers_stop_there() -> None:
    clock, seen = Clock(), list[float]()

    async def watch() -> None:
        await clock.until(100)
        seen.append(clock.now())

    async def main() -> None:
        task = asyncio.create_task(watch())
        await asyncio.sleep(0.05)
        assert seen == []
        await clock.async_sleep(500)
        await task

    asyncio.run(main())
    assert 100 <= seen[0] < 101


def test_a_cancelled_sleeper_holds_nobody_up() -> None:
    clock = Clock()

    async def main() -> None:
        with clock.acting():
            task = asyncio.create_task(clock.async_sleep(10))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await clock.async_sleep(20)

    asyncio.run(main())
    assert 20 <= clock.now() < 21
