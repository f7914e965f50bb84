"""A new document takes the place of the old one whole or not at all; the status says what upstream did."""

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from contract.regeneration.copies import (
    CREATE,
    QUERY,
    ROOT,
    Document,
    body,
    edit,
    vendor,
    vendored,
)
from contract.regeneration.edits import halve, offer_more
from contract.regeneration.forms import as_page, flattened

from pipeline.package import compare
from pipeline.sources import read_sources


def unchanged(project: Path) -> bool:
    """Whether documents, overlays, record and client are those of the project itself."""
    return not [
        line for folder in ("openapi", "generated") for line in compare(ROOT / folder, project / folder)
    ]


def reword(document: Document) -> None:
    document["info"]["description"] = "Other words"


def add_codes(document: Document) -> None:
    document["components"]["schemas"]["ApiResponse"]["properties"]["code"]["enum"].append(433)


def mend_two_things(document: Document) -> None:
    document["info"]["contact"]["email"] = "help@apikley.ru"
    body(document)["required"].append("input")


def collide(document: Document) -> None:
    document["components"]["schemas"]["TaskRecord"] = {"type": "string"}


def nothing(_document: Document) -> None:
    """Upstream left it as it was."""


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        (nothing, 0, "nothing changed"),
        (reword, 1, "prose (0 breaking, 0 additive, 1 prose); not written"),
        (offer_more, 1, "additive (0 breaking, 2 additive, 0 prose); not written"),
        (halve, 2, "breaking (1 breaking, 0 additive, 0 prose); not written"),
        (collide, 1, "cannot be generated from yet"),
    ],
)
def test_check_reports_and_writes_nothing(
    project: Path, page: Callable[..., str], change: Any, status: int, words: str
) -> None:
    source = page(change)
    result = vendor(project, source, "--check")
    assert (result.returncode, result.stderr) == (status, "")
    assert (
        result.stdout.splitlines()[-1] == f"image-to-video against {source}: {words}"
        or words in result.stdout
    )
    assert "contract tests" not in result.stdout
    assert unchanged(project)


def test_a_new_document_replaces_document_digest_and_client_together(
    project: Path, page: Callable[..., str]
) -> None:
    source = page(reword)
    result = vendor(project, source)
    assert (result.returncode, result.stderr) == (1, "")
    assert "contract tests: " in result.stdout
    assert " passed" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("; written")
    content = (project / "openapi" / CREATE).read_bytes()
    assert content == Path(source).read_bytes()
    record = (project / "openapi/sources.toml").read_text()
    [row] = [row for row in tomllib.loads(record)["documents"] if row["path"] == CREATE]
    assert row["sha256"] == sha256(content).hexdigest()
    assert abs((datetime.now(UTC).date() - row["retrieved"]).days) <= 1
    assert "[tools] # exact: another version writes other bytes" in record
    written = json.loads((project / "generated/kling_api/openapi.json").read_bytes())
    assert written == read_sources(project / "openapi").bundled()


def test_a_document_that_came_otherwise_is_kept_as_json(project: Path, page: Callable[..., str]) -> None:
    result = vendor(project, page(reword, path=QUERY, form=as_page))
    assert result.returncode == 1, result.stdout
    assert "and is kept as JSON" in result.stdout
    expected = vendored(QUERY)
    reword(expected)
    assert json.loads((project / "openapi" / QUERY).read_bytes()) == expected


def test_every_stale_action_is_named_and_nothing_is_written(project: Path, page: Callable[..., str]) -> None:
    result = vendor(project, page(mend_two_things))
    assert result.returncode == 2
    assert "every/contact ($.info.contact.email): / expected '[email" in result.stdout
    assert "image-to-video/request ($.paths" in result.stdout
    assert "Remedy: look up the target in the vendored document" in result.stdout
    assert unchanged(project)


