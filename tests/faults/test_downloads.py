"""What can go wrong between the link and the disk: the file is whole or absent, and nothing else is left."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from support.fakes import FakeClock
from support.faulty import Incoming, answer
from support.filehost import (
    FileAct,
    FileHost,
    cut,
    film,
    honest,
    lying,
    names,
    says,
    stalled,
    unannounced,
    video_of,
)

from kling_facade import errors


def is_saved(connect: Any, host: FileHost, folder: Path, **options: Any) -> None:
    path = video_of(connect, host, **options).save(folder / "a.mp4")
    assert path.read_bytes() == host.content
    assert names(folder) == ["a.mp4"]


def is_given_up(
    connect: Any,
    host: FileHost,
    folder: Path,
    kind: type[errors.KlingError] = errors.DownloadError,
    **options: Any,
) -> errors.KlingError:
    with pytest.raises(errors.KlingError) as caught:
        video_of(connect, host, **options).save(folder / "a.mp4")
    assert type(caught.value) is kind
    assert caught.value.task_id == "t1"
    assert names(folder) == []
    return caught.value


def test_a_download_cut_in_half_is_resumed(connect: Any, tmp_path: Path) -> None:
    with FileHost(cut(0.5), honest) as host:
        is_saved(connect, host, tmp_path)
        first, second = host.downloads
        assert "range" not in first.headers
        assert second.headers["range"] == f"bytes={len(host.content) // 2}-"
        assert second.headers["if-range"] == host.etag


def test_a_download_cut_again_and_again_is_resumed_while_it_grows(connect: Any, tmp_path: Path) -> None:
    with FileHost(*(cut(tenth / 10) for tenth in range(1, 10)), honest) as host:
        is_saved(connect, host, tmp_path)
        assert len(host.downloads) == 10


@pytest.mark.parametrize("headers", [{}, {"ETag": ""}, {"Accept-Ranges": "none", "ETag": 'W/"1"'}])
def test_a_download_that_is_always_cut_at_the_same_place_is_given_up(
    connect: Any, tmp_path: Path, headers: dict[str, str]
) -> None:
    with FileHost(cut(0.5, **headers)) as host:
        assert "broke off 4 times in a row" in str(is_given_up(connect, host, tmp_path))
        assert len(host.downloads) == 5


def test_without_a_validator_a_cut_download_begins_anew(connect: Any, tmp_path: Path) -> None:
    with FileHost(cut(0.5, ETag=""), honest) as host:
        is_saved(connect, host, tmp_path)
        assert all("range" not in request.headers for request in host.downloads)


def test_a_file_that_changed_between_two_attempts_is_not_patched_together(
    connect: Any, tmp_path: Path
) -> None:
    def change(host: FileHost, request: Incoming, connection: Any) -> None:
        host.content, host.etag = film(seed=2), '"2"'
        host.serve(request, connection)

    with FileHost(cut(0.5), change) as host:
        is_saved(connect, host, tmp_path)


def test_a_part_of_another_file_is_not_appended(connect: Any, tmp_path: Path) -> None:
    """A host that ignores If-Range shows itself by the length of the whole."""

    def ignore(host: FileHost, request: Incoming, connection: Any) -> None:
        host.content, host.etag = film(500_000, seed=2), request.headers["if-range"]
        host.serve(request, connection)

    with FileHost(cut(0.5), ignore, honest) as host:
        is_saved(connect, host, tmp_path)
        assert len(host.downloads) == 3


@pytest.mark.parametrize("by", [5000, -5000])
def test_a_length_that_lies_is_no_whole_file(connect: Any, tmp_path: Path, by: int) -> None:
    with FileHost(lying(by)) as host:
        is_given_up(connect, host, tmp_path)
        assert len(host.downloads) <= 10


@pytest.mark.parametrize("by", [5000, -5000])
def test_a_length_that_lied_once_is_got_over(connect: Any, tmp_path: Path, by: int) -> None:
    with FileHost(lying(by), honest) as host:
        is_saved(connect, host, tmp_path)


def test_a_whole_mp4_needs_no_announced_length(connect: Any, tmp_path: Path) -> None:
    with FileHost(unannounced()) as host:
        is_saved(connect, host, tmp_path)


@pytest.mark.parametrize("fraction", [0.0, 0.0005, 0.001, 0.5, 0.99999])
def test_a_cut_mp4_of_no_announced_length_is_noticed(connect: Any, tmp_path: Path, fraction: float) -> None:
    with FileHost(unannounced(fraction)) as host:
        is_given_up(connect, host, tmp_path)
    with FileHost(unannounced(fraction), honest) as host:
        is_saved(connect, host, tmp_path)


def test_what_nobody_can_call_whole_is_not_saved(connect: Any, tmp_path: Path) -> None:
    """No length and no MP4: a cut would look the same."""
    with FileHost(unannounced(), content=b"\x1aE\xdf\xa3 webm" * 1000) as host:
        is_given_up(connect, host, tmp_path)
    with FileHost(content=b"\x1aE\xdf\xa3 webm" * 1000) as host:
        is_saved(connect, host, tmp_path)


def test_an_empty_file_is_no_video(connect: Any, tmp_path: Path) -> None:
    with FileHost(content=b"") as host:
        host.acts = [says(answer(200, b"", {"Content-Type": "video/mp4"}))]
        is_given_up(connect, host, tmp_path)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_dead_link_is_refreshed_once(connect: Any, tmp_path: Path, status: int) -> None:
    dead = says(answer(status))
    with FileHost() as second, FileHost(dead, content=b"") as first:
        first.fresh, second.content = f"{second.url}/fresh.mp4", film(seed=3)
        path = video_of(connect, first).save(tmp_path / "a.mp4")
        assert path.read_bytes() == second.content
        assert [request.target for request in second.downloads] == ["/fresh.mp4"]
        second.acts = [dead]
        with pytest.raises(errors.LinkExpiredError, match=f"HTTP {status} for the fresh link too"):
            video_of(connect, first).save(tmp_path / "b.mp4")
        assert (len(first.downloads), len(second.downloads)) == (2, 2)
        assert names(tmp_path) == ["a.mp4"]


def test_a_dead_link_for_which_there_is_no_fresh_one_is_said(connect: Any, tmp_path: Path) -> None:
    with FileHost(says(answer(404))) as host:
        is_given_up(connect, host, tmp_path, errors.LinkExpiredError)
        assert len(host.downloads) == 1


def test_a_link_that_dies_in_the_middle_is_refreshed_and_resumed(connect: Any, tmp_path: Path) -> None:
    with FileHost() as second, FileHost(cut(0.5), says(answer(403))) as first:
        first.fresh = f"{second.url}/fresh.mp4"
        is_saved(connect, first, tmp_path)
        assert "range" in second.downloads[0].headers


def test_a_stalled_download_is_resumed_or_given_up(connect: Any, tmp_path: Path) -> None:
    with FileHost(stalled, honest) as host:
        is_saved(connect, host, tmp_path, timeout=0.3)
        assert "range" in host.downloads[1].headers

    def mute(host: FileHost, request: Incoming, connection: Any) -> None:
        host.closing.wait(30)

    (tmp_path / "a.mp4").unlink()
    with FileHost(mute) as host:
        assert "Timeout" in str(is_given_up(connect, host, tmp_path, timeout=0.3))
        assert len(host.downloads) == 4


@pytest.mark.parametrize("status", [500, 502, 503, 408, 425, 429, 416, 202])
def test_a_passing_no_of_the_host_is_got_over(connect: Any, tmp_path: Path, status: int) -> None:
    no = says(answer(status))
    with FileHost(no, no, cut(0.4), no, honest) as host:
        is_saved(connect, host, tmp_path)
    with FileHost(no) as host:
        (tmp_path / "a.mp4").unlink()
        assert f"HTTP {status}" in str(is_given_up(connect, host, tmp_path))
        assert len(host.downloads) == 4


@pytest.mark.parametrize("status", [300, 304, 400, 405, 451])
def test_a_final_no_of_the_host_is_said_at_once(connect: Any, tmp_path: Path, status: int) -> None:
    with FileHost(says(answer(status))) as host:
        assert f"HTTP {status}" in str(is_given_up(connect, host, tmp_path))
        assert len(host.downloads) == 1


PAGES: dict[str, tuple[FileAct, str]] = {
    "page": (says(answer(200, b"<html>Log in</html>", {"Content-Type": "Text/HTML; charset=utf-8"})), "html"),
    "JSON": (says(answer(200, {"code": 404})), "application/json"),
    "gzip": (
        says(answer(200, gzip.compress(film()), {"Content-Type": "video/mp4", "Content-Encoding": "gzip"})),
        "gzip",
    ),
}


@pytest.mark.parametrize("kind", PAGES)
def test_what_is_no_video_is_not_saved_as_one(connect: Any, tmp_path: Path, kind: str) -> None:
    act, word = PAGES[kind]
    with FileHost(act) as host:
        assert word in str(is_given_up(connect, host, tmp_path))
        assert len(host.downloads) == 1


def test_a_file_in_its_own_encoding_is_a_video(connect: Any, tmp_path: Path) -> None:
    with FileHost(cut(2, Content_Encoding="identity")) as host:
        is_saved(connect, host, tmp_path)


def test_the_key_is_shown_to_no_host_of_files(connect: Any, tmp_path: Path) -> None:
    with FileHost() as second:
        moved = says(answer(302, headers={"Location": f"{second.url}/a.mp4"}))
        with FileHost(moved) as first:
            path = video_of(connect, first, api_key="canary-key").save(tmp_path / "a.mp4")
            assert path.read_bytes() == second.content
        assert first.requests[0].headers["authorization"] == "Bearer canary-key"
        for request in [*first.downloads, *second.requests]:
            assert "canary-key" not in str(request.headers)
            assert "authorization" not in request.headers
        assert (len(first.downloads), len(second.requests)) == (1, 1)


def test_a_redirect_that_leads_nowhere_is_given_up(connect: Any, tmp_path: Path) -> None:
    for location in ("/a.mp4", "file:///etc/passwd", "http://[", "http://127.0.0.1:1/"):
        with FileHost(says(answer(302, headers={"Location": location}))) as host:
            is_given_up(connect, host, tmp_path)


def test_progress_never_goes_past_the_whole(connect: Any, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with FileHost(cut(0.5), honest) as host:
        video_of(connect, host, clock=FakeClock()).save(
            tmp_path / "a.mp4", on_progress=lambda done, total: seen.append((done, total))
        )
        assert seen == sorted(seen)
        assert seen[-1] == (len(host.content), len(host.content))
        assert {total for _, total in seen} == {len(host.content)}
