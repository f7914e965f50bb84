"""What can stop the pipeline, each with the way on.

PipelineError
├── UnreadableError       a new document cannot be read, or not told apart
│   └── FlattenedError    a page copied as plain text: its indentation is lost
├── SourceError           sources.toml, or a file that it names, is not what was recorded
├── OverlayError          an overlay is not written as the guard wants it
│   └── StaleActionError  the document no longer says what an action relies on
├── CollisionError        one name means different things
└── ToolError             the generator or ruff is missing or of another version
    └── GeneratorError    the generator refused the document, or warned
"""

from typing import ClassVar


class PipelineError(Exception):
    """The pipeline stopped and wrote nothing; ``remedy`` says what to do about it."""

    remedy: ClassVar[str] = "mend the named file and run scripts/regenerate.py again"


class UnreadableError(PipelineError):
    """A new document is out of reach, is no OpenAPI document, or could replace several."""

    remedy = (
        "give the page's OpenAPI document as JSON, YAML, or the page itself in markdown "
        "(most documentation sites serve it at the page's address with .md at its end)"
    )


class FlattenedError(UnreadableError):
    """A page copied as plain text; what belongs to what cannot be told any more.

    Attributes:
        text: The page as it came, for a comparison by words.
    """

    def __init__(self, message: str, *, text: str) -> None:
        super().__init__(message)
        self.text = text


class SourceError(PipelineError):
    """``sources.toml``, or a file that it names, is missing or not what was recorded."""

    remedy = "restore the file from version control; a new document comes in by scripts/vendor.py"


class OverlayError(PipelineError):
    """An overlay cannot be read as one."""

    remedy = "mend the action in openapi/overlays"


class StaleActionError(OverlayError):
    """The document no longer says what an action relies on."""

    remedy = (
        "look up the target in the vendored document; if upstream changed, adapt the action "
        "and its x-expects; if upstream mended it, delete the action"
    )


class CollisionError(PipelineError):
    """Two documents, or two parts of an allOf, mean different things by one name."""

    remedy = "give one of the two another name, or make them agree, by an action in openapi/overlays"


class ToolError(PipelineError):
    """The generator or ruff is missing, has another version than the pinned one, or complained."""

    remedy = 'install the pinned tools: python -m pip install -e ".[dev]"'


class GeneratorError(ToolError):
    """The generator refused the document or warned, and would have left something out."""

    remedy = "the warning names what the generator cannot express: mend it by an action in openapi/overlays"
