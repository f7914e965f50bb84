"""Limits that stand in a description only: media types and the largest size."""

import re

from attrs import frozen

from pipeline.tree import Json

_TYPE = re.compile(r"\b(?:image|video|audio)/[a-z0-9.+-]*[a-z0-9]")
_SIZE = re.compile(r"([\d.]*\d) ?(KB|MB|GB)\b")
_BYTES = {"KB": 1e3, "MB": 1e6, "GB": 1e9}


@frozen
class Stated:
    """What a description allows.

    Attributes:
        types: Media types; empty if none is named.
        size: Bytes; None if no size is named.
    """

    types: frozenset[str]
    size: float | None

    def __str__(self) -> str:
        """For people."""
        size = "any size" if self.size is None else f"{self.size / 1e6:g} MB"
        return f"{', '.join(sorted(self.types)) or 'any type'}; {size}"


def limits_stated(prose: Json) -> Stated:
    """The limits in a description; in anything else none."""
    text = prose if isinstance(prose, str) else ""
    sizes = [float(number) * _BYTES[unit] for number, unit in _SIZE.findall(text)]
    return Stated(types=frozenset(_TYPE.findall(text)), size=min(sizes, default=None))


def wider(one: Stated, other: Stated) -> bool:
    """Whether everything that ``other`` allows is allowed by ``one``."""
    types = not one.types or (bool(other.types) and one.types >= other.types)
    size = one.size is None or (other.size is not None and one.size >= other.size)
    return types and size
