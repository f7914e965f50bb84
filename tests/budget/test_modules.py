"""What importing costs, counted in modules: the count does not depend on the machine's mood."""

from __future__ import annotations

import subprocess
import sys

import pytest

BUDGETS = {
    "import kling_facade": 36,
    "from kling_facade import PollPolicy": 90,
    "import kling_facade.callbacks": 65,
    "from kling_facade import Kling": 370,
}
LIGHT = ("import kling_facade", "import kling_facade.callbacks")


def loaded(statement: str) -> set[str]:
    """The modules that the statement brings into a fresh interpreter without site-packages' own hooks."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", BUDGETS)
def test_an_import_stays_within_its_budget(statement: str) -> None:
    modules = loaded(statement)
    assert any(name.startswith("kling_facade") for name in modules)
    assert len(modules) <= BUDGETS[statement], sorted(modules)


@pytest.mark.parametrize("statement", LIGHT)
def test_what_needs_no_network_loads_no_network(statement: str) -> None:
    tops = {name.partition(".")[0] for name in loaded(statement)}
    assert not tops & {"httpx", "httpcore", "attr", "attrs", "kling_api", "asyncio", "ssl", "sqlite3"}


def test_the_client_adds_little_to_its_http_library() -> None:
    added = loaded("from kling_facade import Kling") - loaded("import httpx, attrs")
    assert len(added) <= 100, sorted(added)


def test_the_generated_models_are_loaded_by_the_first_call_only() -> None:
    assert not any(name.startswith("kling_api") for name in loaded("from kling_facade import Kling"))
