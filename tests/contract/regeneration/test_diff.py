"""The semantic diff: who is hurt by which change, each change named once, and no document that breaks it."""

from copy import deepcopy
from typing import Any

import pytest
from contract.regeneration.copies import CREATE, QUERY, Document, vendored
from contract.regeneration.drift import DRIFT_SO_FAR
from contract.schemas import JSON
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.changes import Change
from pipeline.diff import compare, kind_of
from pipeline.errors import PipelineError

STRING = {"type": "string"}


def document(*, sent: Any = STRING, read: Any = STRING, **rest: Any) -> Document:
    operation = {
        "parameters": rest.get("parameters", []),
        "requestBody": {"content": {"application/json": {"schema": sent}}},
        "responses": {"200": {"content": {"application/json": {"schema": read}}}},
    }
    components = {"schemas": rest.get("schemas", {})}
    return {
        "openapi": rest.get("openapi", "3.0.0"),
        "paths": {"/a": {"post": operation}},
        "components": components,
    }


def verdicts(before: Document, after: Document) -> list[tuple[str, str, str]]:
    return [
        (change.kind, change.verb, change.pointer.rpartition("/schema")[2])
        for change in compare(before, after)
    ]


@pytest.mark.parametrize(
    ("before", "after", "sent", "read"),
    [
        ({"maxLength": 9}, {"maxLength": 8}, "breaking", "additive"),
        ({"maxLength": 9}, {"maxLength": 10}, "additive", "additive"),
        ({"maxLength": 9}, {}, "additive", "additive"),
        ({}, {"maxLength": 9}, "breaking", "additive"),
        ({"minItems": 1}, {"minItems": 2}, "breaking", "additive"),
        ({"minItems": 1}, {"minItems": 0}, "additive", "additive"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "breaking", "breaking"),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, "additive", "additive"),
        ({"enum": ["a"]}, {}, "additive", "additive"),
        ({}, {"enum": ["a"]}, "breaking", "additive"),
        ({"required": ["a"]}, {"required": []}, "additive", "breaking"),
        ({"required": ["a"]}, {"required": ["a", "b"]}, "breaking", "additive"),
        ({}, {"required": ["b"]}, "breaking", "additive"),
        ({}, {"nullable": True}, "additive", "additive"),
        ({"nullable": True}, {"nullable": False}, "breaking", "additive"),
        ({}, {"default": "a"}, "additive", "additive"),
        ({"default": "a"}, {"default": "b"}, "breaking", "additive"),
        ({"type": "string"}, {"type": "number"}, "breaking", "breaking"),
        ({"format": "uri"}, {}, "additive", "breaking"),
        ({}, {"pattern": "a+"}, "breaking", "additive"),
        ({"oneOf": [STRING]}, {"oneOf": [STRING, {}]}, "additive", "breaking"),
        ({"oneOf": [STRING, {}]}, {"oneOf": [STRING]}, "breaking", "additive"),
        ({"properties": {"a": {}}}, {"properties": {}}, "breaking", "breaking"),
        ({"properties": {}}, {"properties": {"a": {}}}, "additive", "additive"),
        ({"x-order": 1}, {"x-order": 2}, "prose", "prose"),
        ({"deprecated": False}, {"deprecated": True}, "additive", "additive"),
        ({"description": "at most 5 MB"}, {"description": "at most 4 MB"}, "breaking", "prose"),
        ({"description": "at most 5 MB"}, {"description": "up to 5MB"}, "prose", "prose"),
        ({"description": "image/png"}, {"description": "image/png, image/webp"}, "additive", "prose"),
        ({"description": "any"}, {"description": "image/png"}, "breaking", "prose"),
    ],
)
def test_a_change_hurts_who_sends_or_who_reads(before: Any, after: Any, sent: str, read: str) -> None:
    assert kind_of(compare(document(sent=before), document(sent=after))) == sent
    assert kind_of(compare(document(read=before), document(read=after))) == read


def test_prose_that_names_a_property_is_no_prose() -> None:
    before = {"properties": {"description": {"type": "string"}, "title": {"type": "string"}}}
    after = {"properties": {"description": {"type": "integer"}, "title": {"type": "string"}}}
    assert verdicts(document(read=before), document(read=after)) == [
        ("breaking", "changed", "/properties/description/type")
    ]


