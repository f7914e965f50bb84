"""Uploads and downloads over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling_facade.sandbox import Sandbox
from kling_facade.sandbox.answers import RefusedError
from kling_facade.sandbox.clock import Clock
from kling_facade.sandbox.storage import Storage

Make = Callable[..., Any]
STREAM, BASE64, BY_URL = (f"/file-upload/api/file-{kind}-upload" for kind in ("stream", "base64", "url"))
DAY = 86_400


def by_stream(api: Any, data: bytes, folder: object, name: object) -> Any:
    fields = {
        name: str(value) for name, value in (("uploadPath", folder), ("fileName", name)) if value is not None
    }
    return api.post(STREAM, files={"file": ("given.png", data)}, data=fields).json()


def by_base64(api: Any, data: bytes, folder: object, name: object) -> Any:
    body = {"base64Data": base64.b64encode(data).decode(), "uploadPath": folder, "fileName": name}
    return api.post(BASE64, json=body).json()


WAYS = pytest.mark.parametrize("send", [by_stream, by_base64])


@WAYS
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_an_upload_is_described_and_can_be_read_by_anybody(
    api: Any, local: Sandbox, make_picture: Make, send: Make, kind: str
) -> None:
    data = make_picture(kind=kind)
    answer = send(api, data, "images/of cats", f"мой кот {kind}.bin")
    described = answer["data"]
    assert {name: answer[name] for name in ("success", "code", "msg")} == {
        "success": True,
        "code": 200,
        "msg": "File uploaded successfully",
    }
    assert described["fileName"] == f"мой кот {kind}.bin"
    assert described["filePath"] == f"images/of cats/мой кот {kind}.bin"
    assert (described["fileSize"], described["mimeType"]) == (len(data), f"image/{kind}")
    assert abs(datetime.fromisoformat(described["uploadedAt"]).timestamp() - local.clock.wall()) < 5
    read = httpx.get(described["downloadUrl"], timeout=10)
    assert (read.status_code, read.content, read.headers["content-type"]) == (200, data, f"image/{kind}")


def test_a_missing_name_is_taken_from_the_file_or_made_up(api: Any, make_picture: Make) -> None:
    data = make_picture()
    assert by_stream(api, data, "x", None)["data"]["fileName"] == "given.png"
    made_up = [by_base64(api, data, "x", None)["data"]["fileName"] for _ in range(2)]
    assert made_up[0] != made_up[1]
    assert made_up[0].endswith(".png")


def test_base64_may_be_a_data_url(api: Any, make_picture: Make) -> None:
    data = make_picture()
    text = "data:image/png;base64," + base64.b64encode(data).decode()
    answer = api.post(BASE64, json={"base64Data": text, "uploadPath": "x"}).json()
    assert httpx.get(answer["data"]["downloadUrl"], timeout=10).content == data


def test_the_same_name_overwrites_but_not_the_picture_of_a_task(
    api: Any, local: Sandbox, make_picture: Make
) -> None:
    url = by_stream(api, make_picture(), "x", "same.png")["data"]["downloadUrl"]
    task_id = api.create(url)
    assert by_stream(api, b"no picture", "x", "same.png")["data"]["downloadUrl"] == url
    assert httpx.get(url, timeout=10).content == b"no picture"
    local.clock.advance(600)
    assert api.record(task_id)["state"] == "success"


def test_uploads_are_gone_after_three_days(api: Any, local: Sandbox, make_picture: Make) -> None:
    url = by_stream(api, make_picture(), "x", "old.png")["data"]["downloadUrl"]
    local.clock.advance(3 * DAY - 60)
    assert httpx.get(url, timeout=10).status_code == 200
    local.clock.advance(60)
    assert httpx.get(url, timeout=10).status_code == 404


@WAYS
@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (None, "a.png"),
        ("", "a.png"),
        ("/images", "a.png"),
        ("images/", "a.png"),
        ("../images", "a.png"),
        ("a/../../b", "a.png"),
        ("a//b", "a.png"),
        ("a\\b", "a.png"),
        ("a\x00b", "a.png"),
        ("a", ".."),
        ("a", "../../evil.png"),
        ("a", "/etc/passwd"),
        ("a" * 300, "a.png"),
        ("a", "b" * 300),
    ],
)
def test_paths_with_tricks_are_refused(api: Any, send: Make, folder: object, name: object) -> None:
    answer = send(api, b"data", folder, name)
    assert (answer["code"], answer["data"]) == (400, None)


@given(folder=st.text(max_size=40), name=st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_path_leads_out_of_the_folder(
    tmp_path_factory: pytest.TempPathFactory, folder: str, name: str
) -> None:
    root = tmp_path_factory.getbasetemp() / "paths"
    inside = root / "inside"
    inside.mkdir(parents=True, exist_ok=True)
    storage = Storage(inside, Clock(), kept=10, most=100)
    try:
        stored = storage.upload(b"data", folder, name)
    except RefusedError:
        return
    finally:
        names = {path.name for path in root.rglob("*")}
    assert names == {"inside", hashlib.sha256(b"data").hexdigest()}
    assert not {".", "..", ""} & set(stored.location.split("/"))


@WAYS
def test_a_file_above_the_limit_is_refused(api: Any, send: Make) -> None:
    assert send(api, bytes(10 * 1024 * 1024), "x", "a")["code"] == 200
    assert send(api, bytes(10 * 1024 * 1024 + 1), "x", "a")["code"] == 400
    assert send(api, b"", "x", "a")["code"] == 400


def test_a_gigabyte_announced_is_refused_before_it_is_sent(local: Sandbox) -> None:
    address = urlsplit(local.url)
    head = f"POST {STREAM} HTTP/1.1\r\nHost: x\r\nContent-Length: {1024**3}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_gigabyte_that_was_not_announced_is_cut_off(api: Any) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1024):
            sent += 1024 * 1024
            yield bytes(1024 * 1024)

    try:
        status = api.post(STREAM, content=endless()).status_code
    except httpx.WriteError:  # the answer came, the connection is closed, the rest is unwanted
        status = 413
    assert status == 413
    assert sent < 200 * 1024 * 1024


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (STREAM, b"--x\r\nbroken"),
        (BASE64, b"[]"),
        (BASE64, b'{"uploadPath": "x"}'),
        (BASE64, b'{"uploadPath": "x", "base64Data": "%%%"}'),
        (BASE64, '{"uploadPath": "x", "base64Data": "ü"}'.encode()),
        (BY_URL, b"{}"),
    ],
)
def test_a_broken_upload_is_refused(api: Any, path: str, body: bytes) -> None:
    answer = api.post(path, content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.json()["code"] == 400


def test_nothing_is_fetched_unless_allowed(api: Any) -> None:
    answer = api.post(BY_URL, json={"fileUrl": "http://127.0.0.1:9/a.png", "uploadPath": "x"}).json()
    assert answer["code"] == 400
    assert "allow_fetch" in answer["msg"]


@pytest.fixture(scope="module")
def elsewhere(make_picture: Make) -> Iterator[str]:
    """Another host, with one picture and one way to it."""
    picture = make_picture()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302 if self.path == "/moved" else 200 if self.path == "/a.png" else 404)
            if self.path == "/moved":
                self.send_header("Location", "/a.png")
            self.end_headers()
            if self.path == "/a.png":
                self.wfile.write(picture)

        def log_message(self, *_args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_allowed_host_is_fetched(connect_to: Make, make_picture: Make, elsewhere: str) -> None:
    with Sandbox(allow_fetch=["127.0.0.1"]) as sandbox, connect_to(sandbox) as api:
        for path in ("/a.png", "/moved"):
            answer = api.post(BY_URL, json={"fileUrl": elsewhere + path, "uploadPath": "x"}).json()
            assert httpx.get(answer["data"]["downloadUrl"], timeout=10).content == make_picture()
        assert api.post(BY_URL, json={"fileUrl": elsewhere + "/no", "uploadPath": "x"}).json()["code"] == 400
        found, lost = api.create(elsewhere + "/a.png"), api.create(elsewhere + "/no")
        sandbox.clock.advance(600)
        assert api.record(found)["state"] == "success"
        assert api.record(lost)["failMsg"] == "Image fetch failed"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://x/", "http://", "private"]
)
def test_only_public_hosts_are_fetched_otherwise(connect_to: Make, elsewhere: str, url: str) -> None:
    asked = elsewhere + "/a.png" if url == "private" else url
    with Sandbox(allow_fetch=True) as sandbox, connect_to(sandbox) as api:
        answer = api.post(BY_URL, json={"fileUrl": asked, "uploadPath": "x"}).json()
    assert answer["code"] == 400
    assert url != "private" or "private address" in answer["msg"]


def test_a_fetched_file_is_bounded(connect_to: Make, elsewhere: str) -> None:
    with Sandbox(allow_fetch=["127.0.0.1"], upload_limit=100) as sandbox, connect_to(sandbox) as api:
        answer = api.post(BY_URL, json={"fileUrl": elsewhere + "/a.png", "uploadPath": "x"}).json()
    assert answer["code"] == 400
    assert "more than 100 bytes" in answer["msg"]


def test_the_link_shows_the_user_and_no_other_user_has_it(api: Any, make_picture: Make) -> None:
    url = by_stream(api, make_picture(), "x", "a.png")["data"]["downloadUrl"]
    user = urlsplit(url).path.split("/")[2]
    assert user.isdecimal()
    assert httpx.get(url.replace(f"/{user}/", "/1/"), timeout=10).status_code == 404


def test_urllib_can_read_uploads(api: Any, make_picture: Make) -> None:
    url = by_stream(api, make_picture(), "x", "a.png")["data"]["downloadUrl"]
    with urlopen(url, timeout=10) as answer:
        assert answer.read() == make_picture()