def test_once_the_action_is_mended_the_document_comes_in(project: Path, page: Callable[..., str]) -> None:
    """Upstream says now what the overlay said: the action keeps only what it still has to say."""

    def mend(document: Document) -> None:
        body(document)["required"].append("input")

    source = page(mend)
    assert "image-to-video/request" in vendor(project, source).stdout
    edit(
        project / "openapi/overlays/image-to-video.overlay.yaml",
        "    x-expects: { required: [model] }\n    update: { title: ImageToVideoRequest, required: [input] }",
        "    update: { title: ImageToVideoRequest }",
    )
    result = vendor(project, source)
    assert result.returncode == 2
    assert result.stdout.splitlines()[-1].endswith("; written")
    assert " passed" in result.stdout
    assert not list(compare(ROOT / "generated", project / "generated"))


def test_a_collision_is_named_with_its_remedy(project: Path, page: Callable[..., str]) -> None:
    result = vendor(project, page(collide))
    assert result.returncode == 1
    assert "stopped: " in result.stdout
    assert "#/components/schemas/TaskRecord" in result.stdout
    assert "Remedy: give one of the two another name" in result.stdout
    assert unchanged(project)


def test_a_tool_of_another_version_stops_it_before_anything_is_written(
    project: Path, page: Callable[..., str]
) -> None:
    edit(project / "openapi/sources.toml", 'ruff = "', 'ruff = "9')
    before = (project / "openapi/sources.toml").read_bytes()
    result = vendor(project, page(reword))
    assert "stopped: ruff is pinned to 9" in result.stdout
    assert "Remedy: install the pinned tools" in result.stdout
    assert (project / "openapi/sources.toml").read_bytes() == before
    assert (project / "openapi" / CREATE).read_bytes() == (ROOT / "openapi" / CREATE).read_bytes()


@pytest.mark.parametrize("change", [nothing, halve])
def test_a_flattened_page_is_compared_and_never_written(
    project: Path, page: Callable[..., str], change: Any
) -> None:
    result = vendor(project, page(change, form=flattened))
    assert (result.returncode, result.stderr) == (3, "")
    lines = result.stdout.splitlines()
    differences = 0 if change is nothing else 1
    assert lines[0] == f"compared word by word with {CREATE}: {differences} differences"
    assert ("the document says '1000', the page '500'" in result.stdout) == bool(differences)
    assert "should be indented under the line above" in result.stdout
    assert "with .md at its end" in lines[-1]
    assert unchanged(project)


def test_a_sibling_page_replaces_nothing_unless_told_so(project: Path) -> None:
    sibling = str(ROOT / "tests/contract/fixtures/text-to-video.json")
    result = vendor(project, sibling)
    assert result.returncode == 3
    assert "none of image-to-video, get-task-detail: say which it replaces with --as" in result.stdout
    assert vendor(project, sibling, "--check", "--as", "image-to-video").returncode == 2
    assert vendor(project, sibling, "--check", "--as", "lip-sync").returncode == 3
    assert unchanged(project)


def test_a_moved_endpoint_is_still_recognised(project: Path, page: Callable[..., str]) -> None:
    def move(document: Document) -> None:
        document["paths"] = {"/api/v2/recordInfo": next(iter(document["paths"].values()))}

    result = vendor(project, page(move, path=QUERY), "--check")
    assert result.returncode == 2
    assert "says the same now" in result.stdout
    assert "get-task-detail/operation" in result.stdout


def test_machines_get_json(project: Path, page: Callable[..., str]) -> None:
    report = json.loads(vendor(project, page(add_codes), "--check", "--json").stdout)
    [change] = report.pop("changes")
    [stale] = report.pop("stale_actions")
    assert report == {
        "class": "additive",
        "document": CREATE,
        "source": report["source"],
        "problem": None,
        "written": False,
        "tests": None,
    }
    assert change == {
        "class": "additive",
        "change": "added",
        "pointer": "#/components/schemas/ApiResponse/properties/code/enum",
        "before": None,
        "after": [433],
        "facade": "the table of codes in envelope.judge must follow",
    }
    assert stale.startswith("every/open-code (")
    report = json.loads(vendor(project, page(halve, form=flattened), "--json").stdout)
    assert report["class"] == "unreadable"
    assert [one["page"] for one in report["words"]["differences"]] == ["500"]


@pytest.mark.parametrize("options", [[], ["--no-such-option"], ["no-such-file"], ["http://127.0.0.1:9/page"]])
def test_what_cannot_be_read_is_status_3(project: Path, options: list[str]) -> None:
    result = vendor(project, *options)
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
