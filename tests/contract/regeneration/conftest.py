"""What tests of the scripts share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract.regeneration.copies import CREATE, copy_project, vendored
from contract.regeneration.edits import Change

QUICK = {"test_constants.py", "test_codes.py"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy with the quickest of the contract tests."""
    project = copy_project(tmp_path / "project")
    for path in (project / "tests/contract").glob("test_*.py"):
        if path.name not in QUICK:
            path.unlink()
    return project


@pytest.fixture
def page(tmp_path: Path) -> Callable[..., str]:
    """Writes a changed document to a file and gives its path."""

    def write(change: Change, *, path: str = CREATE, form: Any = json.dumps) -> str:
        document = vendored(path)
        change(document)
        file = tmp_path / "page"
        file.write_text(form(document))
        return str(file)

    return write
