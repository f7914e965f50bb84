"""Downloads that need a process, a thread or an event loop of their own."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.fakes import FakeClock
from support.faulty import Incoming, answer
from support.filehost import FileHost, film, honest, names

from kling_facade import AsyncKling, Kling, errors
from kling_facade.files import PartFile

MB = 1024**2

SAVE = """
import asyncio, resource, signal, sys
import kling_facade as k
flavour, url, target, limit = *sys.argv[1:4], int(sys.argv[4])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
options = {"api_key": "key", "base_url": url}

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 if sys.platform != "darwin" else 1024)

def sync():
    with k.Kling(**options) as kling:
        kling.task("t1").wait().save(target + ".warm")
        before = peak()
        kling.task("t1").wait().save(target)
        return peak() - before

async def other():
    async with k.AsyncKling(**options) as kling:
        await (await kling.task("t1").wait()).save(target + ".warm")
        before = peak()
        await (await kling.task("t1").wait()).save(target)
        return peak() - before

try:
    print(sync() if flavour == "sync" else asyncio.run(other()))
except k.DownloadError as error:
    print("DownloadError:", error)
"""


def save_in_a_process(flavour: str, host: FileHost, target: Path, *, limit: int = 0) -> str:
    """What it prints: by how many KB the second save raised the peak of its memory, or the error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SAVE, flavour, host.url, str(target), str(limit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="resource is not there")
