"""P1 to P4: the CPU that one poll costs, against raw httpx and against the status calls of the rivals."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.loopback import serving
from benchmarks.measuring import Rounds, Row, async_take_turns, at_most, take_turns
from benchmarks.records import ANSWERS, TASK_ID
from kling_facade import AsyncKling, Kling, Limits
from kling_facade.clock import RealClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

PATH, PARAMS = "/api/v1/jobs/recordInfo", {"taskId": TASK_ID}
FOREVER = 1e6
UNLIMITED = Limits(queries=None)
CROWD = 1000


class Sleepless(RealClock):
    """A clock whose sleeps take no time, so that only the polls are measured."""

    def sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        pass

    async def async_sleep(self, seconds: float, wake: Future[None] | None = None) -> None:
        pass


def rows() -> list[Row]:
    """P1 to P4."""
    with serving(ANSWERS) as server:
        sync = _sync(server.url)
        by_loop, crowd = asyncio.run(_async(server.url))
    return [
        at_most(
            "P1", "poll, sync / raw httpx", sync.ratio("ours", "raw"), 1.10, text=sync.spread("ours", "raw")
        ),
        at_most(
            "P2",
            "poll, async / raw httpx",
            by_loop.ratio("ours", "raw"),
            1.12,
            text=by_loop.spread("ours", "raw"),
        ),
        *(_against(name, sync, 0.70, "sync") for name in ("runwayml", "openai", "lumaai")),
        *(_against(name, by_loop, 0.80, "async") for name in ("runwayml", "openai", "lumaai")),
        *(_extra(name, sync) for name in ("fal-client", "replicate", "popnow")),
        *_crowd_rows(crowd),
    ]


def _against(name: str, rounds: Rounds, goal: float, kind: str) -> Row:
    text = rounds.spread("ours", name)
    return at_most("P3", f"poll, {kind} / {name}", rounds.ratio("ours", name), goal, text=text)


def _extra(name: str, rounds: Rounds) -> Row:
    figure = rounds.spread("ours", name)
    return Row("P3", f"poll, sync / {name}", figure, "", None, "no goal was set")


def _sync(url: str) -> Rounds:
    raw = httpx.Client(base_url=url)
    with Kling("key", base_url=url, clock=Sleepless(), limits=UNLIMITED) as kling:
        updates = kling.task(TASK_ID).updates(timeout=FOREVER)
        acts: dict[str, Callable[[], object]] = {
            "raw": lambda: raw.get(PATH, params=PARAMS).json(),
            "ours": lambda: next(updates),
            **_rivals(url),
        }
        return take_turns(acts, rounds=15, times=150)


def _rivals(url: str) -> dict[str, Callable[[], object]]:
    """The status call of each rival, at its own path."""
    import fal_client
    import lumaai
    import openai
    import popnow
    import replicate
    import runwayml

    runway = runwayml.RunwayML(api_key="key", base_url=f"{url}/runway")
    luma = lumaai.LumaAI(auth_token="key", base_url=f"{url}/luma")
    openai_client = openai.OpenAI(api_key="key", base_url=f"{url}/openai")
    fal = fal_client.SyncClient(key="key")
    handle = fal_client.SyncRequestHandle(
        request_id="r1",
        response_url=f"{url}/fal/r",
        status_url=f"{url}/fal/s",
        cancel_url=f"{url}/fal/c",
        client=fal._client,
    )
    replicate_client = replicate.Client(api_token="key", base_url=f"{url}/replicate")
    pop = popnow.PopNow(api_key="key", base_url=url)
    return {
        "runwayml": lambda: runway.tasks.retrieve("17f20503-6c24-4c16-946b-35dbbce2af2f"),
        "openai": lambda: openai_client.videos.retrieve("video_123"),
        "lumaai": lambda: luma.generations.get("123e4567-e89b-12d3-a456-426614174000"),
        "fal-client": handle.status,
        "replicate": lambda: replicate_client.predictions.get("ufawqhfynnddngldkgtslldrkq"),
        "popnow": lambda: pop.jobs.get(TASK_ID),
    }


async def _async(url: str) -> tuple[Rounds, tuple[float, float, float]]:
    async with (
        AsyncExitStack() as closing,
        httpx.AsyncClient(base_url=url) as raw,
        AsyncKling("key", base_url=url, clock=Sleepless(), limits=UNLIMITED) as kling,
    ):
        updates = kling.task(TASK_ID).updates(timeout=FOREVER)

        async def ask_raw() -> object:
            return (await raw.get(PATH, params=PARAMS)).json()

        acts: dict[str, Callable[[], Awaitable[object]]] = {
            "raw": ask_raw,
            "ours": lambda: anext(updates),
            **_async_rivals(url, closing),
        }
        rounds = await async_take_turns(acts, rounds=15, times=150)
        return rounds, await _crowd(kling)


def _async_rivals(url: str, closing: AsyncExitStack) -> dict[str, Callable[[], Awaitable[object]]]:
    import lumaai
    import openai
    import runwayml

    runway = runwayml.AsyncRunwayML(api_key="key", base_url=f"{url}/runway")
    luma = lumaai.AsyncLumaAI(auth_token="key", base_url=f"{url}/luma")
    openai_client = openai.AsyncOpenAI(api_key="key", base_url=f"{url}/openai")
    for client in (runway, luma, openai_client):
        closing.push_async_callback(client.close)
    return {
        "runwayml": lambda: runway.tasks.retrieve("17f20503-6c24-4c16-946b-35dbbce2af2f"),
        "openai": lambda: openai_client.videos.retrieve("video_123"),
        "lumaai": lambda: luma.generations.get("123e4567-e89b-12d3-a456-426614174000"),
    }


async def _crowd(kling: AsyncKling) -> tuple[float, float, float]:
    """CPU of a poll alone and in a crowd, and the seconds until the whole crowd is answered."""
    watches: list[Any] = [kling.task(f"{TASK_ID}{i}").updates(timeout=FOREVER) for i in range(CROWD)]
    alone: list[float] = []
    together: list[float] = []
    seconds: list[float] = []
    for _ in range(7):
        began = time.process_time()
        for watch in watches[:200]:
            await anext(watch)
        alone.append((time.process_time() - began) / 200)
        began, started = time.process_time(), time.monotonic()
        await asyncio.gather(*(anext(watch) for watch in watches))
        together.append((time.process_time() - began) / CROWD)
        seconds.append(time.monotonic() - started)
    return sorted(alone)[3], sorted(together)[3], sorted(seconds)[3]


def _crowd_rows(crowd: tuple[float, float, float]) -> list[Row]:
    alone, together, seconds = crowd
    return [
        at_most("P4", "1,000 polls due at once, CPU per poll / one at a time", together / alone, 1.30),
        Row(
            "P4",
            "1,000 polls due at once, until all are answered",
            f"{seconds:.2f} s",
            "<= 1 s",
            seconds <= 1,
            "a poll costs what it costs raw httpx (P2); two cores, shared with the server and other work",
        ),
    ]
