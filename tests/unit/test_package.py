"""What is installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_both_packages_and_their_types(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {"kling_facade/py.typed", "kling_api/py.typed", "kling_api/openapi.json"} <= names
    sources = {
        str(path.relative_to(base))
        for base in (ROOT, ROOT / "generated")
        for path in (base / ("kling_facade" if base is ROOT else "kling_api")).rglob("*.py")
    }
    assert sources <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"kling_facade", "kling_api"}


def test_the_core_needs_three_packages(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    needs = message_from_bytes(wheel.read(metadata)).get_all("Requires-Dist", [])
    core = {
        need.split(">")[0].split("<")[0].split("=")[0].strip() for need in needs if "extra ==" not in need
    }
    assert core == {"httpx", "attrs", "python-dateutil"}
