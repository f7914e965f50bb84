"""The examples run as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_spans_of_a_video_are_told() -> None:
    pytest.importorskip("opentelemetry.sdk", reason="examples/observing needs opentelemetry-sdk")
    done = subprocess.run(
        [sys.executable, "-W", "error", "try_it.py"],
        cwd=EXAMPLES / "observing",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    spans = done.stdout.split("\n")
    assert spans.count("kling create task") == 1
    assert spans.count("kling get task") > 3
