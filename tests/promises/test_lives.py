"""What killing, interrupting, cancelling and forking cannot break: each accepted create is accounted for."""

from __future__ import annotations

import asyncio
import functools
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from support.rawserver import RawServer, wait_for

from kling_facade import AsyncKling, ConfigurationError, Journal, Kling, Limits

UNLIMITED = Limits(creates=None, queries=None)
ANSWER = b'{"code":200,"msg":"success","data":{"taskId":"%d","state":"waiting"}}'


class Counter:
    """Accepts creates: counted once read whole, answered after a while, each with an id of its own."""

    def __init__(self, *, pause: float = 0.0) -> None:
        self.accepted: list[str] = []
        self._lock = threading.Lock()
        self._pause = pause

    def has_more_than(self, count: int) -> bool:
        return len(self.accepted) > count

    def __call__(self, connection: Any) -> None:
        with self._lock:
            number = 10_000 + len(self.accepted)
            self.accepted.append(str(number))
        time.sleep(self._pause)
        body = ANSWER % number
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
        )


def script(code: str, *arguments: str, url: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "APIKLEY_API_KEY": "key", "APIKLEY_BASE_URL": url}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


BUY_IN_A_ROW = """
    import sys, kling_facade as k
    with k.Kling(journal=sys.argv[1], limits=k.Limits(creates=None)) as kling:
        for number in range(1000):
            try: kling.submit("https://f.test/a.jpg", "p", key=f"row {number}", timeout=0.3)
            except k.SubmissionUncertainError: print("left alone", number)
"""
BUY_WITHOUT_GUARD = """
    import sys, kling_facade as k
    from pathlib import Path
    done = Path(sys.argv[1])
    with k.Kling(limits=k.Limits(creates=None)) as kling:
        for number in range(len(done.read_text().split()) if done.exists() else 0, 1000):
            kling.submit("https://f.test/a.jpg", "p")
            with done.open("a") as rows: rows.write(f"{number}\\n")
"""


def kill_again_and_again(code: str, path: Path, counter: Counter, *, kills: int) -> None:
    """Starts the same script over and over and kills it at a random moment of its work."""
    chance = random.Random(5)
    with RawServer(counter) as server:
        for _ in range(kills):
            enough = len(counter.accepted) + chance.randrange(4)
            running = script(code, str(path), url=server.url)
            wait_for(functools.partial(counter.has_more_than, enough), seconds=20)
            time.sleep(chance.uniform(0, 0.03))
            running.send_signal(signal.SIGKILL)
            running.communicate()
        time.sleep(0.1)


def test_each_create_of_a_killed_process_is_known_or_reads_as_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter(pause=0.005)
    path = tmp_path / "journal.db"
    kill_again_and_again(BUY_IN_A_ROW, path, counter, kills=6)
    later = time.time() + 1000
    monkeypatch.setattr("kling_facade.journal.time.time", lambda: later)
    entries = Journal(path).submissions()
    known = {entry.task_id for entry in entries if entry.state == "submitted"}
    unknown = [entry for entry in entries if entry.state == "unknown"]
    orphans = set(counter.accepted) - known
    assert len(counter.accepted) >= 6
    assert known <= set(counter.accepted)
    assert len(orphans) <= len(unknown) <= 6
    assert len({entry.key for entry in entries}) == len(entries), "a key was bought twice"


def test_without_the_guard_the_same_kills_do_buy_twice(tmp_path: Path) -> None:
    """The negative control: the harness can see what the journal prevents."""
    counter = Counter(pause=0.02)
    rows = tmp_path / "rows"
    kill_again_and_again(BUY_WITHOUT_GUARD, rows, counter, kills=6)
    assert len(counter.accepted) > len(rows.read_text().split())


