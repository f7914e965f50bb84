"""The polling law against the nearest rival and the exact optimum, by simulation with fixed seeds."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest

from benchmarks.crowd import Crowd, compare
from benchmarks.economy import ANSWER_TIME, live, measure
from benchmarks.optimum import Grid, optimum, requests_at
from benchmarks.schedules import every, growing, ours, runwayml
from benchmarks.worlds import LOGNORMAL, WORLDS, Durations, World, lognormal
from kling_facade import PollPolicy

TASKS = 3000


@pytest.mark.parametrize("seen", [64, 3])
@pytest.mark.parametrize("world", WORLDS, ids=[world.name for world in WORLDS])
def test_fewer_requests_and_less_delay_than_the_nearest_rival(world: World, seen: int) -> None:
    mine = live(world, ours(PollPolicy(seed=2)), seen=seen, tasks=TASKS, seed=11)
    theirs = live(world, runwayml(Random(2)), seen=seen, tasks=TASKS, seed=11)
    requests, mean_delay, p95_delay = mine.over(theirs)
    assert requests < 1
    assert mean_delay < 1
    assert p95_delay < 1


def test_the_law_is_near_the_exact_optimum() -> None:
    grid = Grid(LOGNORMAL.durations.ended, horizon=900, step=0.5)
    frontier = [optimum(grid, price) for price in (4, 5, 6)]
    mine = live(LOGNORMAL, ours(PollPolicy(seed=1)), seen=64, tasks=TASKS, seed=5)
    ratio = mine.requests / requests_at(frontier, mine.mean_delay)
    assert 0.97 < ratio < 1.1  # below it the optimum would be none


def test_a_full_budget_is_kept_and_well_spent() -> None:
    mine, fair = compare(lognormal(100), in_flight=230, seconds=600, seed=3)
    assert mine.most_in(1.0) <= 10
    assert mine.mean_delay < 0.9 * fair.mean_delay


# The instruments, against closed forms


def test_an_even_gap_costs_what_renewal_theory_says() -> None:
    rate, gap = 1 / 50, 7.0
    random = Random(1)
    exponential = (random.expovariate(rate) for _ in range(40_000))
    economy = measure(every("even", gap, at_once=False), exponential)
    cycle = gap + ANSWER_TIME  # every look but the first comes a whole cycle after the one before
    requests = 1 + math.exp(-rate * gap) / (1 - math.exp(-rate * cycle))
    delay = gap + (requests - 1) * cycle - 1 / rate + ANSWER_TIME
    assert economy.requests == pytest.approx(requests, rel=0.02)
    assert economy.mean_delay == pytest.approx(delay, rel=0.02)


def test_looks_and_delays_of_one_task_are_counted_exactly() -> None:
    economy = measure(every("even", 10, at_once=False), [25.0])
    assert economy.requests == 3
    assert economy.mean_delay == pytest.approx(10 + 2 * 10.15 + 0.15 - 25)
    economy = measure(growing("growing", 2, factor=1.5, most=4), [9.0])  # 0, 2.15, 5.3, 9.45
    assert economy.requests == 4
    assert economy.mean_delay == pytest.approx(9.45 + 0.15 - 9)


def test_the_95th_percentile_is_the_value_that_19_of_20_do_not_exceed() -> None:
    economy = measure(every("even", 1000, at_once=False), [float(n) for n in range(1, 21)])
    assert economy.p95_delay == pytest.approx(1000.15 - 2)


def test_the_optimum_of_a_memoryless_distribution_is_the_best_even_gap() -> None:
    rate, price = 1 / 50, 2.0

    def cost(gap: float) -> float:
        looks = 1 / (1 - math.exp(-rate * gap))
        return looks + price * (gap * looks - 1 / rate + ANSWER_TIME)

    best = min((0.25 * n for n in range(1, 200)), key=cost)
    found = optimum(Grid(lambda age: 1 - math.exp(-rate * age), horizon=700), price)
    assert found.requests + price * found.mean_delay == pytest.approx(cost(best), rel=0.002)
    assert found.looks[1] - found.looks[0] == best


def test_the_optimum_of_a_certain_duration_is_one_look() -> None:
    found = optimum(Grid(lambda age: float(age >= 40), horizon=60), 1.0)
    assert found.looks[0] == 40
    assert found.requests == 1


def test_the_optimum_of_a_uniform_distribution_falls_as_theory_says() -> None:
    # moving a look by dt moves price * (gap before - gap after) * dt of waiting against dt of a request
    longest, price = 60.0, 0.5
    found = optimum(Grid(lambda age: min(age / longest, 1.0), horizon=longest), price)
    gaps = [later - earlier for earlier, later in zip((0.0, *found.looks), found.looks, strict=False)]
    assert gaps == sorted(gaps, reverse=True)
    assert all(a - b == pytest.approx(1 / price, abs=0.51) for a, b in pairwise(gaps))


@pytest.mark.parametrize("world", WORLDS, ids=[world.name for world in WORLDS])
def test_each_world_draws_what_its_distribution_says(world: World) -> None:
    random, durations = Random(4), world.durations
    drawn = [durations.draw(random) for _ in range(5000)]
    for age in (30, 60, 120, 300, 901):
        share = sum(each <= age for each in drawn) / len(drawn)
        assert share == pytest.approx(durations.ended(age), abs=0.03)


def test_the_worlds_are_the_ones_that_were_agreed_on() -> None:
    durations: Durations = LOGNORMAL.durations
    assert durations.ended(100) == pytest.approx(0.5)
    assert durations.ended(240) == pytest.approx(0.95)
    assert len(WORLDS) == 7


def test_the_most_in_a_period_is_found_wherever_it_begins() -> None:
    assert Crowd(0.0, (0.0, 0.9, 1.0, 1.5, 1.89, 3.0)).most_in(1.0) == 4
