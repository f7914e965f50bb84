"""The mutation table: each change has its class, and is caught where the table says."""

import ast
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from contract.regeneration.copies import (
    CREATE,
    QUERY,
    ROOT,
    copy_project,
    failing,
    regenerate,
    run,
    vendor_by_hand,
    vendored,
)
from contract.regeneration.drift import MUTATIONS
from contract.regeneration.mutations import Catcher, Mutation

from pipeline.diff import compare, kind_of
from pipeline.errors import CollisionError
from pipeline.sources import read_sources

SOURCES = read_sources(ROOT / "openapi")
BY_PATH = {source.path: source for source in SOURCES.documents}
NEEDS_NEW_CODE = {
    "test_the_facade_reads_the_documented_answers": "test_messages",
    "test_requests_are_closed_and_answers_open": "test_models",
}


def rows(*catchers: Catcher) -> list[Mutation]:
    return [row for row in MUTATIONS if row.catcher in catchers]


def each(found: list[Mutation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", found, ids=lambda row: row.name)


def mutated(row: Mutation) -> dict[str, Any]:
    document = vendored(row.path)
    row.change(document)
    assert document != vendored(row.path)
    return document


def stale(row: Mutation) -> list[str]:
    return [str(action) for action in SOURCES.stale_actions(BY_PATH[row.path], mutated(row))]


def collisions(project: Path) -> str:
    try:
        read_sources(project / "openapi").bundled()
    except CollisionError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy for all rows, of which each begins with the vendored documents."""
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def changed(project: Path, row: Mutation) -> Path:
    for path in (*BY_PATH, "sources.toml"):
        (project / "openapi" / path).write_bytes((ROOT / "openapi" / path).read_bytes())
    vendor_by_hand(project, row.path, row.change)
    return project


def all_at_once(to: Path, found: list[Mutation]) -> Path:
    """A copy with all these changes and the client that they give."""
    project = copy_project(to)
    for row in found:
        vendor_by_hand(project, row.path, row.change)
    regenerate(project)
    return project


def test_the_table_has_every_kind_of_row() -> None:
    assert {row.kind for row in MUTATIONS} == {"breaking", "additive", "prose"}
    assert {row.catcher for row in MUTATIONS} == {"guard", "bundle", "contract", "types", "nothing"}
    assert len({row.name for row in MUTATIONS}) == len(MUTATIONS)


@each(MUTATIONS)
def test_the_diff_gives_the_class(row: Mutation) -> None:
    assert kind_of(compare(vendored(row.path), mutated(row))) == row.kind


@each(rows("guard"))
def test_the_guard_names_the_action(row: Mutation) -> None:
    assert any(line.startswith(f"{row.words} (") for line in stale(row))


@each(rows("bundle", "contract", "types", "nothing"))
def test_the_guard_is_silent_where_no_action_depends_on_it(row: Mutation) -> None:
    assert stale(row) == []


@each(rows("bundle"))
def test_the_bundle_names_the_collision(row: Mutation, changed: Path) -> None:
    assert re.search(rf"{re.escape(row.words)}\b", collisions(changed))


@each([row for row in rows("contract") if row.words not in NEEDS_NEW_CODE])
def test_a_contract_test_fails_and_no_other(row: Mutation, changed: Path) -> None:
    assert collisions(changed) == ""
    assert set(failing(changed, "test_constants")) == {row.words}


def test_a_contract_test_fails_on_the_new_client(tmp_path: Path) -> None:
    found = [row for row in rows("contract") if row.words in NEEDS_NEW_CODE]
    assert {row.words for row in found} == set(NEEDS_NEW_CODE)
    assert len({row.path for row in found}) == len(found), "one could hide the other"
    project = all_at_once(tmp_path, found)
    tests = [f"tests/contract/{NEEDS_NEW_CODE[row.words]}.py" for row in found]
    names = " or ".join(row.words for row in found)
    result = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", *tests, "-k", names)
    assert result.returncode == 1, result.stdout + result.stderr
    for row, path in zip(found, tests, strict=True):
        assert f"FAILED {path}::{row.words}" in result.stdout


@each(rows("types"))
def test_the_type_checker_names_what_the_facade_cannot_say_any_more(row: Mutation, changed: Path) -> None:
    regenerate(changed)
    modules = [f"kling_facade/{module}.py" for module in ("inputs", "operations", "records")]
    # a cache is trusted by size and second, and two rows can have both in common
    result = run(changed, "-m", "mypy", "--follow-imports=silent", f"--cache-dir={os.devnull}", *modules)
    complaints = [line for line in result.stdout.splitlines() if ": error: " in line]
    assert len(complaints) == 1, result.stdout + result.stderr
    assert row.words in complaints[0]


def test_what_is_harmless_fails_nothing(tmp_path: Path) -> None:
    project = all_at_once(tmp_path, rows("nothing"))
    result = run(
        project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", "-k", "not thousand"
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_prose_changes_no_line_of_generated_code(tmp_path: Path) -> None:
    prose = [row for row in MUTATIONS if row.kind == "prose"]
    assert len(prose) > 3
    package = all_at_once(tmp_path, prose) / "generated/kling_api"
    committed = ROOT / "generated/kling_api"
    assert code(package) == code(committed)
    assert (package / "openapi.json").read_bytes() != (committed / "openapi.json").read_bytes()


def code(package: Path) -> dict[str, str]:
    """Every module without its docstrings."""
    found: dict[str, str] = {}
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
                del node.body[0]
        found[path.relative_to(package).as_posix()] = ast.dump(tree)
    assert found
    return found


def prose_places(node: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where descriptions, summaries and titles are."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [at] if isinstance(node, str) and at[-1] in ("description", "summary", "title") else []
    return found + [place for key, item in items for place in prose_places(item, (*at, key))]


@pytest.mark.parametrize("path", [CREATE, QUERY])
def test_each_reworded_sentence_is_prose_and_stops_nothing(path: str) -> None:
    places = prose_places(vendored(path))
    assert len(places) > 10
    for place in places:
        document = vendored(path)
        parent: Any = document
        for step in place[:-1]:
            parent = parent[step]
        parent[place[-1]] += " Reworded."
        assert [change.kind for change in compare(vendored(path), document)] == ["prose"], place
        assert SOURCES.stale_actions(BY_PATH[path], document) == []


@pytest.mark.parametrize("path", [CREATE, QUERY])
def test_another_order_of_keys_is_no_change(path: str) -> None:
    def reverse(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: reverse(node[key]) for key in reversed(node)}
        return [reverse(item) for item in node] if isinstance(node, list) else node

    document = reverse(vendored(path))
    assert json.dumps(document) != json.dumps(vendored(path))
    assert compare(vendored(path), document) == []
