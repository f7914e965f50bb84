"""The asynchronous client without ``await``, so that one test serves both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

from kling_facade import AsyncTask, AsyncVideo


class Blocking:
    """Any object of the asynchronous client; what it returns is settled on one event loop."""

    def __init__(self, target: Any, runner: asyncio.Runner) -> None:
        self._target = target
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return value
        return lambda *args, **kwargs: self._settle(value(*args, **kwargs))

    def _settle(self, result: Any) -> Any:
        if inspect.iscoroutine(result):
            result = self._runner.run(result)
        if isinstance(result, AsyncIterator):
            return self._iterate(result)
        return Blocking(result, self._runner) if isinstance(result, AsyncTask | AsyncVideo) else result

    def _iterate(self, updates: AsyncIterator[Any]) -> Iterator[Any]:
        async def step() -> Any:
            return await anext(updates)

        while True:
            try:
                yield self._runner.run(step())
            except StopAsyncIteration:
                return
