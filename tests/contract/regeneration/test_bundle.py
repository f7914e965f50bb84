"""The bundle: equal names mean the same, models are named, nullable survives the move."""

from typing import Any

import pytest

from pipeline.bundle import bundle, flatten, lift
from pipeline.errors import CollisionError, SourceError


def document(*, path: str = "/one", **rest: Any) -> dict[str, Any]:
    """A document with one POST; ``body``, ``answer``, ``base`` and ``servers`` may be given."""
    base = rest.get("base", {"type": "object", "properties": {"code": {"type": "integer"}}})
    answer = rest.get("answer", {"$ref": "#/components/schemas/Base"})
    body = rest.get("body", {"type": "object", "title": "Ask", "properties": {"p": {"type": "string"}}})
    operation = {
        "operationId": "ask",
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
    }
    return {
        "openapi": "3.0.0",
        "info": {"title": path, "version": "1"},
        "servers": rest.get("servers", [{"url": "https://h.example"}]),
        "paths": {path: {"post": operation}},
        "components": {"schemas": {"Base": base}},
    }


def schema_of(whole: dict[str, Any], path: str = "/one") -> dict[str, Any]:
    found: dict[str, Any] = whole["paths"][path]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    return found


def test_paths_join_and_the_first_gives_info() -> None:
    whole: Any = bundle({"first": document(), "second": document(path="/two")})
    assert list(whole["paths"]) == ["/one", "/two"]
    assert whole["info"]["title"] == "/one"


def test_a_titled_object_becomes_a_component() -> None:
    whole: Any = bundle({"first": document()})
    assert schema_of(whole) == {"$ref": "#/components/schemas/Ask"}
    assert whole["components"]["schemas"]["Ask"] == {
        "type": "object",
        "properties": {"p": {"type": "string"}},
    }


def test_nullable_stays_with_the_reference() -> None:
    body = {"type": "object", "properties": {"in": {"type": "object", "title": "Inner", "nullable": True}}}
    whole: Any = bundle({"first": document(body=body)})
    reference = schema_of(whole)["properties"]["in"]
    assert reference == {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Inner"}]}
    assert whole["components"]["schemas"]["Inner"] == {"type": "object"}


def test_nullable_around_a_single_reference_is_kept() -> None:
    node: dict[str, Any] = {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Base"}]}
    flat: Any = flatten(document(body=node))
    assert schema_of(flat) == node


def test_allof_becomes_one_schema_with_everything_in_it() -> None:
    extra = {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}}}
    base = {"type": "object", "required": ["code"], "properties": {"code": {"type": "integer"}}}
    node = {"title": "Both", "allOf": [{"$ref": "#/components/schemas/Base"}, extra]}
    flat: Any = flatten(document(body=node, base=base))
    found = schema_of(flat)
    assert found.pop("required") == ["code", "data"]
    assert found == {
        "title": "Both",
        "type": "object",
        "properties": {"code": {"type": "integer"}, "data": {"type": "string"}},
    }


def test_a_single_reference_with_properties_beside_it_is_flattened() -> None:
    node = {"allOf": [{"$ref": "#/components/schemas/Base"}], "properties": {"data": {"type": "string"}}}
    flat: Any = flatten(document(body=node))
    assert list(schema_of(flat)["properties"]) == ["data", "code"]


def test_parts_of_an_allof_that_disagree_collide() -> None:
    part = {"type": "object", "properties": {"code": {"type": "string"}}}
    node = {"allOf": [{"$ref": "#/components/schemas/Base"}, part]}
    pointer = "#/paths/~1one/post/requestBody/content/application~1json/schema/properties/code/type"
    with pytest.raises(CollisionError, match=f"first: {pointer} is 'integer' before and 'string' here"):
        bundle({"first": document(body=node)})


def test_a_property_named_like_prose_collides_too() -> None:
    parts = [{"properties": {"description": {"type": kind}}} for kind in ("string", "integer")]
    with pytest.raises(CollisionError, match="properties/description/type"):
        bundle({"first": document(body={"allOf": parts})})


def test_a_reference_to_nothing_is_named() -> None:
    node = {"allOf": [{"$ref": "#/components/schemas/Gone"}, {"type": "object"}]}
    with pytest.raises(SourceError, match="first: #/components/schemas/Gone points to nothing"):
        bundle({"first": document(body=node)})


def test_components_that_differ_in_prose_only_are_one() -> None:
    bases = [
        {"type": "object", "description": text, "properties": {"code": {"type": "integer", "example": text}}}
        for text in ("one", "two")
    ]
    whole: Any = bundle({"a": document(base=bases[0]), "b": document(path="/two", base=bases[1])})
    assert whole["components"]["schemas"]["Base"] == bases[0]


def test_components_that_differ_in_meaning_collide() -> None:
    other = {"type": "object", "properties": {"code": {"type": "string"}}}
    message = "second: #/components/schemas/Base/properties/code/type is 'integer' before and 'string' here"
    with pytest.raises(CollisionError, match=message):
        bundle({"first": document(), "second": document(path="/two", base=other)})


def test_one_title_for_two_shapes_collides() -> None:
    other = {"type": "object", "title": "Ask", "properties": {"q": {"type": "string"}}}
    with pytest.raises(CollisionError, match="second: #/components/schemas/Ask/properties/p is only before"):
        bundle({"first": document(), "second": document(path="/two", body=other)})


def test_servers_that_differ_collide() -> None:
    with pytest.raises(CollisionError, match=r"second: #/servers is \[.*h\.example.*other\.example"):
        bundle(
            {
                "first": document(),
                "second": document(path="/two", servers=[{"url": "https://other.example"}]),
            }
        )


def test_answers_of_one_operation_must_agree() -> None:
    with pytest.raises(CollisionError, match="second: #/paths/~1one/post/responses/200"):
        bundle({"first": document(), "second": document(answer={"type": "string"})})


def test_bodies_of_one_operation_become_alternatives_in_order() -> None:
    names = ["Ask", "Tell", "Sing", "Tell"]
    bodies = [{"type": "object", "title": name, "properties": {name: {"type": "string"}}} for name in names]
    whole: Any = bundle({f"page {at}": document(body=body) for at, body in enumerate(bodies)})
    assert schema_of(whole) == {
        "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Ask", "Tell", "Sing")]
    }


def test_only_titles_that_name_a_model_stay() -> None:
    body = {"type": "object", "title": "Ask", "properties": {"p": {"type": "string", "title": "Prompt"}}}
    base = {"type": "object", "title": "Renamed", "properties": {"title": {"type": "string"}}}
    found: Any = lift(document(body=body, base=base))
    assert found["info"]["title"] == "/one"
    assert found["components"]["schemas"]["Ask"]["properties"] == {"p": {"type": "string"}}
    assert found["components"]["schemas"]["Base"] == {
        "type": "object",
        "properties": {"title": {"type": "string"}},
    }


def test_examples_are_data() -> None:
    example = {"type": "object", "title": "Ghost", "allOf": [{"$ref": "#/nowhere"}, {}]}
    whole: Any = bundle({"first": document(body={"type": "object", "example": example})})
    assert schema_of(whole)["example"] == example
    assert "Ghost" not in whole["components"]["schemas"]
