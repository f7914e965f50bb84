"""Requests against delay: every rival, this client at several settings, and the exact optimum."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks.economy import live
from benchmarks.schedules import ours, rivals
from benchmarks.waiting import frontier, learned
from benchmarks.worlds import LOGNORMAL
from kling_facade import PollPolicy

if TYPE_CHECKING:
    from pathlib import Path

DELAYS = (0.5, 0.8, 1.2, 1.8, 2.7, 4.0, 6.0, 9.0)
TASKS = 4000


def draw(target: Path) -> None:
    """Writes the picture."""
    mpl.use("Agg")
    figure, axes = plt.subplots(figsize=(8.5, 5.5), layout="constrained")
    best = [point for point in frontier(LOGNORMAL, horizon=1000.0) if point.mean_delay < 13]
    axes.plot(
        [p.mean_delay for p in best],
        [p.requests for p in best],
        "k--",
        label="exact optimum, durations known",
    )
    mine = [learned(LOGNORMAL, delay) for delay in DELAYS]
    axes.plot([e.mean_delay for e in mine], [e.requests for e in mine], "o-", color="tab:blue", ms=4,
              label="kling_facade after 64 tasks, delay = 0.5 … 9")  # fmt: skip
    default = mine[DELAYS.index(2.7)]
    axes.plot(default.mean_delay, default.requests, "o", color="tab:blue", ms=10)
    axes.annotate("default", (default.mean_delay, default.requests), xytext=(-12, -16),
                  textcoords="offset points", ha="right", color="tab:blue")  # fmt: skip
    others = [*rivals(Random(1)), ours(PollPolicy.documented(seed=1), "documents' ladder")]
    for schedule, marker in zip(others, "sD^vP*", strict=True):
        economy = live(LOGNORMAL, schedule, seen=0, tasks=TASKS, seed=1)
        axes.plot(economy.mean_delay, economy.requests, marker, color="tab:red", ms=7)
        axes.annotate(
            schedule.name, (economy.mean_delay, economy.requests), xytext=(7, 5), textcoords="offset points"
        )
    axes.set_title("Tasks with a median of 100 s (lognormal, p95 240 s)")
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel="mean delay until the end is known, seconds", ylabel="requests for one task")
    axes.set_xlim(0.2, 16)
    axes.set_xticks([0.2, 0.5, 1, 2, 5, 10], ["0.2", "0.5", "1", "2", "5", "10"])
    axes.set_yticks([5, 10, 20, 50, 100, 200, 500], ["5", "10", "20", "50", "100", "200", "500"])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")
    figure.savefig(target, dpi=110)
