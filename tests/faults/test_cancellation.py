"""Calls that are given up at any moment cost the client nothing: no connection, no socket, no later call."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from attrs import frozen
from support.fakes import FakeClock
from support.faulty import FaultyServer, Incoming, answer, success
from support.rawserver import wait_for

from kling_facade import AsyncKling, Kling, errors
from kling_facade.clock import RealClock
from kling_facade.limits import Limits

ROUNDS, TASKS = 100, 12
SLOWEST = 0.004  # seconds that the server takes at each of its steps
UNLIMITED = Limits(creates=None, queries=None)


@frozen
class Authority:
    """A certificate for this machine, and who trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="module")
def authority() -> Authority:
    ours = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    ours.issue_cert("localhost").configure_cert(server)
    ours.configure_trust(client)
    return Authority(server, client)


class SlowServer(FaultyServer):
    """Takes its time before the handshake, before the answer, and in the middle of it."""

    def __init__(
        self, tls: ssl.SSLContext | None, *, to_connect: float = SLOWEST, to_answer: float = SLOWEST
    ) -> None:
        super().__init__(self._reply, greet=self._greet_slowly, tls=tls)
        self._random = random.Random(5)
        self.to_connect = to_connect
        self.to_answer = to_answer

    def _greet_slowly(self, _connection: socket.socket) -> None:
        time.sleep(self._random.uniform(0, self.to_connect))

    def _dawdle(self) -> None:
        time.sleep(self._random.uniform(0, self.to_answer))

    def _reply(self, request: Incoming, connection: socket.socket) -> None:
        self._dawdle()
        if request.target.endswith(".mp4"):
            whole = answer(200, b"x" * 200_000, {"Content-Type": "video/mp4"})
        elif request.method == "POST":
            whole = answer(body={"code": 200, "data": {"taskId": "t1"}})
        else:
            whole = success(f"{self.url}/a.mp4")
        connection.sendall(whole[: len(whole) // 2])
        self._dawdle()
        connection.sendall(whole[len(whole) // 2 :])


@pytest.fixture(params=["TCP", "TLS"])
def server(request: pytest.FixtureRequest, authority: Authority) -> Iterator[SlowServer]:
    with SlowServer(authority.server if request.param == "TLS" else None) as server:
        yield server


async def storm(calls: list[Callable[[], Awaitable[object]]], *, rounds: int = ROUNDS) -> int:
    """Starts and cancels at random; how many calls were cancelled."""
    chance, cancelled = random.Random(11), 0
    for _ in range(rounds):
        tasks = [asyncio.ensure_future(_quietly(chance.choice(calls))) for _ in range(TASKS)]
        for task in chance.sample(tasks, len(tasks)):
            await asyncio.sleep(chance.uniform(0, 2 * SLOWEST / TASKS * 3))
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        cancelled += sum(isinstance(end, asyncio.CancelledError) for end in ends)
    return cancelled


async def _quietly(call: Callable[[], Awaitable[object]]) -> None:
    with contextlib.suppress(errors.KlingError, httpx.HTTPError):
        await call()


def pools(client: Any) -> list[Any]:
    """The connection pools of an httpx client."""
    transports = [client._transport, *client._mounts.values()]
    return [transport._pool for transport in transports if transport is not None]


def busy_connections(*clients: Any) -> int:
    """Connections that no later call can use, and calls that the pool believes to be running."""
    found = [pool for client in clients for pool in pools(client)]
    return sum(
        len(pool._requests) + sum(not connection.is_idle() for connection in pool.connections)
        for pool in found
    )


async def settled(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not settle"
        await asyncio.sleep(0.01)


async def survive_a_storm(server: SlowServer, authority: Authority, folder: Path) -> None:
    async with AsyncKling(
        "key", base_url=server.url, ssl_context=authority.client, clock=FakeClock(), limits=UNLIMITED
    ) as kling:
        video = await kling.task("t1").wait()
        saves = iter(range(10**6))
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: kling.task("t1").status(),
            lambda: kling.task("t1").wait(),
            lambda: kling.submit("https://a.test/1.jpg", "p"),
            lambda: video.save(folder / f"{next(saves)}.mp4"),
        ]
        cancelled = await storm(calls)
        assert ROUNDS * TASKS / 4 < cancelled < ROUNDS * TASKS  # some got through: the storm hits every stage
        io = kling._io
        await settled(lambda: not io._calls and not io._creates and not io._http._left)
        assert busy_connections(*io._http._clients.values()) == 0
        await settled(lambda: server.busy <= 8)  # the idle ones that are kept
        server.to_connect = server.to_answer = 0.0
        assert (await kling.task("t1").status()).succeeded
        assert (await kling.submit("https://a.test/1.jpg", "p")).id == "t1"
        assert (await video.save(folder / "last.mp4")).stat().st_size == 200_000
    await settled(lambda: server.busy == 0)


def test_after_a_hundred_rounds_of_cancelling_no_connection_is_lost(
    server: SlowServer, authority: Authority, tmp_path: Path
) -> None:
    asyncio.run(survive_a_storm(server, authority, tmp_path))
    for path in tmp_path.iterdir():
        assert (path.suffix, path.stat().st_size) == (".mp4", 200_000)
    gc.collect()  # what was lost would warn now, and warnings are errors


async def lose_connections(server: SlowServer, authority: Authority) -> int:
    limits = httpx.Limits(max_connections=8, max_keepalive_connections=8)
    async with httpx.AsyncClient(verify=authority.client, limits=limits, base_url=server.url) as client:
        await storm([lambda: client.get("/a.mp4")], rounds=60)
        await asyncio.sleep(10 * SLOWEST)
        return busy_connections(client)


@pytest.mark.parametrize("stage", ["connecting", "reading"])
def test_the_harness_sees_what_httpx_alone_loses(authority: Authority, stage: str) -> None:
    """The negative control of this module."""
    slow = {"connecting": (2 * SLOWEST, 0.0), "reading": (0.0, 2 * SLOWEST)}[stage]
    server = SlowServer(authority.server, to_connect=slow[0], to_answer=slow[1])
    with server, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        assert asyncio.run(lose_connections(server, authority)) > 0
        gc.collect()


def test_a_download_given_up_before_its_answer_closes_its_connection(tmp_path: Path) -> None:
    """While connecting, and while waiting for the headers; also when the client is closed at once."""
    hold = threading.Event()

    def mute(request: Incoming, connection: socket.socket) -> None:
        if "recordInfo" in request.target:
            connection.sendall(success(f"{host.url}/a.mp4"))
        else:
            hold.wait(5)

    async def main() -> None:
        async with AsyncKling("key", base_url=host.url, timeout=0.4, clock=FakeClock()) as kling:
            video = await kling.task("t1").wait()
            for _ in range(2):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await video.save(tmp_path / "a.mp4")
            io = kling._io
            assert len(io._http._left) == 2
            await settled(lambda: not io._http._left, seconds=2)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await video.save(tmp_path / "a.mp4")
        assert not io._http._left

    with FaultyServer(mute) as host:
        asyncio.run(main())
        hold.set()
        wait_for(lambda: host.busy == 0)
        gc.collect()


def test_calls_left_at_their_deadline_lose_no_connection(connect: Any, flavour: str) -> None:
    """A server that answers too late, or drips: nobody waits, and nothing stays behind."""

    def late(request: Incoming, connection: socket.socket) -> None:
        if slow.is_set():
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            for _ in range(10):
                time.sleep(0.03)
                connection.sendall(b"x")
        connection.sendall(success("https://a.test/1.mp4"))

    slow = threading.Event()
    slow.set()
    with FaultyServer(late) as server:
        kling = connect(server.url, clock=RealClock(), timeout=0.5, limits=UNLIMITED)
        for _ in range(TASKS):
            with pytest.raises(errors.WaitTimeoutError):
                kling.task("t1").wait(timeout=0.03)
        slow.clear()
        assert kling.task("t1").wait(timeout=5).url
        io = kling._io
        if flavour == "sync":
            wait_for(lambda: not io._workers._unfinished)
            assert io._workers._wanted == 8
            assert busy_connections(*io._http._clients.values()) == 0
        else:
            for _ in range(3):  # an event loop goes on only while it is used
                time.sleep(0.3)
                kling.task("t1").status()
            assert io._slots._value == 8
            assert busy_connections(*io._http._clients.values()) == 0


def test_threads_that_leave_at_their_deadlines_lose_no_connection(authority: Authority) -> None:
    """The same storm for the synchronous client, where a deadline is what cancels."""
    with SlowServer(authority.server) as server:
        options: dict[str, Any] = {"base_url": server.url, "ssl_context": authority.client}
        with Kling("key", clock=RealClock(), limits=UNLIMITED, **options) as kling:
            left = run_threads(kling)
            assert left > ROUNDS
            wait_for(lambda: not kling._io._workers._unfinished)
            assert kling._io._workers._wanted == 8
            assert busy_connections(*kling._io._http._clients.values()) == 0
            assert kling.task("t1").status().succeeded
        wait_for(lambda: server.busy == 0)


def run_threads(kling: Kling) -> int:
    """Twelve threads wait with too little time, again and again; how many waits ended so."""
    left = [0] * TASKS

    def work(number: int) -> None:
        chance = random.Random(number)
        for _ in range(ROUNDS // 2):
            try:
                kling.task("t1").wait(timeout=chance.uniform(0.001, 6 * SLOWEST))
            except errors.WaitTimeoutError:
                left[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(TASKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(left)
