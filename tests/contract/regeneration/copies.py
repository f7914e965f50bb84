"""Copies of the project and of its documents, to change without harm."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree
from typing import Any

from pipeline.package import write_package
from pipeline.sources import read_sources

ROOT = Path(__file__).parents[3]
SCRIPTS = Path(sys.executable).absolute().parent
CREATE, QUERY = "market/kling/image-to-video.json", "market/common/get-task-detail.json"
CREATE_PATH, QUERY_PATH = "/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo"

Document = dict[str, Any]


def vendored(path: str) -> Document:
    """A fresh copy of a vendored document."""
    document: Document = json.loads((ROOT / "openapi" / path).read_bytes())
    return document


def body(document: Document) -> Any:
    """The schema of the create request."""
    operation = document["paths"][CREATE_PATH]["post"]
    return operation["requestBody"]["content"]["application/json"]["schema"]


def inputs(document: Document) -> Any:
    """The schema of its input."""
    return body(document)["properties"]["input"]


def data(document: Document) -> Any:
    """The schema of the data in the first answer of either document."""
    [operations] = document["paths"].values()
    [operation] = operations.values()
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return schema["allOf"][1]["properties"]["data"]


def copy_project(to: Path) -> Path:
    """What vendoring reads and writes, and the contract tests with what they import."""
    for folder in ("openapi", "generated", "scripts", "kling_facade", "tests/contract"):
        copytree(ROOT / folder, to / folder, ignore=ignore_patterns("__pycache__", "regeneration"))
    (to / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return to


def vendor_by_hand(project: Path, path: str, change: Callable[[Document], object]) -> None:
    """Changes a vendored document in the copy and records its digest."""
    file = project / "openapi" / path
    before = sha256(file.read_bytes()).hexdigest()
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False))
    edit(project / "openapi/sources.toml", before, sha256(file.read_bytes()).hexdigest())


def regenerate(project: Path) -> None:
    """Writes the client that the copy's documents give."""
    generated = project / "generated"
    rmtree(generated / "kling_api")
    write_package(read_sources(project / "openapi").bundled(), generated, scripts=SCRIPTS)


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs Python in the copy; what it imports is the copy's."""
    path = os.pathsep.join(str(project / folder) for folder in ("", "generated", "scripts", "tests"))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *command], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def failing(project: Path, module: str) -> dict[str, str]:
    """The tests of a module that fail in the copy, with what they say; run in this process."""
    spec = spec_from_file_location(f"{module}_of_a_copy", project / "tests/contract" / f"{module}.py")
    assert spec
    assert spec.loader
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    found: dict[str, str] = {}
    tests = [name for name in vars(loaded) if name.startswith("test_")]
    assert tests
    for name in tests:
        try:
            vars(loaded)[name]()
        except AssertionError as error:
            found[name] = str(error)
    return found


def edit(path: Path, before: str, after: str) -> None:
    """Replaces what must be there."""
    text = path.read_text()
    assert before in text, f"{path.name} has no {before}"
    path.write_text(text.replace(before, after))


def vendor(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs the copy's ``scripts/vendor.py``."""
    command = [sys.executable, str(project / "scripts/vendor.py"), *options]
    return subprocess.run(command, cwd=project.parent, capture_output=True, text=True, check=False)
