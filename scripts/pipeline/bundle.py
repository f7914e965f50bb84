"""Several mended documents become one: allOf flattened, titled schemas lifted, bodies joined, names compared.

This is mechanics and names no path and no schema; what is known of the service stands in the overlays.
"""

from collections.abc import Mapping
from copy import deepcopy

from pipeline.errors import CollisionError, PipelineError
from pipeline.tree import NAMES, PROSE, Json, Tree, below, branch, differences, meaning, resolve, rewrite

_SCHEMAS = "#/components/schemas"


def bundle(documents: Mapping[str, Tree]) -> Tree:
    """One document out of several, by name and in order: the first gives ``info`` and wins in prose.

    Raises:
        CollisionError: Servers, security, an operation or a component mean different things;
            the message names document and pointer, what was said before and what is said here.
        SourceError: A reference points to nothing.
    """
    whole: Tree = {}
    for name, document in documents.items():
        try:
            part = lift(flatten(document))
            part["info"] = whole.get("info", part.get("info"))
            _join_bodies(branch(whole.get("paths")), branch(part.get("paths")))
            unite(whole, part, depth=2)
        except PipelineError as error:
            raise type(error)(f"{name}: {error}") from None
    return whole


def flatten(document: Tree) -> Tree:
    """Replaces each allOf by one schema; around a single reference it only carries nullable, and stays."""

    def flat(node: Tree, at: str) -> Json:
        parts = node.pop("allOf", None)
        if not isinstance(parts, list):
            return node
        if len(parts) == 1 and "$ref" in branch(parts[0]) and meaning(node) in ({}, {"nullable": True}):
            return {**node, "allOf": parts}
        for part in parts:
            _absorb(node, _target(branch(part)), at)
        return node

    def _target(part: Tree) -> Tree:
        reference = part.get("$ref")
        if not isinstance(reference, str):
            return part
        return _target(branch(rewrite(resolve(document, reference), flat, at=reference)))

    return branch(rewrite(deepcopy(document), flat))


def _absorb(schema: Tree, part: Tree, at: str) -> None:
    """Both schemas hold: what one requires, both require."""
    theirs, ours = part.pop("required", []), schema.pop("required", [])
    unite(schema, part, at=at, depth=1)
    if isinstance(theirs, list) and isinstance(ours, list) and (theirs or ours):
        schema["required"] = [*ours, *(name for name in theirs if name not in ours)]


def untitled(document: Tree) -> Tree:
    """Drops the titles of schemas: the generator makes class names of them, and upstream may retouch them."""

    def drop(node: Tree, at: str) -> Json:
        if at != "#/info":
            node.pop("title", None)
        return node

    return branch(rewrite(deepcopy(document), drop))


def lift(document: Tree) -> Tree:
    """Moves every titled inline object to the components; nullable stays with the reference.

    Other titles go: the generator would make class names of them.
    """
    lifted: Tree = {}

    def name(node: Tree, at: str) -> Json:
        is_component = at.rpartition("/")[0] == _SCHEMAS
        title = None if at == "#/info" else node.pop("title", None)
        if at == "#/info" or is_component or node.get("type") != "object" or not isinstance(title, str):
            return node
        nullable = node.pop("nullable", False)
        unite(lifted, {title: node}, at=_SCHEMAS, depth=0, names=True)
        reference: Tree = {"$ref": below(_SCHEMAS, title)}
        return {"nullable": True, "allOf": [reference]} if nullable else reference

    whole = branch(rewrite(deepcopy(document), name))
    unite(whole, {"components": {"schemas": lifted}}, depth=2)
    return whole


def unite(whole: Tree, part: Tree, *, at: str = "#", depth: int, names: bool = False) -> None:
    """Adds new names, ``depth`` maps deep; a name that is there already must mean the same, prose apart.

    Raises:
        CollisionError: It does not; names the pointer of the first difference.
    """
    for key, value in part.items():
        here, names_below = below(at, key), key in NAMES and not names
        if key not in whole:
            whole[key] = value
        elif depth and isinstance(value, dict) and isinstance(old := whole[key], dict):
            unite(old, value, at=here, depth=depth - 1, names=names_below)
        elif names or key not in PROSE:
            meanings = [meaning(side[key], names=names_below) for side in (whole, part)]
            if found := next(differences(*meanings, at=here), None):
                raise CollisionError(found)


def _join_bodies(known: Tree, new: Tree) -> None:
    """One operation, several models: each document's body becomes a member of one oneOf in both."""
    for path, operations in new.items():
        for method, operation in branch(operations).items():
            ours, theirs = _body(branch(known.get(path)).get(method)), _body(operation)
            if not ours or not theirs:
                continue
            joined = _either(ours["schema"], theirs["schema"])
            ours["schema"] = theirs["schema"] = joined


def _either(one: Json, other: Json) -> Json:
    """A schema that allows both; the members of an earlier oneOf stay what they are, in order."""
    known = branch(one).get("oneOf")
    members: list[Json] = [*known] if isinstance(known, list) else [one]
    if other not in members:
        members.append(other)
    return {"oneOf": members} if len(members) > 1 else members[0]


def _body(operation: Json) -> Tree:
    """The media type of an operation's JSON body, or an empty map."""
    content = branch(branch(branch(operation).get("requestBody")).get("content"))
    return branch(content.get("application/json"))
