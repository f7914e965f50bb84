"""The public API changes only on purpose."""

from __future__ import annotations

from pathlib import Path

import api
import pytest

PACKAGE = """
from pkg._parts import Thing
__all__ = ["Thing", "act"]
def act(a: int, *, b: str = "x") -> None: ...
"""
PARTS = """
class _Base:
    def inherited(self) -> int: ...
class Thing(_Base):
    size: int = 3
    def __init__(self, size: int) -> None:
        self.seen = size
    async def grow(self, by: float = 1.0) -> None: ...
    def _hidden(self) -> None: ...
"""


def describe(folder: Path, package: str = PACKAGE, parts: str = PARTS) -> str:
    (folder / "pkg").mkdir(exist_ok=True)
    (folder / "pkg" / "__init__.py").write_text(package)
    (folder / "pkg" / "_parts.py").write_text(parts)
    return api.describe(("pkg",), search=folder)


def test_the_snapshot_is_what_the_code_says() -> None:
    changes = api.difference(api.SNAPSHOT.read_text(), api.describe(api.PACKAGES, search=api.ROOT))
    assert not changes, f"{changes}\nIf that is meant: python scripts/api.py"


def test_every_public_name_has_its_line_and_no_private_one(tmp_path: Path) -> None:
    assert describe(tmp_path).splitlines() == [
        "# pkg",
        "class Thing(_Base)",
        "Thing(size: int)",
        "async Thing.grow(by: float = 1.0) -> None",
        "Thing.inherited() -> int",
        "Thing.seen",
        "Thing.size: int = 3",
        "act(a: int, *, b: str = 'x') -> None",
        "",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('b: str = "x"', 'b: str = "y"'),
        ("a: int, *,", "a: int,"),
        ("a: int", "a: float"),
        ("-> None", "-> int"),
        ("by: float = 1.0", "by: float"),
        ("async def grow", "def grow"),
        ("class Thing(_Base)", "class Thing"),
        ("size: int = 3", "size: int = 4"),
        ("def inherited", "def renamed"),
        ("__init__(self, size: int)", "__init__(self, size: int, *more: int)"),
    ],
)
def test_a_change_of_anything_public_is_noticed(tmp_path: Path, old: str, new: str) -> None:
    before = describe(tmp_path)
    assert old in PACKAGE + PARTS
    after = describe(tmp_path, PACKAGE.replace(old, new), PARTS.replace(old, new))
    assert api.difference(before, after)


def test_a_change_of_what_is_private_is_not(tmp_path: Path) -> None:
    before = describe(tmp_path)
    assert describe(tmp_path, parts=PARTS.replace("_hidden(self)", "_hidden(self, x: int)")) == before


@pytest.mark.parametrize("package", ["x = 1", '__all__ = ["gone"]'])
def test_a_package_that_does_not_say_what_is_public_is_refused(tmp_path: Path, package: str) -> None:
    with pytest.raises(ValueError, match="__all__"):
        describe(tmp_path, package)
