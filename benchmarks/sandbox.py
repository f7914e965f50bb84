"""What the sandbox costs: ``python -m benchmarks.sandbox``; medians of several runs, in seconds."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kling_facade.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURE = Path(__file__).parents[1] / "examples" / "lighthouse.jpg"
STRANGER = "https://example.com/cat.png"
FRESH = "from kling_facade.sandbox import Sandbox\nwith Sandbox(): pass"


def measured(act: Callable[[], object], *, runs: int) -> float:
    """Median of the real seconds that it takes."""
    times: list[float] = []
    for _ in range(runs):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def start_cold() -> None:
    """A new interpreter, the import, a start and a stop; the bare interpreter is taken off below."""
    subprocess.run([sys.executable, "-c", FRESH], check=True)


def start_interpreter() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def start_warm() -> None:
    with Sandbox():
        pass


def save_video(duration: Literal[5, 10], *, sound: bool) -> tuple[float, float]:
    """Seconds to save a video that nobody has rendered, and the same video for a second task."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(scenario="instant") as sandbox,
        sandbox.client() as kling,
    ):
        times: list[float] = []
        for _ in range(2):
            video = kling.generate(PICTURE, "the beam sweeps", duration=duration, sound=sound)
            began = time.perf_counter()
            video.save(folder)
            times.append(time.perf_counter() - began)
        return times[0], times[1]


def wait_three_minutes() -> None:
    with Sandbox(seed=1) as sandbox, sandbox.client() as kling:
        kling.generate(STRANGER, "it yawns")


def crowd(count: int) -> tuple[float, float]:
    """Real and simulated seconds of so many tasks at once, limits and all."""

    async def main(sandbox: Sandbox) -> None:
        async with sandbox.async_client() as kling:
            await asyncio.gather(*(kling.generate(STRANGER, "it yawns", timeout=7200) for _ in range(count)))

    with Sandbox(scenario="realistic", credits=1e9) as sandbox:
        real, simulated = time.perf_counter(), sandbox.clock.now()
        asyncio.run(main(sandbox))
        return time.perf_counter() - real, sandbox.clock.now() - simulated


def main() -> None:
    short = [save_video(5, sound=False) for _ in range(3)]
    cold = measured(start_cold, runs=5) - measured(start_interpreter, runs=5)
    first, again = (statistics.median(times) for times in zip(*short, strict=True))
    longer, _ = save_video(10, sound=True)
    rows = [
        ("import, start and stop in a new process", cold, "goal < 0.5"),
        ("start and stop once imported", measured(start_warm, runs=20), ""),
        ("5 s video, rendered and saved", first, "goal < 1.5"),
        ("the same 5 s video again", again, ""),
        ("10 s video with sound, rendered and saved", longer, ""),
        ("one task, waited for", measured(wait_three_minutes, runs=10), "about a minute simulated"),
    ]
    real, simulated = crowd(200)
    rows.append(("200 tasks at once, waited for", real, f"{simulated:.0f} s simulated"))
    for what, seconds, remark in rows:
        print(f"{what:45} {seconds:8.3f} s   {remark}")


if __name__ == "__main__":
    main()
