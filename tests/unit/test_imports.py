"""What importing costs, and which module may know which."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kling_facade

PACKAGE = Path(kling_facade.__file__).parent
HEAVY = ("httpx", "attr", "attrs", "kling_api", "asyncio", "sqlite3")
# each may import what stands before it, and its own line
ORDER = [
    {"errors", "_version", "jsons", "events", "workers"},
    {"callbacks"},
    {"wire"},
    {"settings", "clock", "ticket", "leaving"},
    {"moments", "failures", "polling", "inputs", "limits", "journal"},
    {"images", "records", "envelope", "files", "kinds"},
    {"operations"},
    {"flows"},
    {"pouring"},
    {"http"},
    {"ports", "async_ports"},
    {"videos", "tasks"},
    {"client", "async_client"},
    {"sandbox"},
    {"pytest_plugin"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}


def imports(path: Path) -> set[str]:
    """Every absolute name that the module imports, for type checking or not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return found


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def running_imports(path: Path) -> set[str]:
    """What it imports when it runs; names for type checkers only may point anywhere."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def loaded(statement: str) -> set[str]:
    """The top-level modules in a fresh interpreter after the statement."""
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_next_to_nothing() -> None:
    assert not loaded("import kling_facade") & set(HEAVY)
    assert not loaded("from kling_facade import KlingError") & set(HEAVY)


def test_importing_callbacks_loads_little_too() -> None:
    assert not loaded("import kling_facade.callbacks") & set(HEAVY)


def test_callbacks_know_the_errors_some_threads_and_the_standard_library_only() -> None:
    checked = 0
    for name, path in modules().items():
        if not name.startswith("callbacks"):
            continue
        for imported in running_imports(path):
            parts = imported.split(".")
            own = parts[0] == "kling_facade" and parts[1] in ("callbacks", "errors", "workers")
            assert own or parts[0] in sys.stdlib_module_names, f"{name} imports {imported}"
            checked += 1
    assert checked > 10


def test_a_client_is_loaded_when_it_is_asked_for() -> None:
    assert "httpx" in loaded("from kling_facade import Kling")


def test_every_public_name_is_there() -> None:
    for name in kling_facade.__all__:
        assert getattr(kling_facade, name) is not None
    assert set(kling_facade.__all__) <= set(dir(kling_facade))
    with pytest.raises(AttributeError, match="Klang"):
        _ = kling_facade.Klang


def test_only_http_knows_httpx() -> None:
    knowing = {
        name for name, path in modules().items() if any(i.split(".")[0] == "httpx" for i in imports(path))
    }
    assert knowing == {"http"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_point_one_way(name: str) -> None:
    top = name.split(".", maxsplit=1)[0]
    if top == "__init__":
        return
    for imported in running_imports(modules()[name]):
        parts = imported.split(".")
        if parts[0] == "kling_facade" and parts[1] in LEVEL:
            assert LEVEL[parts[1]] <= LEVEL[top], f"{name} imports {imported}"


def test_the_generated_client_is_imported_inside_functions_only() -> None:
    found = 0
    for name, path in modules().items():
        for node in ast.parse(path.read_text()).body:
            assert not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kling_api")), (
                name
            )
        found += any(imported.startswith("kling_api") for imported in running_imports(path))
    assert found == 3


def test_the_sandbox_shares_nothing_with_the_facade() -> None:
    checked = 0
    for name, path in modules().items():
        if not name.startswith("sandbox"):
            continue
        checked += 1
        for imported in running_imports(path):
            own = imported.startswith("kling_facade.sandbox") or not imported.startswith(
                ("kling_facade", "kling_api")
            )
            assert own or imported in ("kling_facade.client.Kling", "kling_facade.async_client.AsyncKling"), (
                imported
            )
    assert checked > 5
