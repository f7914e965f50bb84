"""The package ``kling_api``: written by the generator, finished by us, compared byte for byte."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.errors import GeneratorError, ToolError
from pipeline.tree import Tree

PACKAGE = "kling_api"
_GENERATOR = "openapi-python-client"
_SETTINGS = Path(__file__).with_name("generator.yaml")


def check_tools(pins: Mapping[str, str], *, scripts: Path) -> None:
    """Makes sure that the pinned tools, and no others, are there: another version writes other bytes.

    Args:
        pins: Version by distribution name.
        scripts: The folder with the commands of this Python environment.

    Raises:
        ToolError: One is missing or has another version.
    """
    for tool, pin in pins.items():
        try:
            found = version(tool)
        except PackageNotFoundError:
            raise ToolError(f"{tool} {pin} is not installed in this Python environment") from None
        if found != pin:
            raise ToolError(f"{tool} is pinned to {pin} in openapi/sources.toml, installed is {found}")
        if shutil.which(tool, path=str(scripts)) is None:
            raise ToolError(f"the command {tool} is missing beside {Path(sys.executable).name}")


def write_package(document: Tree, folder: Path, *, scripts: Path) -> None:
    """Writes ``kling_api`` into an existing folder, with the document it comes from and ``py.typed``.

    Args:
        document: The bundled document.
        folder: Where the package goes; it must not hold one yet.
        scripts: The folder with the commands of this Python environment, absolute.

    Raises:
        GeneratorError: The generator refused the document or warned about it.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    source = folder / "openapi.json"
    source.write_bytes(text.encode())
    command = [
        str(shutil.which(_GENERATOR, path=str(scripts))),
        "generate",
        "--fail-on-warning",
        "--meta",
        "none",
    ]
    command += ["--config", str(_SETTINGS), "--path", str(source), "--output-path", str(folder / PACKAGE)]
    search = os.pathsep.join([str(scripts), os.environ.get("PATH", "")])
    run = subprocess.run(
        command, env={**os.environ, "PATH": search}, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise GeneratorError(f"{_GENERATOR} stopped:\n{run.stdout}{run.stderr}".rstrip())
    source.rename(folder / PACKAGE / source.name)
    (folder / PACKAGE / "py.typed").touch()


def replace_package(new: Path, old: Path) -> None:
    """Puts the package in the folder ``new`` where the one in the folder ``old`` is."""
    shutil.rmtree(old / PACKAGE, ignore_errors=True)
    shutil.copytree(new / PACKAGE, old / PACKAGE)


def compare(expected: Path, found: Path) -> Iterator[str]:
    """One line for each file that is missing, needless, or not the same byte for byte."""
    ours, theirs = _contents(expected), _contents(found)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            yield f"{name} is missing"
        elif name not in ours:
            yield f"{name} is not written by the generator"
        elif ours[name] != theirs[name]:
            yield f"{name} differs from line {_first_difference(ours[name], theirs[name])} on"


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _first_difference(ours: bytes, theirs: bytes) -> int:
    pairs = zip(ours.splitlines(keepends=True), theirs.splitlines(keepends=True), strict=False)
    same = [one == other for one, other in pairs]
    return (same.index(False) if False in same else len(same)) + 1
