"""When to look."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_facade import InvalidInputError, PollPolicy


@given(delay=st.floats(0.01, 1000), age=st.floats(0, 10_000), seed=st.integers())
def test_the_gap_is_about_twice_the_accepted_delay(delay: float, age: float, seed: int) -> None:
    policy = PollPolicy(delay, seed=seed)
    assert 1.8 * delay <= policy.next(age) <= 2.2 * delay
    assert 0 <= policy.first(age) <= 10


@pytest.mark.parametrize(("age", "gap"), [(0, 2.5), (29, 2.5), (30, 7), (119, 7), (120, 20), (5000, 20)])
def test_the_documented_ladder_is_there(age: float, gap: float) -> None:
    assert PollPolicy.documented(seed=1).next(age) == pytest.approx(gap, rel=0.1)


def test_no_look_comes_before_a_task_can_have_ended() -> None:
    assert PollPolicy().first(0) == 10
    assert PollPolicy().first(4) == 6
    assert PollPolicy.documented().first(0) == 2.5


@pytest.mark.parametrize("delay", [0, -1, math.nan, math.inf, 1e9, "2", None, True])
def test_what_is_no_delay_is_refused(delay: float) -> None:
    with pytest.raises(InvalidInputError, match="^delay: "):
        PollPolicy(delay)


def test_the_jitter_can_be_repeated() -> None:
    assert [PollPolicy(seed=3).next(0)] == [PollPolicy(seed=3).next(0)]
