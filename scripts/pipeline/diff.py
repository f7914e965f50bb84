"""Two OpenAPI documents side by side: every change between them, each named once."""

from collections.abc import Iterator
from typing import Literal

from attrs import evolve, field, frozen

from pipeline.bundle import flatten
from pipeline.changes import KINDS, RULES, SIDES, Change, Kind, Place, Side, came_or_went
from pipeline.tree import NAMES, Json, Tree, branch, meaning, resolve, same

_SCHEMAS = "#/components/schemas/"


def compare(before: Tree, after: Tree) -> list[Change]:
    """All changes, the breaking ones first, each named once.

    Raises:
        PipelineError: One of the documents contradicts itself or points to nothing.
    """
    walk = _Walk(flatten(before), flatten(after), sides=_component_sides(before, after))
    changes = _each_once(list(walk.node(walk.old, walk.new, Place())))
    return sorted(changes, key=lambda change: KINDS.index(change.kind))


def kind_of(changes: list[Change]) -> Kind | Literal["same"]:
    """The gravest kind, or ``same`` if there are none."""
    kinds = {change.kind for change in changes}
    for kind in KINDS:
        if kind in kinds:
            return kind
    return "same"


@frozen
class _Walk:
    """Both documents side by side."""

    old: Tree
    new: Tree
    sides: dict[str, Side] = field(factory=dict[str, Side])

    def node(self, old: Json, new: Json, place: Place) -> Iterator[Change]:
        """Two values that are both there."""
        if isinstance(old, dict) and isinstance(new, dict):
            old, new = self._followed(old, new)
            place = evolve(place, side=self.sides.get(place.at, place.side))
            if place.names:
                yield from self._named(old, new, place)
            else:
                for key in dict.fromkeys([*old, *new]):
                    yield from self._keyword(key, old, new, place)
        elif isinstance(old, list) and isinstance(new, list) and _maps(old) and _maps(new):
            yield from self._items(old, new, place, grows="additive", shrinks="breaking")
        elif not same(old, new):
            yield place.changed(old, new, "breaking")

    def _followed(self, old: Tree, new: Tree) -> tuple[Tree, Tree]:
        """What a reference names in place of the reference, unless both have the same."""
        if old.get("$ref") == new.get("$ref"):
            return old, new
        pair = [
            branch(resolve(document, str(node["$ref"]))) if "$ref" in node else node
            for document, node in ((self.old, old), (self.new, new))
        ]
        return pair[0], pair[1]

    def _named(self, old: Tree, new: Tree, place: Place) -> Iterator[Change]:
        won = [key for key in new if key not in old]
        for key in old:
            if key in new:
                yield from self.node(old[key], new[key], place.step(key))
            elif heir := next((name for name in won if same(meaning(old[key]), meaning(new[name]))), None):
                won.remove(heir)
                yield Change("breaking", "renamed", place.step(key).at, key, heir)
            else:
                yield place.step(key).removed(old[key])
        yield from (place.step(key).added(new[key]) for key in won)

    def _keyword(self, key: str, before: Tree, after: Tree, place: Place) -> Iterator[Change]:
        if key in before and key in after and same(before[key], after[key]):
            return
        old, new, here = before.get(key), after.get(key), place.step(key)
        if rule := RULES.get(key):
            yield from rule(old, new, here)
        elif key == "parameters" and _maps(old or []) and _maps(new or []):
            yield from self._parameters(old, new, here)
        elif key in {"oneOf", "anyOf"} and isinstance(old, list) and isinstance(new, list):
            more: Kind = "breaking" if place.side == "response" else "additive"
            less: Kind = "additive" if place.side == "response" else "breaking"
            yield from self._items(old, new, here, grows=more, shrinks=less)
        elif key in NAMES:
            yield from self.node(branch(old), branch(new), here)
        elif key.startswith("x-"):
            yield here.changed(old, new, "prose")
        elif key in before and key in after:
            yield from self.node(old, new, here)
        else:
            yield came_or_went(key, old, new, here, came=key in after)

    def _items(
        self, old: list[Json], new: list[Json], place: Place, *, grows: Kind, shrinks: Kind
    ) -> Iterator[Change]:
        for index, (ours, theirs) in enumerate(zip(old, new, strict=False)):
            yield from self.node(ours, theirs, place.step(index))
        for index in range(len(new), len(old)):
            yield place.step(index).removed(old[index], kind=shrinks)
        for index in range(len(old), len(new)):
            yield place.step(index).added(new[index], kind=grows)

    def _parameters(self, old: Json, new: Json, place: Place) -> Iterator[Change]:
        """By name, for their order says nothing."""
        before, after = _by_name(old), _by_name(new)
        for name, (index, parameter) in before.items():
            if name in after:
                yield from self.node(parameter, after[name][1], place.step(after[name][0]))
            else:
                yield place.step(index).removed(parameter)
        for name, (index, parameter) in after.items():
            if name not in before:
                needed = parameter.get("required") is True
                yield place.step(index).added(parameter, kind="breaking" if needed else "additive")


def _maps(node: Json) -> bool:
    return isinstance(node, list) and all(isinstance(item, dict) for item in node)


def _by_name(parameters: Json) -> dict[str, tuple[int, Tree]]:
    rows = [branch(row) for row in parameters] if isinstance(parameters, list) else []
    return {f"{row.get('in')} {row.get('name')} {row.get('$ref')}": (at, row) for at, row in enumerate(rows)}


def _component_sides(*documents: Tree) -> dict[str, Side]:
    """For each component, whether requests use it, answers do, or both."""
    uses: dict[str, set[Side]] = {}

    def visit(node: Json, document: Tree, side: Side) -> None:
        for key, value in node.items() if isinstance(node, dict) else ():
            if key != "$ref":
                visit(value, document, SIDES.get(key, side))
            elif isinstance(value, str) and side not in uses.setdefault(value, set()):
                uses[value].add(side)
                visit(resolve(document, value), document, side)
        for item in node if isinstance(node, list) else ():
            visit(item, document, side)

    for document in documents:
        visit(document.get("paths"), document, "both")
    return {pointer: sides.pop() for pointer, sides in uses.items() if len(sides) == 1}


def _each_once(changes: list[Change]) -> list[Change]:
    """A change in a component shows wherever flattening has copied it: it is named there only."""
    origins = [change for change in changes if change.pointer.startswith(_SCHEMAS)]

    def is_copy(change: Change) -> bool:
        return any(
            change.pointer.endswith("/" + origin.pointer.removeprefix(_SCHEMAS).partition("/")[2])
            and same([change.before, change.after], [origin.before, origin.after])
            for origin in origins
            if "/" in origin.pointer.removeprefix(_SCHEMAS)
        )

    return [change for change in changes if change in origins or not is_copy(change)]
