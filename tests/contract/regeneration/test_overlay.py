"""The overlay guard: whatever upstream changes under an action's feet stops it, by name."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import OverlayError, StaleActionError
from pipeline.overlay import apply

DOCUMENT: dict[str, Any] = {
    "servers": [{"url": "https://old.example", "description": "the only one"}],
    "schema": {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "string", "description": "prose"}, "b": {"type": "string"}},
    },
    "codes": [200, 401],
}


def overlay(target: str, **rest: Any) -> dict[str, Any]:
    row = {"x-name": "act", "x-reason": "a test", "target": target}
    row |= {key if key in {"update", "remove"} else f"x-{key}": value for key, value in rest.items()}
    return {"overlay": "1.0.0", "info": {"title": "probe", "version": "1"}, "actions": [row]}


def mend(target: str, **rest: Any) -> dict[str, Any]:
    before = deepcopy(DOCUMENT)
    mended: dict[str, Any] = apply(overlay(target, **rest), DOCUMENT)
    assert before == DOCUMENT, "the document given was changed"
    return mended


def test_a_host_in_a_list_is_overwritten() -> None:
    mended = mend(
        "$.servers[0]", expects={"url": "https://old.example"}, update={"url": "https://new.example"}
    )
    assert mended["servers"] == [{"url": "https://new.example", "description": "the only one"}]


def test_lists_within_an_update_are_appended() -> None:
    mended = mend("$.schema", expects={"required": ["a"]}, update={"required": ["b"]})
    assert mended["schema"]["required"] == ["a", "b"]


def test_a_list_as_target_is_appended_to() -> None:
    assert mend("$.codes", expects=[200, 401], update=433)["codes"] == [200, 401, 433]


def test_a_list_item_is_removed() -> None:
    assert mend("$.codes[0]", expects=200, remove=True)["codes"] == [401]


def test_every_match_of_a_wildcard_gets_its_own_copy() -> None:
    mended = mend("$.schema.properties[*]", matches="some", update={"x": {"y": 1}})
    assert [part["x"] for part in mended["schema"]["properties"].values()] == [{"y": 1}, {"y": 1}]
    mended["schema"]["properties"]["a"]["x"]["y"] = 2
    assert mended["schema"]["properties"]["b"]["x"]["y"] == 1


def test_all_matches_are_removed_from_a_list() -> None:
    document: dict[str, Any] = {"codes": [5, 5, 5]}
    assert apply(overlay("$.codes[*]", matches=3, expects=5, remove=True), document) == {"codes": []}


# Rule 1: one match, or what x-matches says.


@pytest.mark.parametrize(
    ("target", "matches", "count"),
    [("$.schema.properties.renamed", 1, 0), ("$.schema.properties[*]", 1, 2), ("$..nothing[*]", "some", 0)],
)
def test_another_number_of_matches_is_stale(target: str, matches: int | str, count: int) -> None:
    with pytest.raises(StaleActionError, match=rf"probe/act .*expected {matches} match, found {count}"):
        mend(target, matches=matches, update={"title": "T"})


# Rule 2: x-expects, by the named keys in maps and exactly elsewhere.


@pytest.mark.parametrize(
    ("target", "expects", "message"),
    [
        ("$.schema", {"required": ["a", "b"]}, r"/required expected \['a', 'b'\], found \['a'\]"),
        ("$.schema", {"properties": {"c": {}}}, "/properties/c expected {}, found nothing"),
        ("$.servers[0]", {"url": "https://other.example"}, "/url expected 'https://other.example'"),
        ("$.schema", {"type": True}, "/type expected True, found 'object'"),
    ],
)
def test_another_old_value_is_stale(target: str, expects: Any, message: str) -> None:
    with pytest.raises(StaleActionError, match=message):
        mend(target, expects=expects, update={"title": "T"})


def test_expected_types_are_exact() -> None:
    document: dict[str, Any] = {"limit": 1}
    with pytest.raises(StaleActionError, match="expected True, found 1"):
        apply(overlay("$.limit", expects=True, remove=True), document)


@given(st.text())
def test_prose_beside_the_expected_keys_may_change(prose: str) -> None:
    document = deepcopy(DOCUMENT)
    document["schema"]["properties"]["a"]["description"] = document["schema"]["description"] = prose
    expects = {"properties": {"a": {"type": "string"}}}
    mended: Any = apply(overlay("$.schema", expects=expects, update={"title": "T"}), document)
    assert mended["schema"]["title"] == "T"


# Rule 3: nothing goes that was not named.


@pytest.mark.parametrize(
    ("target", "rest"),
    [
        ("$.codes", {"remove": True}),
        ("$.schema.properties.a", {"remove": True, "expects": {}}),
        ("$.schema", {"remove": True, "expects": {"type": "object", "required": ["a"]}}),
        ("$.codes", {"update": 433}),
        ("$.schema", {"update": {"required": ["b"]}}),
        ("$.schema", {"update": {"properties": {"a": {"type": "integer"}}}, "expects": {"type": "object"}}),
    ],
)
def test_what_goes_must_be_named(target: str, rest: dict[str, Any]) -> None:
    with pytest.raises(StaleActionError, match="without x-expects, found"):
        mend(target, **rest)


def test_prose_goes_unnamed() -> None:
    mended = mend("$.schema.properties.a", expects={"type": "string"}, remove=True)
    assert list(mended["schema"]["properties"]) == ["b"]


@pytest.mark.parametrize("update", [{"required": "a"}, {"properties": ["a"]}])
def test_another_kind_of_value_is_no_merge(update: dict[str, Any]) -> None:
    expects = {"required": ["a"], "properties": {}}
    with pytest.raises(StaleActionError, match="cannot be merged into"):
        mend("$.schema", expects=expects, update=update)


def test_an_addition_needs_no_expectation() -> None:
    assert mend("$.schema", update={"title": "T"})["schema"]["title"] == "T"


# Rule 4: what is there already is stale.


@pytest.mark.parametrize(
    ("target", "rest"),
    [
        ("$.schema", {"expects": {"type": "object"}, "update": {"type": "object"}}),
        ("$.schema", {"expects": {"required": ["a"]}, "update": {"required": ["a"]}}),
        ("$.codes", {"expects": [200, 401], "update": 401}),
    ],
)
def test_what_upstream_mended_is_stale(target: str, rest: dict[str, Any]) -> None:
    with pytest.raises(StaleActionError, match="already"):
        mend(target, **rest)


def test_an_addition_that_upstream_made_too_is_stale() -> None:
    with pytest.raises(StaleActionError, match="/title would be changed without x-expects, found 'Theirs'"):
        apply(overlay("$", update={"title": "Ours"}), {"title": "Theirs"})


# Rule 5: no ghosts.


def test_a_renamed_property_is_not_invented_again() -> None:
    with pytest.raises(StaleActionError, match="/properties/renamed would be invented"):
        mend("$.schema", update={"properties": {"renamed": {"minItems": 1}}})


def test_a_map_is_added_directly_under_the_target() -> None:
    assert mend("$.schema.properties", update={"c": {"type": "string"}})["schema"]["properties"]["c"]


# What is no overlay at all.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x-expect": {}}, r"probe/act: unknown fields \['x-expect'\]"),
        ({"x-reason": ""}, "probe/act"),
        ({"target": "$.["}, r"probe/act: \$\.\[ is no JSONPath"),
        ({"update": {}, "remove": True}, "either update or remove"),
        ({"x-matches": 0}, "x-matches is a number above 0 or some"),
    ],
)
def test_a_misspelt_action_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    broken = overlay("$.schema", update={"title": "T"})
    broken["actions"][0] |= change
    with pytest.raises(OverlayError, match=message):
        apply(broken, DOCUMENT)


@pytest.mark.parametrize("missing", ["x-name", "x-reason", "target", "update"])
def test_an_incomplete_action_is_refused(missing: str) -> None:
    broken = overlay("$.schema", update={"title": "T"})
    del broken["actions"][0][missing]
    with pytest.raises(OverlayError, match=missing):
        apply(broken, DOCUMENT)


@pytest.mark.parametrize("broken", [{}, {"info": {"title": "x"}, "actions": []}])
def test_an_overlay_without_actions_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(OverlayError, match="list of actions"):
        apply(broken, DOCUMENT)


def test_remove_false_removes_nothing() -> None:
    assert mend("$.schema", update={"title": "T"}, remove=False)["schema"]["title"] == "T"


def test_a_scalar_is_no_target_for_an_update() -> None:
    with pytest.raises(StaleActionError, match="target the map that holds it"):
        mend("$.schema.type", expects="object", update={"title": "T"})


def test_the_root_stays() -> None:
    with pytest.raises(StaleActionError, match="the root cannot be removed"):
        apply(overlay("$", expects={"a": 1}, remove=True), {"a": 1})
