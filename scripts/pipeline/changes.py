"""What one changed keyword of an OpenAPI document means, and for whom: breaking, additive or prose.

Breaking: a request that was right may be refused, or an answer may lack what it promised. Additive: more is
allowed or promised. Prose: only people read it. A new word in an answer is additive, because the overlays
open the enums of answers. A limit that stands in a description is no prose.
"""

from collections.abc import Callable, Iterator
from typing import Literal

from attrs import frozen

from pipeline.stated import limits_stated, wider
from pipeline.tree import NAMES, Json, below, same

Kind = Literal["breaking", "additive", "prose"]
Verb = Literal["added", "removed", "changed", "renamed"]
Side = Literal["request", "response", "both"]

KINDS: tuple[Kind, ...] = ("breaking", "additive", "prose")

_PROSE = {"description", "summary", "title", "example", "examples", "externalDocs", "bearerFormat"}
_LABELS = {"operationId", "tags", "deprecated", "contact", "license", "termsOfService"}
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
_UPPER, _LOWER = {"maxLength", "maxItems", "maximum"}, {"minLength", "minItems", "minimum"}
SIDES: dict[str, Side] = {"requestBody": "request", "parameters": "request", "responses": "response"}


@frozen
class Change:
    """One difference.

    Attributes:
        pointer: Where, as a JSON pointer into the new document, or the old one if it is gone.
        before: What was there; of something renamed, its name.
        after: What is there now.
    """

    kind: Kind
    verb: Verb
    pointer: str
    before: Json = None
    after: Json = None


@frozen
class Place:
    """Where a walk is: the pointer, who sends what is found there, and whether keys are names."""

    at: str = "#"
    side: Side = "both"
    names: bool = False

    def step(self, key: str | int) -> "Place":
        """One key or index further."""
        at = below(self.at, key)
        if self.names:
            return Place(at, self.side)
        return Place(at, SIDES.get(str(key), self.side), names=key in NAMES)

    def added(self, after: Json, *, kind: Kind = "additive") -> Change:
        """This is new here."""
        return Change(kind, "added", self.at, after=after)

    def removed(self, before: Json, *, kind: Kind = "breaking") -> Change:
        """This was here."""
        return Change(kind, "removed", self.at, before=before)

    def changed(self, before: Json, after: Json, kind: Kind) -> Change:
        """This was here and is another now, perhaps None."""
        return Change(kind, "changed", self.at, before, after)


def _prose(old: Json, new: Json, place: Place) -> Iterator[Change]:
    """Prose, unless a limit that it states has changed."""
    before, after = limits_stated(old), limits_stated(new)
    if place.side == "response" or before == after:
        yield place.changed(old, new, "prose")
    else:
        yield place.changed(str(before), str(after), "additive" if wider(after, before) else "breaking")


def _label(old: Json, new: Json, place: Place) -> Iterator[Change]:
    yield place.changed(old, new, "additive")


def _version(old: Json, new: Json, place: Place) -> Iterator[Change]:
    """OpenAPI 3.1 says some things otherwise than 3.0; a third number says nothing."""
    alike = str(old).split(".")[:2] == str(new).split(".")[:2]
    yield place.changed(old, new, "prose" if alike or place.at == "#/info/version" else "breaking")


def _default(old: Json, new: Json, place: Place) -> Iterator[Change]:
    harmless = place.side == "response" or old is None
    yield place.changed(old, new, "additive" if harmless else "breaking")


def _nullable(old: Json, new: Json, place: Place) -> Iterator[Change]:
    """In an answer additive too: the overlays make every field of an answer nullable."""
    harmless = bool(new) or place.side == "response"
    yield place.changed(old, new, "additive" if harmless else "breaking")


def _enum(old: Json, new: Json, place: Place) -> Iterator[Change]:
    if not isinstance(old, list) or not isinstance(new, list):
        opened = not isinstance(new, list) or place.side == "response"
        yield place.changed(old, new, "additive" if opened else "breaking")
        return
    if lost := _without(old, new):
        yield place.removed(lost)
    if won := _without(new, old):
        yield place.added(won)


def _required(old: Json, new: Json, place: Place) -> Iterator[Change]:
    if isinstance(old, bool) or isinstance(new, bool):
        yield place.changed(old, new, "breaking" if new else "additive")
        return
    before, after = (side if isinstance(side, list) else [] for side in (old, new))
    if lost := _without(before, after):
        yield place.removed(lost, kind="additive" if place.side == "request" else "breaking")
    if won := _without(after, before):
        yield place.added(won, kind="additive" if place.side == "response" else "breaking")


def _limit(old: Json, new: Json, place: Place) -> Iterator[Change]:
    """Only who sends must keep within a limit."""
    numbers = [bound if isinstance(bound, int | float) else None for bound in (old, new)]
    before, after = numbers
    is_upper = place.at.rpartition("/")[2] in _UPPER
    looser = after is None or (before is not None and (after > before) == is_upper)
    yield place.changed(old, new, "additive" if looser or place.side == "response" else "breaking")


RULES: dict[str, Callable[[Json, Json, Place], Iterator[Change]]] = {
    **dict.fromkeys(_PROSE, _prose),
    **dict.fromkeys(_LABELS, _label),
    **dict.fromkeys(_UPPER | _LOWER, _limit),
    **dict.fromkeys(("openapi", "version"), _version),
    "default": _default,
    "nullable": _nullable,
    "enum": _enum,
    "required": _required,
}


def came_or_went(key: str, old: Json, new: Json, place: Place, *, came: bool) -> Change:
    """A keyword on one side only: it narrows what it stands in, or names something."""
    if came:
        harmless = key in _METHODS or key == "components" or place.side == "response"
        return place.added(new, kind="additive" if harmless else "breaking")
    is_constraint = place.side == "request" and key not in {"type", "requestBody", "parameters"}
    return place.removed(old, kind="additive" if is_constraint else "breaking")


def _without(values: list[Json], others: list[Json]) -> list[Json]:
    return [value for value in values if not any(same(value, other) for other in others)]
