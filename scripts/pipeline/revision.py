"""A new version of a vendored document: whose place it takes, what it changes, how it comes in."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import tomlkit
from attrs import frozen

from pipeline.changes import Change
from pipeline.diff import compare
from pipeline.errors import PipelineError, StaleActionError, UnreadableError
from pipeline.reading import Page
from pipeline.sources import Source, Sources
from pipeline.tree import Json, Tree, branch


@frozen
class Revision:
    """What would change if the page took the place of the vendored document.

    Attributes:
        stale: Overlay actions that no longer hold.
    """

    source: Source
    page: Page
    changes: list[Change]
    stale: list[StaleActionError]


def revise(sources: Sources, page: Page, *, name: str | None = None) -> Revision:
    """Compares the page with the vendored document of this name, or with the one that its content tells.

    Raises:
        UnreadableError: Which document it replaces is not clear, or it contradicts itself.
        PipelineError: A vendored document or an overlay is not what was recorded.
    """
    source = named(sources, name) if name else _recognised(sources, page.document)
    vendored = sources.document(source)
    try:
        changes = compare(vendored, page.document)
    except (PipelineError, RecursionError) as error:
        raise UnreadableError(f"the new document contradicts itself: {error}") from None
    return Revision(source, page, changes, sources.stale_actions(source, page.document))


def named(sources: Sources, name: str) -> Source:
    """The vendored document of this name.

    Raises:
        UnreadableError: There is none.
    """
    known = {source.name: source for source in sources.documents}
    if name not in known:
        raise UnreadableError(f"{name} is none of the vendored documents {', '.join(known)}")
    return known[name]


def install(revision: Revision, content: bytes, *, openapi: Path, into: Path) -> None:
    """Writes a copy of the folder ``openapi`` in which the new document has its place and its digest.

    Args:
        revision: The new document.
        content: Its bytes as fetched, kept if they are JSON.
        openapi: The folder of ``sources.toml``.
        into: The copy; it must not exist yet.
    """
    copytree(openapi, into)
    if revision.page.form != "JSON":
        content = json.dumps(revision.page.document, indent=2, ensure_ascii=False).encode() + b"\n"
    (into / revision.source.path).write_bytes(content)
    record = tomlkit.parse((into / "sources.toml").read_text())
    for row in record["documents"]:
        if row["path"] == revision.source.path:
            row["sha256"] = sha256(content).hexdigest()
            row["retrieved"] = datetime.now(UTC).date()
    (into / "sources.toml").write_text(tomlkit.dumps(record))


def _recognised(sources: Sources, document: Tree) -> Source:
    """By its marks; a sibling page shares the path of a create, but neither operationId nor model."""
    theirs = _marks(document)
    found = list[Source]()
    for source in sources.documents:
        ours = _marks(sources.document(source))
        if 2 * len(ours & theirs) >= len(ours):
            found.append(source)
    if len(found) == 1:
        return found[0]
    names = ", ".join(source.name for source in found or sources.documents)
    what = "could be any of" if found else "is, by its paths, operationIds and models, none of"
    raise UnreadableError(f"the document {what} {names}: say which it replaces with --as")


def _marks(document: Tree) -> set[str]:
    """Paths with methods, operationIds, and values that a request must have."""
    marks: set[str] = set()
    for path, operations in branch(document.get("paths")).items():
        for method, operation in branch(operations).items():
            marks |= {f"{method} {path}", f"operationId {branch(operation).get('operationId')}"}
            marks |= _constants(branch(operation).get("requestBody"))
    return marks


def _constants(node: Json) -> set[str]:
    if isinstance(node, list):
        return {mark for item in node for mark in _constants(item)}
    values = branch(node).get("enum")
    own = {f"value {values[0]}"} if isinstance(values, list) and len(values) == 1 else set[str]()
    return own.union(*(_constants(value) for value in branch(node).values()))
