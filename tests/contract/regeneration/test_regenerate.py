"""The committed client is what the documents give; whatever differs is named, with the way on."""

import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest

from pipeline.errors import GeneratorError, ToolError
from pipeline.package import check_tools, write_package
from pipeline.sources import read_sources

ROOT = Path(__file__).parents[3]
SCRIPTS = Path(sys.executable).absolute().parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what regeneration reads and writes."""
    for folder in ("openapi", "generated", "scripts"):
        copytree(ROOT / folder, tmp_path / folder, ignore=ignore_patterns("__pycache__"))
    return tmp_path


def regenerate(checkout: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / "scripts/regenerate.py"), *options]
    return subprocess.run(command, cwd=checkout.parent, capture_output=True, text=True, check=False)


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_check_passes_on_what_is_committed() -> None:
    run = regenerate(ROOT, "--check")
    assert (run.returncode, run.stderr) == (0, "")


def test_check_names_files_that_differ_are_missing_or_are_not_generated(checkout: Path) -> None:
    package = checkout / "generated/kling_api"
    flip_a_byte(package / "models/task_record.py")
    (package / "py.typed").unlink()
    (package / "models/extra.py").touch()
    run = regenerate(checkout, "--check")
    assert run.returncode == 1
    assert "generated/kling_api/models/task_record.py differs from line" in run.stderr
    assert "generated/kling_api/py.typed is missing" in run.stderr
    assert "generated/kling_api/models/extra.py is not written by the generator" in run.stderr
    assert "Remedy: run scripts/regenerate.py" in run.stderr


def test_regenerate_mends_what_check_found(checkout: Path) -> None:
    package = checkout / "generated/kling_api"
    flip_a_byte(package / "models/task_record.py")
    (package / "models/extra.py").touch()
    assert regenerate(checkout).returncode == 0
    mended = {path.relative_to(package): path.read_bytes() for path in package.rglob("*") if path.is_file()}
    original = ROOT / "generated/kling_api"
    assert mended == {
        path.relative_to(original): path.read_bytes()
        for path in original.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("name", ["market/kling/image-to-video.json", "market/common/get-task-detail.json"])
def test_one_changed_byte_of_a_vendored_document_is_named(checkout: Path, name: str) -> None:
    path = checkout / "openapi" / name
    path.write_bytes(path.read_bytes().replace(b"Support", b"support"))  # reaches no line of code
    run = regenerate(checkout, "--check")
    assert run.returncode == 1
    assert f"{name}: recorded sha256" in run.stderr
    assert "Remedy: restore the file" in run.stderr


def test_check_sees_output_that_depends_on_hashing(checkout: Path) -> None:
    edit(
        checkout / "scripts/pipeline/package.py",
        '"py.typed").touch()',
        '"py.typed").write_text(str(hash("x")))',
    )
    run = regenerate(checkout, "--check")
    assert run.returncode == 1
    assert "two runs differ" in run.stderr
    assert "kling_api/py.typed" in run.stderr


def test_a_stale_action_stops_regeneration_and_leaves_the_package(checkout: Path) -> None:
    edit(
        checkout / "openapi/overlays/get-task-detail.overlay.yaml", "https://api.kie.ai", "https://h.example"
    )
    before = (checkout / "generated/kling_api/openapi.json").stat()
    run = regenerate(checkout)
    assert run.returncode == 1
    assert "get-task-detail/host ($.servers[0]): /url expected 'https://h.example'" in run.stderr
    assert "Remedy: look up the target in the vendored document" in run.stderr
    assert (checkout / "generated/kling_api/openapi.json").stat() == before


def test_an_action_that_matches_nothing_stops_regeneration(checkout: Path) -> None:
    edit(checkout / "openapi/overlays/get-task-detail.overlay.yaml", "$.servers[0]", "$.servers[3]")
    run = regenerate(checkout)
    assert run.returncode == 1
    assert "get-task-detail/host ($.servers[3]): expected 1 match, found 0" in run.stderr
    assert "Remedy: look up the target in the vendored document" in run.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sources.toml", "documents = 1", "sources.toml: "),
        ("sources.toml", None, "sources.toml: No such file"),
        ("overlays/every.overlay.yaml", "a: [", "overlays/every.overlay.yaml: "),
        ("market/kling/image-to-video.json", None, "image-to-video.json: No such file"),
    ],
)
def test_an_unreadable_file_is_named(checkout: Path, name: str, content: str | None, message: str) -> None:
    path = checkout / "openapi" / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    run = regenerate(checkout)
    assert run.returncode == 1
    assert message in run.stderr
    assert "Traceback" not in run.stderr


def test_another_version_of_a_tool_is_refused(checkout: Path) -> None:
    pins = read_sources(ROOT / "openapi").tools
    assert set(pins) == {"openapi-python-client", "ruff"}
    edit(checkout / "openapi/sources.toml", f'ruff = "{pins["ruff"]}"', 'ruff = "0.0.1"')
    run = regenerate(checkout)
    assert run.returncode == 1
    assert f"ruff is pinned to 0.0.1 in openapi/sources.toml, installed is {pins['ruff']}" in run.stderr
    assert "Remedy: install the pinned tools" in run.stderr


def test_the_development_extra_installs_the_pinned_tools() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = {f"{tool}=={pin}" for tool, pin in read_sources(ROOT / "openapi").tools.items()}
    assert pins <= set(project["optional-dependencies"]["dev"])


def test_a_missing_command_is_refused(tmp_path: Path) -> None:
    (tmp_path / "openapi-python-client").touch(mode=0o755)
    with pytest.raises(ToolError, match="the command ruff is missing beside python") as caught:
        check_tools(read_sources(ROOT / "openapi").tools, scripts=tmp_path)
    assert "install the pinned tools" in caught.value.remedy


def test_a_missing_distribution_is_refused() -> None:
    with pytest.raises(ToolError, match="no-such-tool 7 is not installed"):
        check_tools({"no-such-tool": "7"}, scripts=SCRIPTS)


def test_a_generator_warning_is_an_error(tmp_path: Path) -> None:
    document: Any = read_sources(ROOT / "openapi").bundled()
    document["components"]["schemas"]["Odd"] = {"type": "object", "properties": {"x": {"$ref": "#/nowhere"}}}
    with pytest.raises(GeneratorError, match=r"openapi-python-client stopped:(.|\n)*Odd") as caught:
        write_package(document, tmp_path, scripts=SCRIPTS)
    assert "mend it by an action in openapi/overlays" in caught.value.remedy


def test_the_output_does_not_depend_on_the_folders_around_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "ruff.toml").write_text("line-length = 40\n")
    (tmp_path / "build").mkdir()
    write_package(read_sources(ROOT / "openapi").bundled(), tmp_path / "build", scripts=SCRIPTS)
    for name in ("models/task_record.py", "client.py"):
        written = tmp_path / "build/kling_api" / name
        assert written.read_bytes() == (ROOT / "generated/kling_api" / name).read_bytes()
