"""What can go wrong at the place where the file shall be."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.filehost import FileHost, cut, film, honest, names, video_of

from kling_facade import errors
from kling_facade.files import _is_whole_mp4


def test_an_existing_file_is_refused_before_anything_is_asked_for(connect: Any, tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"mine")
    with FileHost(cut(0.5), honest) as host:
        video = video_of(connect, host)
        with pytest.raises(errors.InvalidInputError, match="overwrite=True"):
            video.save(target)
        assert host.downloads == []
        video.save(target, overwrite=True)
        assert target.read_bytes() == host.content
    assert names(tmp_path) == ["a.mp4"]


def test_overwriting_leaves_the_old_file_until_the_new_one_is_whole(connect: Any, tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"mine")
    with FileHost(cut(0.5)) as host, pytest.raises(errors.DownloadError):
        video_of(connect, host).save(target, overwrite=True)
    assert target.read_bytes() == b"mine"
    assert names(tmp_path) == ["a.mp4"]


def test_a_file_that_came_meanwhile_is_kept(connect: Any, tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    with FileHost() as host, pytest.raises(errors.DownloadError, match="was kept"):
        video_of(connect, host).save(target, on_progress=lambda done, total: target.write_bytes(b"mine"))
    assert target.read_bytes() == b"mine"
    assert names(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize("path", ["/proc/a.mp4", "/proc/self/a.mp4"])
def test_a_directory_that_cannot_be_written_to_is_said_before_anything_is_asked_for(
    connect: Any, path: str
) -> None:
    """/proc refuses even root."""
    if not Path(path).parent.is_dir():
        pytest.skip("there is no /proc here")
    with FileHost() as host:
        with pytest.raises(errors.DownloadError, match="/proc") as caught:
            video_of(connect, host).save(path)
        assert caught.value.task_id == "t1"
        assert host.downloads == []


def test_a_path_below_a_file_is_refused_by_name(connect: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with FileHost() as host:
        for path in (tmp_path / "file" / "a.mp4", tmp_path / "missing" / "a.mp4", "a\0b.mp4"):
            with pytest.raises(errors.InvalidInputError, match="^path: "):
                video_of(connect, host).save(path)
        assert host.downloads == []
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "link", "replace"])
def test_a_disk_that_fails_at_the_last_step_leaves_nothing(
    connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    if step == "link":  # the way out for file systems without links
        monkeypatch.setattr(os, "replace", fail)
    with FileHost() as host, pytest.raises(errors.DownloadError, match="No space left"):
        video_of(connect, host).save(tmp_path / "a.mp4", overwrite=step == "replace")
    assert names(tmp_path) == []


def test_a_file_system_without_links_is_good_enough(
    connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", fail)
    with FileHost() as host:
        path = video_of(connect, host).save(tmp_path / "a.mp4")
        assert path.read_bytes() == host.content
    assert names(tmp_path) == ["a.mp4"]


class BrokenError(Exception):
    """What the caller's own code raises."""


def test_what_the_callers_code_raises_passes_and_leaves_nothing(connect: Any, tmp_path: Path) -> None:
    def fail(done: int, total: int | None) -> None:
        raise BrokenError

    with FileHost() as host:
        with pytest.raises(BrokenError):
            video_of(connect, host).save(tmp_path / "a.mp4", on_progress=fail)
        assert len(host.downloads) == 1
    assert names(tmp_path) == []


def test_ctrl_c_in_the_middle_leaves_nothing(connect: Any, tmp_path: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        signal.raise_signal(signal.SIGINT)

    with FileHost(content=film(5_000_000)) as host:
        video = video_of(connect, host)
        with pytest.raises(KeyboardInterrupt):
            video.save(tmp_path / "a.mp4", on_progress=interrupt)
        assert names(tmp_path) == []
        assert video.save(tmp_path / "a.mp4").read_bytes() == host.content


FILM = film(1000)


@given(st.integers(0, len(FILM) - 1))
def test_no_beginning_of_an_mp4_is_a_whole_one(size: int) -> None:
    assert not _is_whole_mp4(io.BytesIO(FILM[:size]), size)


@given(st.binary(max_size=200), st.sampled_from([b"", FILM, FILM[:300], FILM[:40]]))
def test_any_bytes_can_be_looked_at(junk: bytes, before: bytes) -> None:
    content = before + junk
    assert _is_whole_mp4(io.BytesIO(content), len(content)) in (True, False, None)


def test_an_mp4_is_known_by_its_boxes() -> None:
    ftyp, moov = FILM[:16], FILM[16:274]
    long = (1).to_bytes(4, "big") + b"mdat" + (24).to_bytes(8, "big") + b"pictures"
    to_the_end = bytes(4) + b"mdat" + b"pictures"
    for content, whole in [
        (FILM, True),
        (ftyp + moov + long, True),
        (ftyp + moov + long[:-1], False),
        (ftyp + moov + to_the_end, True),
        (ftyp + long + moov, True),
        (ftyp + moov, False),
        (ftyp + long, False),
        (FILM + b"\0\0\0", True),
        (b"\x1aE\xdf\xa3", None),
        (b"", None),
    ]:
        assert _is_whole_mp4(io.BytesIO(content), len(content)) is whole
