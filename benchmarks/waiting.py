"""P9 to P11: how well the polling law waits, by simulation."""

from __future__ import annotations

from random import Random
from statistics import fmean

from benchmarks.crowd import compare
from benchmarks.economy import Economy, live
from benchmarks.measuring import Row, at_most
from benchmarks.optimum import Grid, Optimum, optimum, requests_at
from benchmarks.schedules import ours, runwayml
from benchmarks.worlds import LOGNORMAL, WORLDS, World, lognormal
from kling_facade import PollPolicy

TASKS = 10_000
PRICES = (0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 11, 16, 25, 40, 65)  # requests that a second of delay is worth


def rows() -> list[Row]:
    """P9 to P11."""
    return [
        *(_against_runwayml(world, seen) for seen in (64, 3) for world in WORLDS),
        *(_against_optimum(world, horizon) for world, horizon in ((LOGNORMAL, 1000.0), (WORLDS[1], 600.0))),
        *_crowds(),
    ]


def _against_runwayml(world: World, seen: int) -> Row:
    mine = live(world, ours(PollPolicy(seed=1)), seen=seen, tasks=TASKS, seed=1)
    theirs = live(world, runwayml(Random(1)), seen=seen, tasks=TASKS, seed=1)
    ratios = mine.over(theirs)
    figure = " / ".join(f"{ratio:.2f}x" for ratio in ratios)
    return Row(
        "P9", f"{world.name}, {seen} seen: requests / mean / p95 delay over runwayml's",
        figure, "< 1.00x each", max(ratios) < 1,
        f"{mine.requests:.1f} requests, {mine.mean_delay:.2f} s, {mine.p95_delay:.2f} s",
    )  # fmt: skip


def frontier(world: World, *, horizon: float) -> list[Optimum]:
    """The least requests for every delay."""
    grid = Grid(world.durations.ended, horizon=horizon)
    return [optimum(grid, price) for price in PRICES]


def learned(world: World, delay: float) -> Economy:
    """What the law costs after 64 tasks, for an accepted delay."""
    return live(world, ours(PollPolicy(delay, seed=1)), seen=64, tasks=TASKS, seed=1)


def _against_optimum(world: World, horizon: float) -> Row:
    best = frontier(world, horizon=horizon)
    ratios = [
        (mine := learned(world, d)).requests / requests_at(best, mine.mean_delay) for d in (1.8, 2.7, 4.0)
    ]
    figure = " / ".join(f"{ratio:.3f}x" for ratio in ratios)
    what = f"{world.name}: requests over the exact optimum's at equal delay, for delay=1.8 / 2.7 / 4"
    return Row("P10", what, figure, "<= 1.10x", max(ratios) <= 1.10)


def _crowds() -> list[Row]:
    pairs = [compare(lognormal(100), in_flight=230, seconds=2000, seed=seed) for seed in (1, 2, 3)]
    ratio = fmean(mine.mean_delay for mine, _ in pairs) / fmean(fair.mean_delay for _, fair in pairs)
    most = max(mine.most_in(1.0) for mine, _ in pairs)
    return [
        at_most("P11", "230 in flight, 10 queries/s: mean delay over fair round robin's", ratio, 0.75),
        Row("P11", "the same: most queries in any second", f"{most}", "<= 10", most <= 10),
    ]
