"""The pytest plugin, run by pytest in a process of its own, as users have it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[[str], "subprocess.CompletedProcess[str]"]
PLUGINS = ("-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a file of tests."""

    def run(tests: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_app.py").write_text(tests)
        command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", *PLUGINS, "test_app.py"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    return run


def test_the_fixtures_work_without_any_other_plugin(run: Run) -> None:
    done = run(
        """
import asyncio, pytest
from kling_facade import TaskFailedError

def test_sync(kling_client, kling_sandbox):
    before = kling_sandbox.clock.now()
    assert kling_client.generate("https://example.com/a.png", "it yawns").url
    assert kling_sandbox.clock.now() - before > 30

@pytest.mark.kling(scenario="moderated", credits=70)
def test_marked(kling_client, kling_sandbox):
    with pytest.raises(TaskFailedError):
        kling_client.generate("https://example.com/a.png", "it yawns")
    assert kling_sandbox.credits == 70

def test_async(async_kling_client):
    async def main():
        video = await async_kling_client.generate("https://example.com/a.png", "it yawns")
        assert (await async_kling_client.task(video.task_id).status()).succeeded
    asyncio.run(main())  # nobody closes the client, and no warning says so

def test_async_handle_first(async_kling_client, kling_sandbox, kling_client):
    task = kling_client.submit("https://example.com/a.png", "it yawns")
    async def main():
        assert await async_kling_client.task(task.id).wait()
    asyncio.run(main())

def test_async_unused(async_kling_client): ...

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_with_a_plugin_that_runs_loops(async_kling_client):
    assert await async_kling_client.credits() == 10_000
"""
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def test_the_closest_marker_wins_option_by_option(run: Run) -> None:
    done = run(
        """
import pytest
pytestmark = pytest.mark.kling(scenario="instant", credits=70)

@pytest.mark.kling(credits=60)
def test_it(kling_sandbox, kling_client):
    assert kling_sandbox.credits == 60
    assert kling_client.submit("https://example.com/a.png", "it yawns").status().succeeded

@pytest.mark.kling("instant")
def test_positional(kling_sandbox): ...
"""
    )
    assert "1 passed, 1 error" in done.stdout
    assert "takes keywords only" in done.stdout


def test_only_tests_that_use_the_fixtures_are_kept_from_the_network(run: Run) -> None:
    done = run(
        """
import asyncio, socket, pytest
from kling_facade.sandbox.guard import ForeignHostError
real = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

@pytest.mark.parametrize("host", ["example.com", "192.0.2.1", "2001:db8::1", b"example.com"])
def test_guarded(kling_sandbox, host):
    with pytest.raises(ForeignHostError, match="nothing but this machine"):
        socket.create_connection((host, 80), timeout=0.1)
    with socket.socket() as one, pytest.raises(ForeignHostError):
        one.connect_ex(("192.0.2.1", 80))
    async def main():
        await asyncio.open_connection("192.0.2.1", 80)
    with pytest.raises(ForeignHostError):
        asyncio.run(main())

def test_loopback(kling_sandbox):
    port = int(kling_sandbox.url.rsplit(":", 1)[1])
    for host in ("127.0.0.1", "localhost"):
        socket.create_connection((host, port), timeout=5).close()

@pytest.mark.kling(allow_fetch=["app.test"])
def test_lifted(kling_sandbox):
    assert (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo) == real

def test_unguarded():
    assert (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo) == real
"""
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


def test_the_plugin_imports_only_pytest() -> None:
    code = (
        "import pytest, sys; before = set(sys.modules); import kling_facade.pytest_plugin\n"
        "print(*sorted(name for name in set(sys.modules) - before if name.split('.')[0] != 'kling_facade'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= set(sys.stdlib_module_names)


def test_a_session_without_the_fixtures_loads_nothing_of_the_sandbox(run: Run) -> None:
    done = run(
        """
import sys
def test_it():
    assert "kling_facade.pytest_plugin" in sys.modules
    assert not {"httpx", "starlette", "kling_facade.sandbox", "attrs"} & set(sys.modules)
"""
    )
    assert done.returncode == 0, done.stdout


def test_fixtures_and_marker_are_announced(run: Run) -> None:
    command = [sys.executable, "-m", "pytest", "--fixtures", "--markers", "-q", *PLUGINS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert '@pytest.mark.kling(scenario="ordinary", **options)' in done.stdout


def test_the_example_suite_passes_though_its_minutes_are_simulated() -> None:
    folder = Path(__file__).parents[2] / "examples" / "testing"
    command = [sys.executable, "-m", "pytest", *PLUGINS, "--rootdir", str(folder), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = done.stdout.splitlines()[-1]
    assert "10 passed" in summary
    assert float(summary.split(" in ")[1].split("s")[0]) < 8