def test_300_megabytes_take_less_than_30_of_memory(flavour: str, tmp_path: Path) -> None:
    size, zeros = 300 * MB, bytes(4 * MB)

    def pour(host: FileHost, request: Incoming, connection: socket.socket) -> None:
        connection.sendall(answer(200, headers={"Content-Type": "video/mp4"}, length=size))
        for _ in range(size // len(zeros)):
            connection.sendall(zeros)

    with FileHost(honest, pour) as host:
        grown = int(save_in_a_process(flavour, host, tmp_path / "a.mp4"))
    assert (tmp_path / "a.mp4").stat().st_size == size
    assert grown < 30 * 1024


@pytest.mark.skipif(sys.platform == "win32", reason="resource is not there")
def test_a_full_disk_leaves_nothing_behind(flavour: str, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk; the system's answer differs in its words only."""
    small, large = film(1000), film(3 * MB)

    def grow(host: FileHost, request: Incoming, connection: socket.socket) -> None:
        host.serve(request, connection)
        host.content = large

    with FileHost(grow, content=small) as host:
        said = save_in_a_process(flavour, host, tmp_path / "a.mp4", limit=MB)
    assert said.startswith("DownloadError:")
    assert "File too large" in said
    assert names(tmp_path) == ["a.mp4.warm"]
    assert (tmp_path / "a.mp4.warm").read_bytes() == small


class Crowd:
    """An act: nobody gets the second half before everybody has the first."""

    def __init__(self, parties: int) -> None:
        self._all_here = threading.Barrier(parties)

    def act(self, host: FileHost, request: Incoming, connection: socket.socket) -> None:
        head, rest = host.prepare(request)
        connection.sendall(head + rest[:1000])
        self._all_here.wait(5)
        connection.sendall(rest[1000:])


def save_at_once(flavour: str, host: FileHost, target: Path, count: int, **options: Any) -> list[Any]:
    """Paths and errors of so many saves to one target."""
    client: dict[str, Any] = {"api_key": "key", "base_url": host.url, "clock": FakeClock()}

    def save(kling: Kling) -> Any:
        try:
            return kling.task("t1").wait().save(target, **options)
        except errors.KlingError as error:
            return error

    async def main() -> list[Any]:
        async with AsyncKling(**client) as kling:
            video = await kling.task("t1").wait()
            saves = (video.save(target, **options) for _ in range(count))
            return await asyncio.gather(*saves, return_exceptions=True)

    if flavour == "async":
        return asyncio.run(main())
    with Kling(**client) as kling, ThreadPoolExecutor(count) as threads:
        return list(threads.map(save, [kling] * count))


def test_of_several_saves_to_one_place_one_wins(flavour: str, tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    with FileHost(Crowd(4).act) as host:
        ends = save_at_once(flavour, host, target, 4)
        assert [type(end) for end in ends if end != target] == [errors.DownloadError] * 3
        assert target.read_bytes() == host.content
    assert list(tmp_path.iterdir()) == [target]


def test_several_overwriting_saves_all_succeed(flavour: str, tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    with FileHost(Crowd(4).act) as host:
        assert save_at_once(flavour, host, target, 4, overwrite=True) == [target] * 4
        assert target.read_bytes() == host.content
    assert list(tmp_path.iterdir()) == [target]


def test_a_save_cancelled_at_any_moment_leaves_all_or_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    whole = 0

    async def attempt(kling: AsyncKling, seconds: float) -> None:
        nonlocal whole
        target = tmp_path / "a.mp4"
        video = await kling.task("t1").wait()
        try:
            async with asyncio.timeout(seconds):
                await video.save(target)
        except TimeoutError:
            pass
        assert names(tmp_path) in ([], ["a.mp4"])
        if target.exists():
            assert target.read_bytes() == host.content
            target.unlink()
            whole += 1

    async def main() -> None:
        async with AsyncKling("key", base_url=host.url, clock=FakeClock()) as kling:
            began = time.monotonic()
            await attempt(kling, 10.0)
            usual = time.monotonic() - began
            for _ in range(60):
                await attempt(kling, chance.uniform(0, 1.3 * usual))

    with FileHost(content=film(5 * MB)) as host:
        asyncio.run(main())
    assert 1 < whole < 61


@pytest.mark.parametrize("step", ["open", "write", "commit"])
def test_a_cancelled_save_waits_for_its_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A thread left behind would make, fill or place a file after everything was cleaned up."""
    reached, original = threading.Event(), getattr(PartFile, step)

    def slowly(*arguments: Any, **options: Any) -> None:
        reached.set()
        time.sleep(0.05)
        original(*arguments, **options)

    async def main() -> None:
        async with AsyncKling("key", base_url=host.url, clock=FakeClock()) as kling:
            video = await kling.task("t1").wait()
            task = asyncio.ensure_future(video.save(tmp_path / "a.mp4"))
            await asyncio.to_thread(reached.wait, 5)
            task.cancel()
            await asyncio.sleep(0.01)
            task.cancel()  # impatience changes nothing
            with pytest.raises(asyncio.CancelledError):
                await task
            left = names(tmp_path)
            assert left == (["a.mp4"] if step == "commit" else [])
            await asyncio.sleep(0.1)
            assert names(tmp_path) == left

    monkeypatch.setattr(PartFile, step, slowly)
    with FileHost() as host:
        asyncio.run(main())


INTERRUPTED = """
import asyncio, sys
import kling_facade as k
flavour, url, target = sys.argv[1:]
options = {"api_key": "key", "base_url": url}

def tell(done, total):
    print(done, flush=True)

def sync():
    with k.Kling(**options) as kling:
        kling.task("t1").wait().save(target, on_progress=tell)

async def other():
    async with k.AsyncKling(**options) as kling:
        await (await kling.task("t1").wait()).save(target, on_progress=tell)

sync() if flavour == "sync" else asyncio.run(other())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are other there")
def test_ctrl_c_in_a_terminal_leaves_nothing(flavour: str, tmp_path: Path) -> None:
    def stop_in_the_middle(host: FileHost, request: Incoming, connection: socket.socket) -> None:
        head, rest = host.prepare(request)
        connection.sendall(head + rest[: 2 * MB])
        host.closing.wait(10)

    with FileHost(stop_in_the_middle, content=film(4 * MB)) as host:
        command = [sys.executable, "-c", INTERRUPTED, flavour, host.url, str(tmp_path / "a.mp4")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert int(process.stdout.readline()) > 0
            assert len(list(tmp_path.iterdir())) == 1
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in said
    assert list(tmp_path.iterdir()) == []
