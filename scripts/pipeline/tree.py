"""JSON documents as trees: types, pointers, walks that know names from keywords, and sameness."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from pipeline.errors import SourceError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Tree: TypeAlias = "dict[str, Json]"

NAMES = frozenset({"properties", "paths", "schemas", "responses", "content", "securitySchemes"})
"""Keywords whose value maps free names: below ``properties``, a key "description" is a property."""

PROSE = frozenset({"description", "summary", "example", "examples"})
DATA = frozenset({"example", "examples", "default", "enum"})


def branch(node: Json) -> Tree:
    """The node if it is a map, else an empty one."""
    return node if isinstance(node, dict) else {}


def below(at: str, key: str | int) -> str:
    """The JSON pointer of ``key`` in the node at ``at``."""
    return f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}"


def find(document: Json, steps: Iterable[str | int]) -> Json:
    """The node that the steps lead to.

    Raises:
        LookupError: There is no such node.
    """
    node = document
    for step in steps:
        node = node[int(step)] if isinstance(node, list) else branch(node)[str(step)]
    return node


def resolve(document: Json, reference: str) -> Json:
    """The node that a local ``$ref`` points to.

    Raises:
        SourceError: There is no such node in this document.
    """
    start, *steps = reference.split("/")
    try:
        if start == "#":
            return find(document, [step.replace("~1", "/").replace("~0", "~") for step in steps])
    except (LookupError, ValueError):
        pass
    raise SourceError(f"{reference} points to nothing")


def rewrite(node: Json, change: Callable[[Tree, str], Json], *, at: str = "#", names: bool = False) -> Json:
    """A copy rebuilt from its leaves: ``change`` gets every map that is neither names nor data."""
    if isinstance(node, list):
        return [rewrite(item, change, at=below(at, index)) for index, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    rebuilt: Tree = {}
    for key, value in node.items():
        if key in DATA and not names:
            rebuilt[key] = value
        else:
            rebuilt[key] = rewrite(value, change, at=below(at, key), names=key in NAMES and not names)
    return rebuilt if names else change(rebuilt, at)


def meaning(node: Json, *, names: bool = False) -> Json:
    """A copy without prose."""
    if isinstance(node, list):
        return [meaning(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: meaning(value, names=key in NAMES and not names)
        for key, value in node.items()
        if names or key not in PROSE
    }


def same(one: Json, other: Json) -> bool:
    """Equal as JSON: the order of keys is nothing, but 1, 1.0 and true are three values."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def differences(before: Json, now: Json, *, at: str = "#") -> Iterator[str]:
    """Where two trees part, one line for each place."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            here = below(at, key)
            if key in before and key in now:
                yield from differences(before[key], now[key], at=here)
            else:
                yield f"{here} is only {'before' if key in before else 'here'}"
    elif not same(before, now):
        yield f"{at} is {before!r} before and {now!r} here"
