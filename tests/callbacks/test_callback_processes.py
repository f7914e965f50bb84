"""Two web workers in two processes, one journal: what one has handled the other does not handle again."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.senders import signed

WORKER = Path(__file__).with_name("web_worker.py")
TASKS = [f"task-{number}" for number in range(12)]


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[str]]:
    """The URLs of the two."""
    command = [
        sys.executable,
        "-W",
        "error",
        str(WORKER),
        str(tmp_path / "journal.db"),
        str(tmp_path / "log"),
    ]
    processes = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for _ in range(2)
    ]
    try:
        yield [process.stdout.readline().strip() for process in processes if process.stdout]
    finally:
        for process in processes:
            process.communicate(timeout=10)


def deliver(url: str, task_id: str) -> int:
    """As the service does it, once."""
    delivery = signed(task_id, at=int(time.time()))
    request = urllib.request.Request(url, delivery.body, dict(delivery.headers))
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code


def test_each_task_is_handled_until_it_succeeds_and_never_again(workers: list[str], tmp_path: Path) -> None:
    assert len(workers) == 2
    answers = Counter[int]()
    with ThreadPoolExecutor(8) as senders:
        unanswered = {(url, task_id) for task_id in TASKS for url in workers}
        for _ in range(50):  # both deliver the same until both were answered with 200
            tries = {pair: senders.submit(deliver, *pair) for pair in sorted(unanswered)}
            answers.update(future.result() for future in tries.values())
            unanswered = {pair for pair, future in tries.items() if future.result() != 200}
            if not unanswered:
                break
        again = list(senders.map(deliver, workers * len(TASKS), TASKS * 2))
    assert not unanswered
    assert set(again) == {200}
    log = Counter((tmp_path / "log").read_text().split("\n"))
    for task_id in TASKS:
        assert log[f"done {task_id}"] == 1
        assert log[f"began {task_id}"] == 2  # one that failed, one that did not, none after it
    assert answers[500] == len(TASKS)
    assert set(answers) <= {200, 500, 503}
