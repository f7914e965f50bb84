"""A sibling page comes in by its document, its overlay and a row: no Python, and no name changes."""

from hashlib import sha256
from pathlib import Path
from shutil import copyfile, copytree

import pytest
from contract.regeneration.copies import CREATE, ROOT, SCRIPTS, run

from pipeline.package import write_package
from pipeline.sources import read_sources

FIXTURES = ROOT / "tests/contract/fixtures"
ROW = """
[[documents]]
path = "market/kling/text-to-video.json"
overlay = "overlays/text-to-video.overlay.yaml"
origin = "written for this test"
retrieved = 2026-11-22
sha256 = "{digest}"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("project")
    copytree(ROOT / "openapi", to / "openapi")
    copyfile(FIXTURES / "text-to-video.json", to / "openapi/market/kling/text-to-video.json")
    copyfile(FIXTURES / "text-to-video.overlay.yaml", to / "openapi/overlays/text-to-video.overlay.yaml")
    digest = sha256((FIXTURES / "text-to-video.json").read_bytes()).hexdigest()
    with (to / "openapi/sources.toml").open("a") as file:
        file.write(ROW.format(digest=digest))
    (to / "generated").mkdir()
    write_package(read_sources(to / "openapi").bundled(), to / "generated", scripts=SCRIPTS)
    return to


def models(package: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (package / "models").glob("*.py")}


def test_the_first_models_stay_as_they_were(project: Path) -> None:
    before, after = models(ROOT / "generated/kling_api"), models(project / "generated/kling_api")
    assert {name for name in before if before[name] != after.get(name)} == {"__init__.py"}
    assert {name for name in after if name not in before} == {
        "text_to_video_input.py",
        "text_to_video_input_aspect_ratio.py",
        "text_to_video_input_duration.py",
        "text_to_video_request.py",
        "text_to_video_request_model.py",
    }


def test_one_operation_sends_either(project: Path) -> None:
    program = """
from kling_api.api.jobs import create_task
from kling_api.models import ImageToVideoInput, ImageToVideoRequest, TextToVideoInput, TextToVideoRequest
text = TextToVideoInput(prompt="p", sound=True, aspect_ratio="9:16")
image = ImageToVideoInput(prompt="p", image_urls=["https://h.example/1.png"], sound=True)
for body in (TextToVideoRequest(input_=text), ImageToVideoRequest(input_=image)):
    call = create_task._get_kwargs(body=body)
    print(call["url"], call["json"]["model"], *sorted(call["json"]["input"]))
"""
    result = run(project, "-c", program)
    path = "/api/v1/jobs/createTask"
    assert result.stdout.splitlines() == [
        f"{path} kling-2.6/text-to-video aspect_ratio duration prompt sound",
        f"{path} kling-2.6/image-to-video duration image_urls prompt sound",
    ], result.stderr


def test_the_first_document_still_says_what_it_said(project: Path) -> None:
    before, after = (read_sources(root / "openapi") for root in (ROOT, project))
    [first] = [source for source in before.documents if source.path == CREATE]
    assert after.mended(first) == before.mended(first)
    assert after.bundled()["info"] == before.bundled()["info"]
