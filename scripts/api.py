"""The public API as text, held to a committed snapshot: changing it is meant, and shows in the diff.

``python scripts/api.py`` writes the snapshot, ``--check`` compares.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOT = ROOT / "docs" / "api.txt"
PACKAGES = ("kling_facade", "kling_facade.callbacks", "kling_facade.sandbox")
_SPECIAL = {"__enter__", "__aenter__", "__call__", "__iter__", "__await__"}  # part of what is promised


def describe(packages: tuple[str, ...], *, search: Path) -> str:
    """Every public name of the packages with its signature, a line each, in order.

    Args:
        packages: names of packages with an ``__all__``.
        search: the folder that holds them; nothing is imported.

    Raises:
        ValueError: a package without ``__all__``, or a name in it that leads nowhere.
    """
    loader = griffe.GriffeLoader(search_paths=[search], allow_inspection=False)
    for package in {name.partition(".")[0] for name in packages}:
        loader.load(package)
    loader.resolve_aliases(external=False)
    return "\n".join(line for name in packages for line in _package(loader.modules_collection[name])) + "\n"


def _package(module: griffe.Object) -> Iterator[str]:
    if not module.exports:
        raise ValueError(f"{module.path} has no __all__")
    yield f"# {module.path}"
    for name in sorted(str(export) for export in module.exports):
        if name not in module.members:
            raise ValueError(f"{module.path}.{name} is in __all__ and nowhere else")
        yield from _lines(name, _target(module.members[name]))
    yield ""


def _lines(name: str, found: griffe.Object) -> Iterator[str]:
    if isinstance(found, griffe.Class):
        bases = ", ".join(str(base) for base in found.bases)
        yield f"class {name}({bases})" if bases else f"class {name}"
        if "__init__" in found.members:
            yield f"{name}{_parameters(found.parameters)}"
        for member_name, member in sorted(_members(found).items()):
            if not member_name.startswith("_") or member_name in _SPECIAL:
                yield from _lines(f"{name}.{member_name}", _target(member))
    elif isinstance(found, griffe.Function):
        kind = "async " if "async" in found.labels else ""
        returns = f" -> {found.returns}" if found.returns is not None else ""
        yield f"{kind}{name}{_parameters(found.parameters, method='.' in name)}{returns}"
    elif isinstance(found, griffe.Attribute):
        annotation = f": {found.annotation}" if found.annotation is not None else ""
        has_value = found.value is not None and "class-attribute" in found.labels
        yield name + annotation + (f" = {found.value}" if has_value else "")


def _members(found: griffe.Class) -> dict[str, griffe.Object | griffe.Alias]:
    """Its own, and those of bases that have no public name and so no lines of their own."""
    hidden = [base for base in found.mro() if base.name.startswith("_")]
    return {name: member for owner in (*reversed(hidden), found) for name, member in owner.members.items()}


def _parameters(parameters: griffe.Parameters, *, method: bool = True) -> str:
    listed = list(parameters)
    if method and listed and listed[0].name in ("self", "cls"):
        listed = listed[1:]
    words: list[str] = []
    keyword_only = False
    for parameter in listed:
        if parameter.kind is griffe.ParameterKind.keyword_only and not keyword_only:
            keyword_only = True
            words.append("*")
        words.append(_parameter(parameter))
    return f"({', '.join(words)})"


def _parameter(parameter: griffe.Parameter) -> str:
    stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}
    text = stars.get(parameter.kind or griffe.ParameterKind.keyword_only, "") + parameter.name
    if parameter.annotation is not None:
        text += f": {parameter.annotation}"
    if parameter.default is not None and parameter.kind not in stars:
        text += f" = {parameter.default}"
    return text


def _target(found: griffe.Object | griffe.Alias) -> griffe.Object:
    return found.final_target if isinstance(found, griffe.Alias) else found


def difference(old: str, new: str) -> str:
    """What has changed, as a unified diff; "" for nothing."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "snapshot", "code", lineterm="")
    return "\n".join(lines)


def main() -> int:
    """Writes the snapshot, or says how the code departs from it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it is out of date")
    check = parser.parse_args().check
    text = describe(PACKAGES, search=ROOT)
    if not check:
        SNAPSHOT.write_text(text)
        return 0
    changes = difference(SNAPSHOT.read_text(), text)
    if changes:
        print(changes, "\nThe public API has changed. If that is meant: python scripts/api.py", sep="\n")
    return bool(changes)


if __name__ == "__main__":
    sys.exit(main())
