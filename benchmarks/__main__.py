"""``python -m benchmarks [PART ...]``: measures, prints the table, writes results.md and polling.png."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import Row

PARTS = ("polls", "connections", "imports", "waiting", "memory", "callbacks", "reading")
HERE = Path(__file__).parent
METHOD = """\
CPU figures are ratios of process CPU time: the acts take turns, round by round, against a server on
loopback in another process; the figure is the median of the ratios of all rounds, in brackets the middle
half of them. Rivals run their own released code against a loopback emulation of their own status call.

P9 to P11 are simulations: the rivals' schedules are those in their packages, the law is the client's own
object, 10,000 tasks a world, an answer takes 0.15 s, the delay runs from the true end to the answer in hand,
and learning goes on while counting. lumaai has no schedule: it leaves polling to its users.
"""


def main() -> None:
    """Runs the parts that were named, or all; only a run of all writes files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    chosen = parser.parse_args().parts or PARTS
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    began, rows = os.getloadavg(), list[Row]()
    for part in chosen:
        for row in importlib.import_module(f"benchmarks.{part}").rows():
            print(_line(row), flush=True)
            rows.append(row)
    if set(chosen) == set(PARTS):
        from benchmarks.plot import draw  # needs matplotlib

        draw(HERE / "polling.png")
        rows.sort(key=lambda row: int("".join(filter(str.isdigit, row.number))))
        (HERE / "results.md").write_text(_document(rows, began, os.getloadavg()))


def _line(row: Row) -> str:
    verdict = {True: "yes", False: "NO", None: "-"}[row.reached]
    return f"| {row.number} | {row.what} | {row.figure} | {row.goal} | {verdict} | {row.remark} |"


def _document(rows: list[Row], before: tuple[float, ...], after: tuple[float, ...]) -> str:
    missed = [row for row in rows if row.reached is False]
    return "\n".join(
        [
            "# What the client costs, measured",
            "",
            (
                f"{datetime.now(UTC):%Y-%m-%d}, CPython {platform.python_version()}, {platform.machine()}, "
                f"{os.cpu_count()} cores; load average {before[0]:.1f} before, {after[0]:.1f} after: "
                "above 1 other work ran on the machine. Written by `python -m benchmarks`."
            ),
            "",
            METHOD,
            f"{sum(row.reached is True for row in rows)} figures reach their goal, {len(missed)} do not"
            + (": " + ", ".join(dict.fromkeys(row.number for row in missed)) if missed else "")
            + ".",
            "",
            "| # | what | figure | goal | reached | remark |",
            "|---|---|---|---|---|---|",
            *map(_line, rows),
            "",
            "![Requests against delay](polling.png)",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
