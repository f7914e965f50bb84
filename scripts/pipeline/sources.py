"""What ``openapi/sources.toml`` records: vendored documents, overlays, digests and pinned tools."""

import json
import tomllib
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import field, frozen, validators
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.bundle import bundle, untitled
from pipeline.errors import SourceError, StaleActionError
from pipeline.overlay import apply, attempt
from pipeline.tree import Tree, branch

_TEXT = validators.matches_re(".+")


@frozen(kw_only=True)
class Source:
    """One vendored document; paths are relative to the folder of ``sources.toml``."""

    path: str = field(validator=_TEXT)
    overlay: str = field(validator=_TEXT)
    origin: str = field(validator=_TEXT)
    retrieved: date = field(validator=validators.instance_of(date))
    sha256: str = field(validator=validators.matches_re("[0-9a-f]{64}"))

    @property
    def name(self) -> str:
        """The short name, for messages."""
        return Path(self.path).stem


@frozen(kw_only=True)
class Sources:
    """All documents in the order of the bundle, with what is needed to mend and generate."""

    folder: Path
    every: str
    documents: tuple[Source, ...]
    tools: dict[str, str]

    def document(self, source: Source) -> Tree:
        """The vendored document, checked against its recorded digest.

        Raises:
            SourceError: It is missing, unreadable, or not the one that was recorded.
        """
        content = _read(self.folder / source.path)
        if (found := sha256(content).hexdigest()) != source.sha256:
            raise SourceError(f"{source.path}: recorded sha256 {source.sha256}, found {found}")
        try:
            return branch(json.loads(content))
        except ValueError as error:
            raise SourceError(f"{source.path}: {error}") from None

    def overlays(self, source: Source) -> list[Tree]:
        """The overlay for every document, then the document's own.

        Raises:
            SourceError: One is missing or no YAML.
        """
        return [self._overlay(path) for path in (self.every, source.overlay)]

    def mended(self, source: Source) -> Tree:
        """The vendored document with its overlays applied; only overlays name models.

        Raises:
            PipelineError: A file is not what was recorded, or an action is stale.
        """
        document = untitled(self.document(source))
        for overlay in self.overlays(source):
            document = apply(overlay, document)
        return document

    def stale_actions(self, source: Source, document: Tree) -> list[StaleActionError]:
        """What the guard would say if the document took the place of the vendored one.

        Raises:
            PipelineError: An overlay is missing or not written as the guard wants it.
        """
        mended, complaints = untitled(document), list[StaleActionError]()
        for overlay in self.overlays(source):
            mended, stale = attempt(overlay, mended)
            complaints += stale
        return complaints

    def bundled(self) -> Tree:
        """The one document that the client is generated from.

        Raises:
            PipelineError: A file is not what was recorded, an action is stale, or names collide.
        """
        return bundle({source.name: self.mended(source) for source in self.documents})

    def _overlay(self, path: str) -> Tree:
        yaml: Any = YAML(typ="safe", pure=True)
        try:
            return branch(yaml.load(_read(self.folder / path)))
        except YAMLError as error:
            raise SourceError(f"{path}: {error}") from None


def read_sources(folder: Path) -> Sources:
    """Reads ``sources.toml`` in the folder.

    Raises:
        SourceError: It is missing, no TOML, or a field is missing, unknown or of the wrong type.
    """
    try:
        record: dict[str, Any] = tomllib.loads(_read(folder / "sources.toml").decode())
        return Sources(
            folder=folder,
            every=record["overlays"]["every"],
            documents=tuple(Source(**row) for row in record["documents"]),
            tools=dict(record["tools"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"sources.toml: {error!r}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name}: {error.strerror}") from None
