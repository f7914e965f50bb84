"""What is no number for a setting is refused with the setting's name, and nothing is sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from kling_facade import InvalidInputError, Kling, Limits, PollPolicy

NO_TIMES = [-1, -0.0, 0, 0.0, math.nan, math.inf, -math.inf, 1e12, 10**400, True, "5", None, 1j]
NO_COUNTS = [-1, 0, math.nan, math.inf, -math.inf, 2.5, 20.0, 10**9, 10**400, True, "20", 1j]


def client(**options: Any) -> Kling:
    return Kling("key", base_url="http://127.0.0.1:9", **options)


def generate(timeout: Any) -> object:
    return client().generate("https://f.test/a.jpg", "p", timeout=timeout)


def submit(timeout: Any) -> object:
    return client().submit("https://f.test/a.jpg", "p", timeout=timeout)


TIMES: dict[str, Callable[[Any], object]] = {
    "delay": PollPolicy,
    "create_period": lambda value: Limits(create_period=value),
    "query_period": lambda value: Limits(query_period=value),
    "timeout": lambda value: client(timeout=value),
    "timeout (wait)": lambda value: client().task("t1").wait(timeout=value),
    "timeout (updates)": lambda value: client().task("t1").updates(timeout=value),
    "timeout (submit)": submit,
    "timeout (generate)": generate,
}
COUNTS: dict[str, Callable[[Any], object]] = {
    "creates": lambda value: Limits(creates=value),
    "queries": lambda value: Limits(queries=value),
}


@pytest.mark.parametrize("value", NO_TIMES)
@pytest.mark.parametrize("setting", TIMES)
def test_what_is_no_length_of_time_is_refused_by_name(setting: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match=f"^{setting.partition(' ')[0]}: ") as caught:
        TIMES[setting](value)
    assert caught.value.field == setting.partition(" ")[0]


@pytest.mark.parametrize("value", NO_COUNTS)
@pytest.mark.parametrize("setting", COUNTS)
def test_what_is_no_number_of_calls_is_refused_by_name(setting: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match=f"^{setting}: "):
        COUNTS[setting](value)


def test_what_is_a_setting_is_taken() -> None:
    for setting in ("delay", "create_period", "query_period", "timeout", "timeout (updates)"):
        TIMES[setting](0.5)
        TIMES[setting](3)
    for make in COUNTS.values():
        make(1)
        make(None)
