"""From vendored to bundled: only the overlays change what is said, the bundle only how."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonpath import compile as compile_path
from openapi_spec_validator import validate

from pipeline.bundle import untitled
from pipeline.overlay import apply, read_actions
from pipeline.sources import Source, read_sources

ROOT = Path(__file__).parents[2]
SOURCES = read_sources(ROOT / "openapi")
PROSE = {"description", "summary", "title", "example"}
every_document = pytest.mark.parametrize("source", SOURCES.documents, ids=lambda source: source.name)


def leaves(node: Any, at: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """Each scalar, and each empty container, by its place."""
    if not isinstance(node, dict | list) or not node:
        return {at: node}
    items = node.items() if isinstance(node, dict) else enumerate(node)
    return {place: value for key, item in items for place, value in leaves(item, (*at, key)).items()}


def spelled_out(node: Any, document: Any) -> Any:
    """The node with references followed and allOf merged: what it says, however it is arranged."""
    if isinstance(node, list):
        return [spelled_out(item, document) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        _, *steps = node["$ref"].split("/")
        target = document
        for step in steps:
            target = target[step]
        return spelled_out(target, document)
    said = {key: spelled_out(value, document) for key, value in node.items() if key != "allOf"}
    for part in node.get("allOf", []):
        for key, value in spelled_out(part, document).items():
            if key == "properties":
                said[key] = {**value, **said.get(key, {})}
            else:
                said.setdefault(key, value)
    return said


def without_prose(node: Any) -> Any:
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: without_prose(value) for key, value in node.items() if key not in PROSE}


def test_there_are_documents() -> None:
    assert len(SOURCES.documents) == len({source.path for source in SOURCES.documents}) >= 2
    vendored = {
        path.relative_to(SOURCES.folder).as_posix() for path in SOURCES.folder.glob("market/**/*.json")
    }
    assert vendored == {source.path for source in SOURCES.documents}


@every_document
def test_each_change_to_a_vendored_document_lies_at_the_target_of_an_action(source: Source) -> None:
    vendored = untitled(SOURCES.document(source))
    overlays = SOURCES.overlays(source)
    before, after = leaves(vendored), leaves(SOURCES.mended(source))
    missing = object()
    changed = {place for place in before | after if before.get(place, missing) != after.get(place, missing)}
    targets = {
        match.parts
        for overlay in overlays
        for action in read_actions(overlay)
        for match in compile_path(action.target, strict=True).finditer(vendored)
    }
    strays = {place for place in changed if not any(place[: len(target)] == target for target in targets)}
    assert changed
    assert not strays


@every_document
def test_only_titles_go_before_the_overlays(source: Source) -> None:
    before, after = (leaves(part) for part in (SOURCES.document(source), untitled(SOURCES.document(source))))
    assert after.items() <= before.items()
    assert {place[-1] for place in before.keys() - after.keys()} <= {"title"}


@every_document
def test_no_action_is_idle(source: Source) -> None:
    document = untitled(SOURCES.document(source))
    overlays: list[Any] = [*SOURCES.overlays(source)]
    for overlay in overlays:
        for row in overlay["actions"]:
            mended = apply({**overlay, "actions": [row]}, document)
            assert mended != document, row
            document = mended
    assert document == SOURCES.mended(source)


@every_document
def test_an_overlay_extends_the_document_it_is_listed_with(source: Source) -> None:
    every, own = SOURCES.overlays(source)
    folder = (SOURCES.folder / source.overlay).parent
    assert "extends" not in every
    assert (folder / str(own["extends"])).resolve() == (SOURCES.folder / source.path).resolve()


@every_document
def test_the_bundle_says_what_the_mended_document_says(source: Source) -> None:
    mended: Any = SOURCES.mended(source)
    bundled: Any = SOURCES.bundled()
    compared = 0
    for path, operations in mended["paths"].items():
        ours = without_prose(spelled_out(operations, mended))
        theirs = without_prose(spelled_out(bundled["paths"][path], bundled))
        assert ours == theirs
        compared += len(leaves(ours))
    for group, components in mended["components"].items():
        for name, component in components.items():
            assert without_prose(spelled_out(component, bundled)) == without_prose(
                spelled_out(bundled["components"][group][name], bundled)
            )
    assert mended["security"] == bundled["security"]
    assert compared > 10


def test_the_bundle_adds_only_the_models_that_overlays_name() -> None:
    documents: list[Any] = [SOURCES.mended(source) for source in SOURCES.documents]
    bundled: Any = SOURCES.bundled()
    known = {name for document in documents for name in document["components"]["schemas"]}
    titles = {
        value
        for document in documents
        for place, value in leaves(document["paths"]).items()
        if place[-1] == "title"
    }
    assert titles
    assert set(bundled["components"]["schemas"]) == known | titles
    assert set(bundled["paths"]) == {path for document in documents for path in document["paths"]}


def test_the_generated_package_carries_the_bundle() -> None:
    committed = json.loads((ROOT / "generated/kling_api/openapi.json").read_bytes())
    assert committed == SOURCES.bundled()


def test_the_bundle_is_valid_openapi() -> None:
    validate(json.loads(json.dumps(SOURCES.bundled())))


def test_the_key_can_go_to_one_host_only() -> None:
    bundled = SOURCES.bundled()
    servers = [value for place, value in leaves(bundled).items() if "servers" in place and place[-1] == "url"]
    assert servers == ["https://api.apikley.ru"]
    assert "kie.ai" not in json.dumps(bundled)