def test_a_renamed_property_is_told_from_a_lost_one() -> None:
    before = {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    after = {"properties": {"c": {"type": "string"}, "d": {"type": "boolean"}}}
    assert verdicts(document(sent=before), document(sent=after)) == [
        ("breaking", "renamed", "/properties/a"),
        ("breaking", "removed", "/properties/b"),
        ("additive", "added", "/properties/d"),
    ]


def test_parameters_are_compared_by_name() -> None:
    a, b = ({"name": name, "in": "query", "schema": STRING} for name in "ab")
    assert compare(document(parameters=[a, b]), document(parameters=[b, a])) == []
    [added] = compare(document(parameters=[a]), document(parameters=[b, a]))
    assert (added.kind, added.pointer) == ("additive", "#/paths/~1a/post/parameters/0")
    [needed] = compare(document(parameters=[a]), document(parameters=[a, b | {"required": True}]))
    assert needed.kind == "breaking"
    assert kind_of(compare(document(parameters=[a, b]), document(parameters=[a]))) == "breaking"


def test_a_reference_means_what_it_names() -> None:
    named = document(read={"$ref": "#/components/schemas/A"}, schemas={"A": STRING})
    renamed = document(read={"$ref": "#/components/schemas/B"}, schemas={"B": STRING})
    assert [change.verb for change in compare(named, renamed)] == ["renamed"]
    spelled = document(read=STRING, schemas={"A": STRING})
    assert compare(named, spelled) == []


def test_a_component_counts_for_the_side_that_uses_it() -> None:
    wide, narrow = {"type": "string"}, {"type": "string", "maxLength": 5}
    use = {"$ref": "#/components/schemas/A"}
    for place, kind in (({"sent": use}, "breaking"), ({"read": use}, "additive")):
        [change] = compare(document(**place, schemas={"A": wide}), document(**place, schemas={"A": narrow}))
        assert (change.kind, change.pointer) == (kind, "#/components/schemas/A/maxLength")


def test_a_change_in_a_component_is_named_once_however_often_it_is_used() -> None:
    after = vendored(QUERY)
    after["components"]["schemas"]["ApiResponse"]["properties"]["code"]["enum"].append(433)
    pointer = "#/components/schemas/ApiResponse/properties/code/enum"
    assert compare(vendored(QUERY), after) == [Change("additive", "added", pointer, after=[433])]


def test_an_allof_written_out_is_no_change() -> None:
    after = vendored(CREATE)
    content = after["paths"]["/api/v1/jobs/createTask"]["post"]["responses"]["200"]["content"][
        "application/json"
    ]
    envelope, part = after["components"]["schemas"]["ApiResponse"], content["schema"]["allOf"][1]
    content["schema"] = {"type": "object", "properties": {**envelope["properties"], **part["properties"]}}
    assert compare(vendored(CREATE), after) == []


@pytest.mark.parametrize(("version", "kind"), [("3.0.3", "prose"), ("3.1.0", "breaking")])
def test_another_version_of_openapi_matters_by_its_second_number(version: str, kind: str) -> None:
    assert kind_of(compare(document(), document(openapi=version))) == kind


@pytest.mark.parametrize("row", DRIFT_SO_FAR[:2], ids=lambda row: row.name)
def test_drift_that_took_something_away_was_breaking(row: Any) -> None:
    """The table changes today's document back; upstream went the other way."""
    before = vendored(row.path)
    row.change(before)
    assert kind_of(compare(before, vendored(row.path))) == "breaking"


def places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, item in items for place in ((*at, key), *places(item, (*at, key)))]


@pytest.mark.parametrize("path", [CREATE, QUERY])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_stands_wherever_is_compared_or_refused(path: str, data: st.DataObject) -> None:
    before = vendored(path)
    after: Any = deepcopy(before)
    place = data.draw(st.sampled_from(places(before)))
    parent = after
    for step in place[:-1]:
        parent = parent[step]
    parent[place[-1]] = data.draw(JSON | st.just({"$ref": "#/nowhere"}))
    try:
        forth, back = compare(before, after), compare(after, before)
    except PipelineError as error:
        assert str(error)
    else:
        assert bool(forth) == bool(back)
        assert bool(forth) == (after != before or str(after) != str(before))
