"""What the README and the documentation show runs as printed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/money.md")
SNIPPETS = [
    pytest.param(snippet, id=f"{page}-{number}")
    for page in PAGES
    for number, snippet in enumerate(
        re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    )
]


def test_every_page_shows_something() -> None:
    assert all(any(str(snippet.id).startswith(page) for snippet in SNIPPETS) for page in PAGES)


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_an_example_runs(snippet: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr == ""
    named = re.findall(r"\S+\.mp4", done.stdout)
    assert all((tmp_path / name).stat().st_size > 10_000 for name in named)