def test_ctrl_c_during_a_create_does_not_lose_its_id(tmp_path: Path) -> None:
    counter = Counter(pause=0.5)
    path = tmp_path / "journal.db"
    code = """
        import sys, logging, signal, kling_facade as k
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
        logging.basicConfig(level=logging.WARNING)
        kling = k.Kling(journal=sys.argv[1])
        try: kling.submit("https://f.test/a.jpg", "p")
        except KeyboardInterrupt: print("interrupted", flush=True)
        kling.close()
    """
    with RawServer(counter) as server:
        running = script(code, str(path), url=server.url)
        wait_for(lambda: bool(counter.accepted), seconds=20)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert out.strip() == "interrupted"
    assert f"kling.task('{counter.accepted[0]}')" in err
    (entry,) = Journal(path).submissions()
    assert (entry.state, entry.task_id) == ("submitted", counter.accepted[0])


def test_a_create_under_way_is_finished_before_the_interpreter_ends(tmp_path: Path) -> None:
    counter = Counter(pause=0.5)
    path = tmp_path / "journal.db"
    code = """
        import sys, threading, kling_facade as k
        kling = k.Kling(journal=sys.argv[1])
        threading.Thread(target=kling.submit, args=("https://f.test/a.jpg", "p"), daemon=True).start()
        sys.stdin.readline()
    """
    with RawServer(counter) as server:
        running = script(code, str(path), url=server.url)
        wait_for(lambda: bool(counter.accepted), seconds=20)
        _, err = running.communicate("\n", timeout=20)
    assert err == ""
    (entry,) = Journal(path).submissions()
    assert entry.state == "submitted"


def submit_and_cancel(path: Path, url: str, moment: Callable[[], Coroutine[Any, Any, object]]) -> None:
    async def main() -> None:
        async with AsyncKling("key", base_url=url, journal=path, limits=UNLIMITED) as kling:
            buying = asyncio.create_task(kling.submit("https://f.test/a.jpg", "p", key="k"))
            await moment()
            buying.cancel()
            await asyncio.gather(buying, return_exceptions=True)

    asyncio.run(main())


@pytest.mark.parametrize("milliseconds", range(0, 100, 5))
def test_cancelling_a_submit_at_any_moment_loses_nothing(tmp_path: Path, milliseconds: int) -> None:
    counter = Counter(pause=0.01)
    path = tmp_path / "journal.db"
    with RawServer(counter) as server:
        submit_and_cancel(path, server.url, lambda: asyncio.sleep(milliseconds / 1000))
        assert [entry.task_id for entry in Journal(path).submissions()] == counter.accepted
        with Kling("key", base_url=server.url, journal=path) as kling:
            kling.submit("https://f.test/a.jpg", "p", key="k")
    assert len(counter.accepted) == 1


def test_a_create_that_was_accepted_as_its_caller_left_is_written_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counter = Counter(pause=0.2)
    path = tmp_path / "journal.db"

    async def accepted() -> None:
        while not counter.accepted:
            await asyncio.sleep(0.001)

    with RawServer(counter) as server:
        submit_and_cancel(path, server.url, accepted)
    (entry,) = Journal(path).submissions()
    assert (entry.state, [entry.task_id]) == ("submitted", counter.accepted)
    assert f"kling.task('{entry.task_id}')" in caplog.text


RACE = """
    import sys, json, kling_facade as k
    from concurrent.futures import ThreadPoolExecutor
    with k.Kling(journal=sys.argv[1], limits=k.Limits(creates=None, queries=None)) as kling:
        def buy(number): return kling.submit("https://f.test/a.jpg", "p", key=f"row {number}").id
        with ThreadPoolExecutor(8) as pool: print(json.dumps(list(pool.map(buy, range(200)))))
"""


def test_two_processes_with_the_same_keys_buy_each_once(tmp_path: Path) -> None:
    counter = Counter(pause=0.003)
    with RawServer(counter) as server:
        racers = [script(RACE, str(tmp_path / "journal.db"), url=server.url) for _ in range(2)]
        outputs = [racer.communicate(timeout=120) for racer in racers]
    assert [err for _, err in outputs] == ["", ""]
    first, second = (out for out, _ in outputs)
    assert first == second
    assert len(counter.accepted) == 200


