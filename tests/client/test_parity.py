"""Two clients, one behaviour: the same names, the same bytes."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path

import pytest

from kling_facade import AsyncKling, AsyncTask, AsyncVideo, Kling, Task, Video
from kling_facade.sandbox import Sandbox

PAIRS = [(Kling, AsyncKling), (Task, AsyncTask), (Video, AsyncVideo)]
WITHOUT_AWAIT = {"task", "updates"}


def public(kind: type) -> dict[str, object]:
    return {name: member for name, member in inspect.getmembers(kind) if not name.startswith("_")}


@pytest.mark.parametrize(("sync", "other"), PAIRS)
def test_the_asynchronous_class_has_the_same_names_and_arguments(sync: type, other: type) -> None:
    ours, theirs = public(sync), public(other)
    assert ours.keys() == theirs.keys()
    compared = 0
    for name, member in ours.items():
        twin = theirs[name]
        if not inspect.isfunction(member):
            continue
        assert inspect.isfunction(twin)
        mine, its = inspect.signature(member), inspect.signature(twin)
        assert list(mine.parameters.values()) == list(its.parameters.values()), name
        assert inspect.iscoroutinefunction(twin) == (name not in WITHOUT_AWAIT), name
        compared += 1
    assert compared
    assert list(inspect.signature(sync).parameters) == list(inspect.signature(other).parameters)


PROMPT = "über dem Meer 🌊"


def run_sync(sandbox: Sandbox, picture: Path, target: Path) -> None:
    with sandbox.client() as kling:
        video = kling.generate(picture, PROMPT, duration=10, sound=True, callback_url="https://a.test/")
        video.save(target)
        kling.fresh_link(video.url)
        kling.credits()


def run_async(sandbox: Sandbox, picture: Path, target: Path) -> None:
    async def main() -> None:
        async with sandbox.async_client() as kling:
            video = await kling.generate(
                picture, PROMPT, duration=10, sound=True, callback_url="https://a.test/"
            )
            await video.save(target)
            await kling.fresh_link(video.url)
            await kling.credits()

    asyncio.run(main())


def test_both_send_the_same_bytes(picture: Path, tmp_path: Path) -> None:
    captured = []
    for name, run in (("sync", run_sync), ("async", run_async)):
        with Sandbox(seed=7) as sandbox:
            run(sandbox, picture, tmp_path / f"{name}.mp4")
            own = {sandbox.url.removeprefix("http://"): "HOST", next(iter(sandbox.tasks)): "TASK"}
        captured.append(_distinct(sandbox, own))
    assert captured[0] == captured[1]
    assert len(captured[0]) == 6
    assert (tmp_path / "sync.mp4").read_bytes() == (tmp_path / "async.mp4").read_bytes()


def _distinct(sandbox: Sandbox, own: dict[str, str]) -> list[str]:
    """Each request once, in order of first appearance; how often it is asked is a matter of the clock."""
    found: dict[str, None] = {}
    for request in sandbox.requests:
        line = f"{request.method} {request.path} {request.query}"
        text = f"{line} {sorted(request.headers.items())} {request.body!r}"
        for mine, common in own.items():
            text = text.replace(mine, common)
        found[text] = None
    return list(found)
