"""When to look."""

from __future__ import annotations

import math
import threading
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling_facade import InvalidInputError, PollPolicy

DELAYS = st.floats(0.01, 1000)
AGES = st.floats(0, 10_000)


def taught(*seconds: float, delay: float = 2.7, kind: str = "k") -> PollPolicy:
    policy = PollPolicy(delay, seed=1)
    for each in seconds:
        policy.learn(kind, each)
    return policy


@given(delay=DELAYS, age=st.floats(10, 10_000), seed=st.integers())
def test_the_gap_is_about_twice_the_accepted_delay(delay: float, age: float, seed: int) -> None:
    assert 1.8 * delay <= PollPolicy(delay, seed=seed).next("k", age) <= 2.3 * delay


@pytest.mark.parametrize(("age", "gap"), [(0, 2.5), (29, 2.5), (30, 7), (119, 7), (120, 20), (5000, 20)])
def test_the_documented_ladder_is_there(age: float, gap: float) -> None:
    policy = PollPolicy.documented(seed=1)
    assert policy.next("k", age) == pytest.approx(gap, rel=0.1)
    for _ in range(9):
        policy.learn("k", 200)
    assert policy.next("k", age) == pytest.approx(gap, rel=0.1)
    assert policy.first("k", 0) == 2.5


def test_nothing_is_assumed_of_a_kind_before_three_of_its_tasks_have_ended() -> None:
    policy = taught(100, 100)
    assert policy.first("k", 0) == 10
    assert policy.first("k", 4) == 6
    assert policy.first("k", 11) == 0
    policy.learn("k", 100)
    assert policy.first("k", 0) > 10


def test_the_first_look_comes_before_most_tasks_have_ended() -> None:
    random = Random(0)
    seconds = [random.lognormvariate(math.log(100), 0.53) for _ in range(200)]
    first = taught(*seconds).first("k", 0)
    assert 0.01 < sum(each < first for each in seconds) / len(seconds) < 0.15


def test_each_kind_is_learned_by_itself() -> None:
    policy = taught(*[300.0] * 20)
    assert policy.first("another", 0) == 10
    assert policy.first("k", 0) > 50


def test_what_was_long_ago_is_forgotten() -> None:
    policy = taught(*[400.0] * 300)
    slow = policy.first("k", 0)
    for _ in range(300):
        policy.learn("k", 50)
    assert policy.first("k", 0) < slow / 4


@pytest.mark.parametrize("seconds", [0.0, -3.0, math.nan, math.inf, -math.inf])
def test_what_is_no_duration_teaches_nothing(seconds: float) -> None:
    assert taught(*[100.0] * 5, *[seconds] * 50).first("k", 0) == taught(*[100.0] * 5).first("k", 0)


def test_a_task_that_is_unusually_late_is_looked_at_less_often_but_never_forgotten() -> None:
    policy = taught(*[100.0] * 60)
    usual, late, later, hopeless = (policy.next("k", age) for age in (100, 700, 1200, 1e6))
    assert usual < late < later
    assert 2.7 * 5.4 < hopeless < 3.3 * 5.6


def test_a_task_met_young_is_not_looked_at_before_its_kind_can_have_ended() -> None:
    policy = taught(*[200.0] * 60)
    assert policy.next("k", 5) == pytest.approx(policy.first("k", 0) - 5)


def test_the_rarer_the_looks_the_later_the_first() -> None:
    seconds = [60.0, 100.0, 160.0] * 20
    firsts = [taught(*seconds, delay=delay).first("k", 0) for delay in (1, 2.7, 10)]
    assert firsts == sorted(firsts)
    policy = taught(*seconds)
    assert policy.first("k", 0, queue=15) > policy.first("k", 0)


def test_where_callbacks_arrive_looks_are_for_the_lost_ones() -> None:
    policy = taught(*[60.0, 100.0, 160.0] * 20)
    assert policy.first("k", 0, called=True) > 130
    assert policy.next("k", 300, called=True) == pytest.approx(30, rel=0.1)
    assert PollPolicy().first("k", 0, called=True) > 200  # most of any kind have ended by then


@given(
    delay=DELAYS,
    age=AGES,
    queue=st.floats(0, 1000),
    called=st.booleans(),
    seconds=st.lists(st.floats(allow_nan=True, allow_infinity=True)),
)
def test_whatever_was_learned_a_look_comes_and_never_in_a_rush(
    delay: float, age: float, queue: float, called: bool, seconds: list[float]
) -> None:
    policy = taught(*seconds, delay=delay)
    assert policy.first("k", age, queue=queue, called=called) >= 0
    pause = policy.next("k", age, queue=queue, called=called)
    assert math.isfinite(pause)
    assert pause >= 1.8 * min(delay, 10)


def test_threads_may_teach_one_policy() -> None:
    policy = PollPolicy(seed=1)

    def teach() -> None:
        for _ in range(500):
            policy.learn("k", 100)

    threads = [threading.Thread(target=teach) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert policy.first("k", 0) == pytest.approx(taught(*[100.0] * 2000).first("k", 0))


def test_the_jitter_can_be_repeated() -> None:
    assert PollPolicy(seed=3).next("k", 20) == PollPolicy(seed=3).next("k", 20)
    assert PollPolicy(seed=3).next("k", 20) != PollPolicy(seed=4).next("k", 20)


@pytest.mark.parametrize("delay", [0, -1, math.nan, math.inf, -math.inf, 1e9, 10**400, "2", None, True])
def test_what_is_no_delay_is_refused_by_name(delay: float) -> None:
    with pytest.raises(InvalidInputError, match="^delay: "):
        PollPolicy(delay)


@pytest.mark.parametrize("seed", [1.5, math.nan, "1", True])
def test_what_is_no_seed_is_refused_by_name(seed: int) -> None:
    with pytest.raises(InvalidInputError, match="^seed: "):
        PollPolicy(seed=seed)
    with pytest.raises(InvalidInputError, match="^seed: "):
        PollPolicy.documented(seed=seed)
