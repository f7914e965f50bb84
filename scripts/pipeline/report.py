"""What vendoring found and did, for people and for machines."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from attrs import evolve, field, frozen

from pipeline.changes import KINDS, Change
from pipeline.consequences import Facade, consequence
from pipeline.diff import kind_of
from pipeline.errors import FlattenedError, PipelineError, StaleActionError
from pipeline.flat import Difference
from pipeline.revision import Revision

EXIT = {"same": 0, "prose": 1, "additive": 1, "breaking": 2, "unreadable": 3}
_WIDTH = 90  # characters of a value; the document has the rest


@frozen
class Tests:
    """How the contract tests went: the last line of pytest, and one for each failure."""

    passed: bool
    summary: str
    failures: list[str] = field(factory=list[str])


@frozen(kw_only=True)
class Report:
    """All there is to say about a new document.

    Attributes:
        problem: Why nothing can be written, apart from stale actions.
        written: Whether the document has taken its place, and the client was generated from it.
        tests: None if nothing was written.
    """

    source: str
    revision: Revision
    facade: Facade
    problem: PipelineError | None = None
    written: bool = False
    tests: Tests | None = None

    @property
    def kind(self) -> str:
        """``same`` or the gravest kind of change."""
        return kind_of(self.revision.changes)

    @property
    def status(self) -> int:
        """The exit status, which says what upstream did and not how the rest went."""
        return EXIT[self.kind]

    def after_writing(self, tests: Tests) -> "Report":
        """The same, once the document has taken its place."""
        return evolve(self, written=True, tests=tests)

    def lines(self) -> Iterator[str]:
        """For people; the last line is the summary."""
        for kind, changes in groupby(self.revision.changes, key=lambda change: change.kind):
            yield f"{kind}:"
            for change in changes:
                yield f"  {change.pointer}"
                yield f"    {_sentence(change)}"
                yield f"    facade: {consequence(change, self.facade)}"
        yield from _problem_lines(self.revision.stale, self.problem)
        if self.written:
            yield f"written: openapi/{self.revision.source.path}, openapi/sources.toml, generated/kling_api"
            if self.revision.page.form != "JSON":
                yield f"  the document came as {self.revision.page.form} and is kept as JSON"
        if self.tests:
            yield f"contract tests: {self.tests.summary}"
            yield from (f"  {line}" for line in self.tests.failures)
        yield self.summary()

    def summary(self) -> str:
        """One line."""
        kinds = [change.kind for change in self.revision.changes]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS)
        stopped = bool(self.revision.stale or self.problem)
        done = "written" if self.written else "cannot be generated from yet" if stopped else "not written"
        said = "nothing changed" if not kinds else f"{self.kind} ({counts}); {done}"
        return f"{self.revision.source.name} against {self.source}: {said}"

    def as_json(self) -> str:
        """For machines."""
        tests = self.tests
        return _dump(
            {
                "class": self.kind,
                "document": self.revision.source.path,
                "source": self.source,
                "changes": [
                    {
                        "class": change.kind,
                        "change": change.verb,
                        "pointer": change.pointer,
                        "before": change.before,
                        "after": change.after,
                        "facade": consequence(change, self.facade),
                    }
                    for change in self.revision.changes
                ],
                "stale_actions": [str(action) for action in self.revision.stale],
                "problem": str(self.problem) if self.problem else None,
                "written": self.written,
                "tests": tests and {"passed": tests.passed, "failures": tests.failures},
            }
        )


def unreadable_lines(
    source: str, error: PipelineError, differences: tuple[str, list[Difference]] | None
) -> Iterator[str]:
    """What to say of a document that cannot be read; of a flattened page, what its words say."""
    if differences:
        name, found = differences
        yield f"compared word by word with {name}: {len(found)} differences"
        yield from (f"  {difference}" for difference in found)
    yield f"{source}: {error}"
    if isinstance(error, FlattenedError):
        yield "A page copied as plain text can be compared, but not be vendored."
    yield f"Remedy: {error.remedy}"


def unreadable_json(
    source: str, error: PipelineError, differences: tuple[str, list[Difference]] | None
) -> str:
    """The same for machines; ``words`` is null unless the page was flattened."""
    words = differences and {
        "document": differences[0],
        "differences": [
            {"line": found.line, "document": found.document, "page": found.page} for found in differences[1]
        ],
    }
    return _dump({"class": "unreadable", "source": source, "problem": str(error), "words": words})


def _problem_lines(stale: list[StaleActionError], problem: PipelineError | None) -> Iterator[str]:
    if stale:
        yield "stale overlay actions:"
        yield from (f"  {action}" for action in stale)
        yield f"  Remedy: {StaleActionError.remedy}"
    if problem:
        yield f"stopped: {problem}"
        yield f"  Remedy: {problem.remedy}"


def _sentence(change: Change) -> str:
    match change.verb:
        case "added":
            return f"added {_short(change.after)}"
        case "removed":
            return f"removed {_short(change.before)}"
        case "renamed":
            return f"gone, and {_short(change.after)} says the same now"
        case "changed":
            return f"{_short(change.before)} is now {_short(change.after)}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
