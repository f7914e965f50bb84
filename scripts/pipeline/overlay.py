"""OpenAPI Overlay 1.0 with a guard: an action changes only what it says it expects to find.

1. A target selects one node, or what ``x-matches`` says: a number, or ``some`` for a wildcard.
2. ``x-expects`` is matched by the keys it names in maps, exactly in lists and scalars.
3. Whatever is removed, overwritten or appended to must be named in ``x-expects``; additions need none.
4. What the document already says is stale.
5. An update adds maps only directly under its target: a deep merge would invent what upstream renamed.
"""

from collections.abc import Iterator
from copy import deepcopy

from attrs import field, frozen, validators
from jsonpath import JSONPathError
from jsonpath import compile as compile_path

from pipeline.errors import OverlayError, StaleActionError
from pipeline.tree import Json, Tree, below, branch, find, meaning, same

_KNOWN = {"target", "description", "update", "remove", "x-name", "x-reason", "x-expects", "x-matches"}


@frozen(kw_only=True)
class Action:
    """One departure from upstream: where, what, why, and what it relies on."""

    name: str = field(validator=validators.min_len(1))
    reason: str = field(validator=validators.min_len(1))
    target: str = field(validator=validators.min_len(1))
    update: Json
    remove: bool
    expects: Json
    matches: int | str


def read_actions(overlay: Tree) -> list[Action]:
    """The overlay's actions, in order.

    Raises:
        OverlayError: A field is missing, empty or unknown; an unknown ``x-expect`` would disarm the guard.
    """
    title = branch(overlay.get("info")).get("title")
    rows = overlay.get("actions")
    if not isinstance(title, str) or not isinstance(rows, list) or not rows:
        raise OverlayError("an overlay needs info.title and a list of actions")
    return [_read_action(branch(row), title) for row in rows]


def _read_action(row: Tree, title: str) -> Action:
    name = f"{title}/{row.get('x-name', '?')}"
    if unknown := row.keys() - _KNOWN:
        raise OverlayError(f"{name}: unknown fields {sorted(unknown)}")
    if missing := {"x-name", "x-reason", "target"} - row.keys():
        raise OverlayError(f"{name}: missing fields {sorted(missing)}")
    remove = row.get("remove", False)
    if not isinstance(remove, bool) or remove == ("update" in row):
        raise OverlayError(f"{name}: needs either update or remove: true")
    matches = row.get("x-matches", 1)
    if matches != "some" and not (isinstance(matches, int) and matches > 0):
        raise OverlayError(f"{name}: x-matches is a number above 0 or some, not {matches!r}")
    try:
        return Action(
            name=name,
            reason=str(row["x-reason"]),
            target=str(row["target"]),
            update=row.get("update"),
            remove=remove,
            expects=row.get("x-expects"),
            matches=matches if isinstance(matches, int) else "some",
        )
    except ValueError as error:
        raise OverlayError(f"{name}: {error}") from None


def apply(overlay: Tree, document: Tree) -> Tree:
    """The mended copy of the document.

    Raises:
        OverlayError: The overlay is not written as the guard wants it.
        StaleActionError: The document is not what an action expects; the message names
            the action, where, what was expected and what was found.
    """
    mended, stale = attempt(overlay, document)
    if stale:
        raise stale[0]
    return mended


def attempt(overlay: Tree, document: Tree) -> tuple[Tree, list[StaleActionError]]:
    """The copy mended by every action that still holds, and a complaint for each that is stale.

    Raises:
        OverlayError: The overlay is not written as the guard wants it.
    """
    mended, complaints = deepcopy(document), list[StaleActionError]()
    for action in read_actions(overlay):
        try:
            _apply_action(action, mended)
        except StaleActionError as stale:
            complaints.append(StaleActionError(f"{action.name} ({action.target}): {stale}"))
        except JSONPathError as error:
            raise OverlayError(f"{action.name}: {action.target} is no JSONPath: {error}") from None
    return mended, complaints


def _apply_action(action: Action, document: Tree) -> None:
    places = [match.parts for match in compile_path(action.target, strict=True).finditer(document)]
    if not places or action.matches not in (len(places), "some"):
        raise StaleActionError(f"expected {action.matches} match, found {len(places)}")
    if complaints := [line for place in places for line in _complaints(action, find(document, place))]:
        raise StaleActionError("; ".join(complaints))
    for place in reversed(places):  # removing an item must not move those still to come
        found = find(document, place)
        if action.remove:
            _remove(document, place)
        elif isinstance(found, list):
            found.append(deepcopy(action.update))
        else:
            _merge(branch(found), branch(deepcopy(action.update)))


def _complaints(action: Action, found: Json) -> Iterator[str]:
    if action.expects is not None:
        yield from _misses(action.expects, found)
    if action.remove or isinstance(found, list):
        yield from _unnamed(meaning(found), action.expects)
        if isinstance(found, list) and not action.remove and action.update in found:
            yield f"{action.update!r} is there already"
    elif isinstance(found, dict) and isinstance(action.update, dict):
        yield from _surprises(action.update, found, branch(action.expects))
    else:
        yield f"{found!r} cannot be updated by {action.update!r}: target the map that holds it"


def _misses(expected: Json, found: Json, at: str = "") -> Iterator[str]:
    """Maps by the named keys, so that prose beside them may change; all else exactly."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key in found:
                yield from _misses(value, found[key], below(at, key))
            else:
                yield f"{below(at, key)} expected {value!r}, found nothing"
    elif not same(expected, found):
        yield f"{at or '/'} expected {expected!r}, found {found!r}"


def _unnamed(found: Json, expects: Json, at: str = "") -> Iterator[str]:
    """What would go, or be appended to, without having been named."""
    if isinstance(found, dict) and isinstance(expects, dict):
        for key, value in found.items():
            yield from _unnamed(value, expects.get(key), below(at, key))
    elif expects is None:
        yield f"{at or '/'} would be changed without x-expects, found {found!r}"


def _surprises(update: Tree, found: Tree, expects: Tree, at: str = "") -> Iterator[str]:
    for key, value in update.items():
        here = below(at, key)
        if key not in found:
            if at and isinstance(value, dict):
                yield f"{here} would be invented: target its parent to add it"
        elif isinstance(value, dict) and isinstance(old := found[key], dict):
            yield from _surprises(value, old, branch(expects.get(key)), here)
        else:
            yield from _overwritten(value, found[key], here, named=key in expects)


def _overwritten(new: Json, old: Json, at: str, *, named: bool) -> Iterator[str]:
    if not named:
        yield f"{at} would be changed without x-expects, found {old!r}"
    elif isinstance(old, dict | list) and type(old) is not type(new):
        yield f"{at} cannot be merged into {type(old).__name__}"
    elif same(old, new) or (
        isinstance(old, list) and isinstance(new, list) and any(item in old for item in new)
    ):
        yield f"{at} is {old!r} already"


def _merge(target: Tree, update: Tree) -> None:
    for key, value in update.items():
        old = target.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            _merge(old, value)
        elif isinstance(value, list) and isinstance(old, list):
            old.extend(value)
        else:
            target[key] = value


def _remove(document: Tree, place: tuple[str | int, ...]) -> None:
    if not place:
        raise StaleActionError("the root cannot be removed")
    parent, last = find(document, place[:-1]), place[-1]
    if isinstance(parent, list):
        del parent[int(last)]
    else:
        del branch(parent)[str(last)]
