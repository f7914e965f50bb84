"""What was submitted, on disk, before and after the paid call; shared by any number of processes."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from kling_facade.errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    import os
    from collections.abc import Generator

SubmissionState = Literal["intent", "submitted", "unknown"]

# A live row is the only one of its key: two processes cannot both hold the permission to buy.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS submissions (
    submission_id TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    key TEXT,
    digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intent', 'submitted', 'refused', 'unknown')),
    task_id TEXT,
    at REAL NOT NULL,
    expires REAL NOT NULL,
    marked INTEGER NOT NULL DEFAULT 0 -- whether the task id rests on the mark in a callback URL alone
);
CREATE UNIQUE INDEX IF NOT EXISTS one_live_row_per_key
    ON submissions (service, key) WHERE key IS NOT NULL AND state != 'refused';
CREATE INDEX IF NOT EXISTS rows_by_task ON submissions (task_id);
CREATE TABLE IF NOT EXISTS callbacks (
    task_id TEXT PRIMARY KEY,
    owner TEXT, -- whoever runs the handler; NULL once it has succeeded
    expires REAL
);
"""
_INSERT = """
INSERT INTO submissions (submission_id, service, key, digest, state, at, expires)
    VALUES (?, ?, ?, ?, 'intent', ?, ?)
"""
# one statement each: between a look and a change another process could act
_BIND = """
UPDATE submissions SET state = 'submitted', task_id = :task_id, marked = NOT :signed
    WHERE submission_id = :submission_id AND (task_id IS NULL OR (marked AND :signed))
    AND NOT EXISTS (
        SELECT * FROM submissions WHERE task_id = :task_id AND submission_id != :submission_id AND NOT marked
    )
"""
# what a mark alone gave to another submission is not its own once it is known whose it is
_TAKE = """
UPDATE submissions SET state = 'unknown', task_id = NULL, marked = 0
    WHERE marked AND task_id = ? AND submission_id != ?
"""
_CLAIM = """
INSERT INTO callbacks VALUES (?, ?, ?) ON CONFLICT DO UPDATE
    SET owner = excluded.owner, expires = excluded.expires WHERE owner IS NOT NULL AND expires <= ?
"""
_LIVE = (
    "SELECT submission_id, service, key, digest, state, task_id, at, expires"
    " FROM submissions WHERE state != 'refused'"
)
_BUSY = 30.0  # seconds that another process may hold the file
_GRACE = 60.0  # seconds after a create's timeout; by then its process has written how it ended, or is dead


@frozen
class Submission:
    """One attempt to buy a video.

    Attributes:
        submission_id: the attempt's own id, as in errors and logs.
        service: the base URL that it went to; a key tried out in a sandbox is still to be had elsewhere.
        key: what the caller named it, or None.
        state: "submitted": accepted, ``task_id`` is known; "unknown": perhaps accepted; "intent": on its way.
        task_id: the service's id, None while unknown.
        at: when the attempt began.
        digest: of what was asked for; the prompt itself is not kept.
    """

    submission_id: str
    service: str
    key: str | None
    state: SubmissionState
    task_id: str | None
    at: datetime
    digest: str


