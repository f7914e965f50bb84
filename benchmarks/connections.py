"""P5: how many connections it takes to poll at the gaps that waiting has; lasts two minutes of real time."""

from __future__ import annotations

import threading
import time

import httpx

from benchmarks.loopback import serving
from benchmarks.measuring import Row
from benchmarks.records import ANSWERS, TASK_ID
from kling_facade import Kling

GAPS = (5.5, 8.0, 12.0, 20.0, 30.0, 60.0)  # seconds; one client for each
LASTING = 125.0  # seconds
PATH = "/api/v1/jobs/recordInfo"


def rows() -> list[Row]:
    """P5."""
    polls = sum(1 + int(LASTING // gap) for gap in GAPS)
    with serving(ANSWERS) as ours, serving(ANSWERS) as plain:
        threads = [threading.Thread(target=_poll, args=(ours.url, gap)) for gap in GAPS]
        threads += [threading.Thread(target=_poll_raw, args=(plain.url, gap)) for gap in GAPS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        new, raw = ours.connections() - len(GAPS), plain.connections() - len(GAPS)
    figure = f"{new} in {polls} polls (raw httpx: {raw})"
    return [
        Row(
            "P5",
            "connections after the first, polling every 5.5 to 60 s",
            figure,
            "<= 1 in 20",
            new * 20 <= polls,
        )
    ]


def _poll(url: str, gap: float) -> None:
    with Kling("key", base_url=url) as kling:
        for _ in range(1 + int(LASTING // gap)):
            kling.task(TASK_ID).status()
            time.sleep(gap)


def _poll_raw(url: str, gap: float) -> None:
    with httpx.Client(base_url=url) as client:
        for _ in range(1 + int(LASTING // gap)):
            client.get(PATH, params={"taskId": TASK_ID}).json()
            time.sleep(gap)