def test_sixteen_threads_share_one_pool() -> None:
    counter = Counter(pause=0.05)
    open_now: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def serve(connection: Any) -> None:
        with lock:
            open_now.append(1)
            most.append(len(open_now))
        counter(connection)
        with lock:
            open_now.pop()

    with RawServer(serve) as server, Kling("key", base_url=server.url, limits=UNLIMITED) as kling:
        threads = [threading.Thread(target=kling.task("t").status) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(counter.accepted) == 16
    assert 4 <= max(most) <= 8


def test_a_fork_gets_connections_of_its_own(tmp_path: Path) -> None:
    code = """
        import os, sys, asyncio, kling_facade as k
        kling = k.Kling(); kling.credits()
        async def ask(client): return await client.credits()
        other = k.AsyncKling(); asyncio.run(ask(other))
        pid = os.fork()
        print(kling.credits(), asyncio.run(ask(other)) if pid == 0 else "", flush=True)
        if pid: os.waitpid(pid, 0); print(kling.credits())
    """
    connections: list[int] = []

    def serve(connection: Any) -> None:
        connections.append(1)
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + b'{"code":200,"data":12}'
        connection.sendall(reply)
        while connection.recv(65536):
            connection.sendall(reply)

    with RawServer(serve) as server:
        out, err = script(code, url=server.url).communicate(timeout=30)
    assert "Error" not in err
    assert sorted(out.split()) == ["12.0"] * 4
    assert len(connections) == 4


def test_an_async_client_in_a_second_event_loop_says_what_to_do() -> None:
    with RawServer(Counter()) as server:
        kling = AsyncKling("key", base_url=server.url)

        async def ask() -> None:
            await kling.task("t").status()

        asyncio.run(ask())
        with pytest.raises(ConfigurationError, match=r"inside each asyncio\.run"):
            asyncio.run(ask())


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_closed_client_says_so(kind: str) -> None:
    if kind == "sync":
        kling = Kling("key", base_url="http://127.0.0.1:9")
        kling.close()
        with pytest.raises(ConfigurationError, match="closed"):
            kling.credits()
        return

    async def main() -> None:
        other = AsyncKling("key", base_url="http://127.0.0.1:9")
        await other.close()
        with pytest.raises(ConfigurationError, match="closed"):
            await other.credits()

    asyncio.run(main())


def test_an_interrupted_poll_does_not_hold_up_the_end_of_the_program() -> None:
    with RawServer(b"") as server:
        server.behaviour = server.silent
        code = """
            import kling_facade as k
            try: k.Kling().task("t").wait(timeout=0.2)
            except k.WaitTimeoutError: print("left")
        """
        began = time.monotonic()
        out, err = script(code, url=server.url).communicate(timeout=30)
        assert (out.strip(), err) == ("left", "")
        assert time.monotonic() - began < 10


def test_an_event_is_told_for_each_step_and_survives_pickling(
    connect: Any, sandbox: Any, tmp_path: Path
) -> None:
    events: list[Any] = []
    kling = connect(sandbox.url, clock=sandbox.clock, on_event=events.append)
    kling.generate("https://f.test/a.jpg", "p").save(tmp_path)
    names = [event.name for event in events]
    assert names[:3] == ["sent", "answered", "submitted"]
    assert names[-1] == "saved"
    assert names.count("sent") == names.count("answered") == 1 + names.count("looked")
    assert pickle.loads(pickle.dumps(events)) == events
    (submitted,) = (event for event in events if event.name == "submitted")
    assert submitted.task_id
    assert submitted.submission_id


def test_a_listener_that_raises_is_logged_once_and_dropped(
    connect: Any, sandbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def raising(event: object) -> None:
        raise ValueError("mine")

    assert connect(sandbox.url, on_event=raising).credits() > 0
    assert [record.levelname for record in caplog.records].count("ERROR") == 1