class Journal:
    """A SQLite file in which a durable row is the permission to buy.

    Args:
        path: the file; made if it is not there. Its directory must exist.

    Raises:
        ConfigurationError: the file cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._path = Path(path)
        except TypeError as error:
            raise ConfigurationError(f"the journal is a path or a Journal, not {path!r:.100}") from error
        self._set_up()

    def begin(
        self, submission_id: str, *, service: str, key: str | None, digest: str, timeout: float
    ) -> Submission | None:
        """Commits the intent to buy; None is the permission, a submission is who has the key already.

        Args:
            submission_id: of this attempt.
            service: base URL of the service.
            key: what the caller named it.
            digest: of what is asked for.
            timeout: seconds after which a create without an answer is given up.
        """
        now = time.time()
        with self._open() as rows:
            try:
                rows.execute(_INSERT, (submission_id, service, key, digest, now, now + timeout + _GRACE))
            except sqlite3.IntegrityError:
                return _read_one(rows.execute(f"{_LIVE} AND service = ? AND key = ?", (service, key)))
        return None

    def end(
        self, submission_id: str, state: Literal["submitted", "refused", "unknown"], task_id: str | None
    ) -> None:
        """Commits how the attempt ended; without a task id, unless a callback has already brought one."""
        with self._open() as rows:
            rows.execute(_TAKE, (task_id, submission_id))
            rows.execute(
                "UPDATE submissions SET state = ?, task_id = ?, marked = 0"
                " WHERE submission_id = ? AND (task_id IS NULL OR ? = 'submitted')",
                (state, task_id, submission_id, state),
            )

    def find(self, key: str, *, service: str) -> Submission | None:
        """The submission that has this key at this service."""
        with self._open() as rows:
            return _read_one(rows.execute(f"{_LIVE} AND service = ? AND key = ?", (service, key)))

    def submissions(self) -> list[Submission]:
        """All that were or may have been accepted, oldest first; what is still on its way is not listed."""
        with self._open() as rows:
            found = rows.execute(f"{_LIVE} ORDER BY at").fetchall()
        return [entry for entry in map(_read, found) if entry.state != "intent"]

    def adopt(self, submission_id: str, task_id: str) -> None:
        """Says which task an uncertain submission became; its key leads there from now on.

        Raises:
            InvalidInputError: no such submission, or it has another task.
        """
        with self._open() as rows:
            rows.execute(_TAKE, (task_id, submission_id))
            rows.execute(
                "UPDATE submissions SET task_id = NULL WHERE submission_id = ? AND marked", (submission_id,)
            )
            entry = _read_one(rows.execute(f"{_LIVE} AND submission_id = ?", (submission_id,)))
            if entry is None:
                raise InvalidInputError(
                    "submission_id", f"the journal has no open submission {submission_id!r}"
                )
            if entry.task_id not in (None, task_id):
                raise InvalidInputError("task_id", f"{submission_id} is task {entry.task_id} already")
            rows.execute(
                "UPDATE submissions SET state = 'submitted', task_id = ?, marked = 0 WHERE submission_id = ?",
                (task_id, submission_id),
            )

    def forget(self, submission_id: str) -> None:
        """Drops a submission; its key can be bought again.

        Raises:
            InvalidInputError: no such submission.
        """
        with self._open() as rows:
            if not rows.execute("DELETE FROM submissions WHERE submission_id = ?", (submission_id,)).rowcount:
                raise InvalidInputError("submission_id", f"the journal has no submission {submission_id!r}")

    def bind(self, submission_id: str, task_id: str, *, signed: bool) -> bool:
        """Whether the submission is this task, as far as is known; one without a task becomes it.

        Args:
            submission_id: the attempt that the mark of a callback names.
            task_id: the task that its body names.
            signed: the service's signature vouches for the task; without it only the mark does, and a signed
                callback may correct that.
        """
        named = {"submission_id": submission_id, "task_id": task_id, "signed": signed}
        with self._open() as rows:
            try:
                rows.execute(_BIND, named)
            except sqlite3.IntegrityError:  # refused, and its key was bought again: there are two tasks now
                rows.execute("UPDATE submissions SET key = NULL WHERE submission_id = ?", (submission_id,))
                rows.execute(_BIND, named)
            known = rows.execute(
                "SELECT submission_id, task_id FROM submissions"
                " WHERE submission_id = ? OR (task_id = ? AND NOT marked)",
                (submission_id, task_id),
            ).fetchall()
            bound = known == [(submission_id, task_id)]
            if bound and signed:
                rows.execute(_TAKE, (task_id, submission_id))
        return bound or not known

    def claim(self, task_id: str, *, owner: str, seconds: float) -> Literal["taken", "busy", "finished"]:
        """Asks to handle the callback of a task: "taken" by this owner, "busy" with another, or "finished".

        Args:
            task_id: the task.
            owner: of the claim.
            seconds: after which the claim of an owner that died is void.
        """
        now = time.time()
        with self._open() as rows:
            if rows.execute(_CLAIM, (task_id, owner, now + seconds, now)).rowcount:
                return "taken"
            held = rows.execute("SELECT owner FROM callbacks WHERE task_id = ?", (task_id,)).fetchone()
        return "busy" if held and held[0] else "finished"

    def finish(self, task_id: str) -> None:
        """The callback of this task was handled, for good."""
        with self._open() as rows:
            rows.execute("REPLACE INTO callbacks VALUES (?, NULL, NULL)", (task_id,))

    def release(self, task_id: str, *, owner: str) -> None:
        """The owner could not handle the callback; another may try."""
        with self._open() as rows:
            rows.execute("DELETE FROM callbacks WHERE task_id = ? AND owner = ?", (task_id, owner))

    def _set_up(self) -> None:
        """Makes the tables, which several processes may do at once."""
        until = time.monotonic() + _BUSY
        while True:
            try:
                with self._open() as rows:
                    rows.execute("PRAGMA journal_mode=WAL")
                    rows.executescript(_SCHEMA)
                    # a file of another version is refused before it permits anything
                    rows.execute("SELECT marked FROM submissions LIMIT 0")
            except ConfigurationError as error:
                # SQLite does not wait for its lock where the mode of the file changes
                if not _is_busy(error.__cause__) or time.monotonic() >= until:
                    raise
                time.sleep(0.01)
            else:
                return

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """A connection for one transaction: no thread, process or fork shares one."""
        try:
            with (
                closing(sqlite3.connect(self._path, timeout=_BUSY, isolation_level="IMMEDIATE")) as rows,
                rows,
            ):
                rows.execute("PRAGMA synchronous=FULL")
                yield rows
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(f"the journal {str(self._path)!r} cannot be used: {error}") from error


def _is_busy(error: BaseException | None) -> bool:
    """Whether another process has the file."""
    if not isinstance(error, sqlite3.OperationalError):
        return False
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # the higher bits say why


def _read_one(found: sqlite3.Cursor) -> Submission | None:
    row = found.fetchone()
    return _read(row) if row else None


def _read(row: tuple[str, str, str | None, str, SubmissionState, str | None, float, float]) -> Submission:
    """An intent that nobody has ended in time was left by a dead process: nobody knows how it ended."""
    submission_id, service, key, digest, state, task_id, at, expires = row
    if state == "intent" and time.time() > expires:
        state = "unknown"
    return Submission(submission_id, service, key, state, task_id, datetime.fromtimestamp(at, UTC), digest)
