"""One suite, both clients, real HTTP to the sandbox."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import av
import pytest

from kling_facade import errors
from kling_facade.sandbox import Answer, Sandbox

VENDORED = Path(__file__).parents[2] / "openapi" / "market" / "kling" / "image-to-video.json"


def posts(sandbox: Sandbox, ending: str = "createTask") -> list[Any]:
    return [request for request in sandbox.requests if request.path.endswith(ending)]


def test_from_a_picture_to_a_file(kling: Any, picture: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    video = kling.generate(picture, "the beam turns", on_update=lambda status: seen.append(status.state))
    progress: list[tuple[int, int | None]] = []
    path = video.save(tmp_path, on_progress=lambda done, total: progress.append((done, total)))
    assert path == tmp_path / f"{video.task_id}.mp4"
    with av.open(str(path)) as film:
        assert film.streams.video[0].codec_context.name == "h264"
        assert float(film.duration or 0) / 1e6 == pytest.approx(5, abs=0.1)
    assert seen[-1] == "success"
    assert progress[-1] == (path.stat().st_size, path.stat().st_size)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_task_is_followed_update_by_update(kling: Any, picture: Path) -> None:
    task = kling.submit(picture, "the beam turns")
    updates = list(task.updates())
    assert updates[-1].succeeded
    assert {status.state for status in updates} >= {"generating", "success"}
    assert all(status.task_id == task.id and status.elapsed > 0 for status in updates)
    elapsed = [status.elapsed for status in updates]
    assert elapsed == sorted(elapsed)


def test_updates_may_be_left(kling: Any, picture: Path) -> None:
    task = kling.submit(picture, "the beam turns")
    for _ in task.updates():
        break
    assert task.wait().url.endswith(".mp4")


def test_a_handle_needs_nothing_but_the_id(kling: Any, connect: Any, sandbox: Sandbox, picture: Path) -> None:
    task_id = kling.submit(picture, "the beam turns").id
    other = connect(sandbox.url, clock=sandbox.clock)
    before = len(sandbox.requests)
    task = other.task(task_id)
    assert len(sandbox.requests) == before
    assert task.wait().task_id == task_id
    assert task.status().succeeded


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file", "url"])
def test_an_image_may_come_in_any_shape(kling: Any, sandbox: Sandbox, picture: Path, kind: str) -> None:
    image: Any = {
        "path": picture,
        "text": str(picture),
        "bytes": picture.read_bytes(),
        "file": io.BytesIO(picture.read_bytes()),
        "url": "https://elsewhere.test/cat.jpg",
    }[kind]
    task = kling.submit(image, "the beam turns")
    assert len(posts(sandbox, "file-stream-upload")) == (kind != "url")
    assert task.wait().status.succeeded


def test_the_request_is_the_documents_example(kling: Any, sandbox: Sandbox) -> None:
    media = json.loads(VENDORED.read_text())["paths"]["/api/v1/jobs/createTask"]["post"]["requestBody"][
        "content"
    ]
    example = media["application/json"]["example"]
    kling.submit(
        example["input"]["image_urls"][0],
        example["input"]["prompt"],
        duration=example["input"]["duration"],
        sound=example["input"]["sound"],
        callback_url=example["callBackUrl"],
    )
    assert json.loads(posts(sandbox)[0].body) == example


def test_credits_are_charged_and_can_be_asked_for(kling: Any) -> None:
    before = kling.credits()
    kling.submit("https://elsewhere.test/cat.jpg", "p", duration=10, sound=True)
    assert before - kling.credits() == 220


def test_an_upload_gives_a_link_that_can_be_used(kling: Any, picture: Path) -> None:
    link = kling.upload(picture)
    assert link.startswith("http")
    assert kling.upload(link) == link
    assert kling.generate(link, "p").status.succeeded


def test_a_fresh_link_leads_to_the_same_file(kling: Any, picture: Path, tmp_path: Path) -> None:
    video = kling.generate(picture, "p")
    fresh = kling.fresh_link(video.url)
    assert fresh != video.url
    with pytest.raises(errors.RequestRejectedError):
        kling.fresh_link("https://elsewhere.test/not-yours.mp4")


def test_an_expired_link_is_replaced_while_saving(
    kling: Any, sandbox: Sandbox, picture: Path, tmp_path: Path
) -> None:
    video = kling.generate(picture, "p")
    sandbox.inject("result", Answer(status=403, body=b"expired"))
    assert video.save(tmp_path / "a.mp4").stat().st_size > 10_000


def test_a_file_no_longer_kept_is_said(kling: Any, sandbox: Sandbox, picture: Path, tmp_path: Path) -> None:
    video = kling.generate(picture, "p")
    sandbox.inject("result", Answer(status=404), times=10)
    with pytest.raises(errors.LinkExpiredError) as caught:
        video.save(tmp_path / "a.mp4")
    assert caught.value.task_id == video.task_id
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_unless_told_otherwise(kling: Any, picture: Path, tmp_path: Path) -> None:
    video = kling.generate(picture, "p")
    target = tmp_path / "a.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(errors.InvalidInputError, match="^path: "):
        video.save(target)
    assert target.read_bytes() == b"mine"
    video.save(target, overwrite=True)
    assert target.read_bytes() != b"mine"


def test_the_key_goes_to_the_api_only(kling: Any, sandbox: Sandbox, picture: Path, tmp_path: Path) -> None:
    kling.generate(picture, "p").save(tmp_path)
    for request in sandbox.requests:
        assert ("authorization" in {name.lower() for name in request.headers}) == ("/api/" in request.path)


BAD = [
    ("image", {"image": ["https://a.test/1.jpg", "https://a.test/2.jpg"]}),
    ("image", {"image": "data:image/png;base64,iVBORw0KGgo="}),
    ("image", {"image": "ftp://a.test/1.jpg"}),
    ("image", {"image": "missing.jpg"}),
    ("image", {"image": b"\xff\xd8\xff" + b"x" * 11_000_000}),
    ("image", {"image": b"GIF89a" + b"x" * 100}),
    ("prompt", {"prompt": ""}),
    ("prompt", {"prompt": "x" * 1001}),
    ("duration", {"duration": 7}),
    ("sound", {"sound": "yes"}),
    ("callback_url", {"callback_url": "me"}),
    ("timeout", {"timeout": float("nan")}),
]


@pytest.mark.parametrize("call", ["submit", "generate"])
@pytest.mark.parametrize(("field", "changes"), BAD)
def test_bad_input_costs_no_request_and_is_named(
    kling: Any, sandbox: Sandbox, call: str, field: str, changes: dict[str, Any]
) -> None:
    arguments = {"image": "https://a.test/1.jpg", "prompt": "p", **changes}
    with pytest.raises(errors.InvalidInputError) as caught:
        getattr(kling, call)(**arguments)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert sandbox.requests == []


@pytest.mark.parametrize("keyword", ["negative_prompt", "aspect_ratio", "seed"])
def test_a_keyword_the_model_does_not_have_is_refused(kling: Any, sandbox: Sandbox, keyword: str) -> None:
    with pytest.raises(TypeError, match=keyword):
        kling.submit("https://a.test/1.jpg", "p", **{keyword: "x"})
    assert sandbox.requests == []


def test_no_key_is_said_before_anything_is_sent(connect: Any, sandbox: Sandbox) -> None:
    with pytest.raises(errors.ConfigurationError, match="APIKLEY_API_KEY"):
        connect(sandbox.url, api_key="")
    assert sandbox.requests == []


def test_a_wrong_key_is_an_authentication_error(connect: Any, sandbox: Sandbox) -> None:
    kling = connect(sandbox.url, api_key="wrong-key")
    with pytest.raises(errors.AuthenticationError) as caught:
        kling.submit("https://a.test/1.jpg", "p")
    assert "wrong-key" not in str(caught.value)
    assert len(sandbox.requests) == 1
