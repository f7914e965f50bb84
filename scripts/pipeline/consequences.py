"""What a change means for the facade: its constants by a table, all else from the names in its source."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

from pipeline.changes import Change

HELD: tuple[tuple[str, str], ...] = (
    (r"/properties/model/(?:enum|default)", "inputs.MODEL"),
    (r"/properties/prompt/maxLength", "inputs.PROMPT_MAX"),
    (r"/properties/duration/enum", "inputs.DURATIONS"),
    (r"/properties/image_urls/description", "images.IMAGE_TYPES or images.IMAGE_MAX_BYTES"),
    (r"/properties/image_urls/m(?:ax|in)Items", "inputs.create_request, which sends one image,"),
    (r"/ApiResponse/properties/code/enum", "the table of codes in envelope.judge"),
    (r"/properties/state/enum", "records.TaskState"),
)
"""What of the facade repeats the document, by the end of the pointer; tests/contract compares."""

_SENDING = ("inputs", "images")
_READING = ("operations", "records", "envelope")


@frozen
class Facade:
    """The names in the facade's source, by module, spelled without underscores and capitals."""

    names: dict[str, frozenset[str]]

    def users(self, name: str, *, sending: bool) -> list[str]:
        """The modules that send, or read, something of this name."""
        modules = _SENDING if sending else _READING
        return [module for module in modules if _plain(name) in self.names.get(module, ())]


def read_facade(folder: Path) -> Facade:
    """Collects the names; imports nothing."""
    files = [folder / f"{module}.py" for module in (*_SENDING, *_READING)]
    return Facade({file.stem: frozenset(_names(file.read_text())) for file in files if file.exists()})


def consequence(change: Change, facade: Facade) -> str:
    """What the change means for the facade, in a few words.

    Args:
        change: One difference between the documents.
        facade: The names in the facade's source.
    """
    if change.kind == "prose":
        return "nothing"
    if held := next((what for pattern, what in HELD if re.search(f"{pattern}$", change.pointer)), None):
        return f"{held} must follow"
    about = next((about for pattern, about in _ABOUT if re.search(pattern, change.pointer)), _about_field)
    return about(change, facade)


def _about_server(_change: Change, _facade: Facade) -> str:
    return "nothing by itself: the host is settings.BASE_URL, and no document moves it"


def _about_name(_change: Change, _facade: Facade) -> str:
    return "nothing: the overlays name what is generated"


def _about_path(change: Change, _facade: Facade) -> str:
    if change.verb == "added":
        return "generated code only"
    return "a call that the facade may make is gone or elsewhere: the overlays and the flows must follow"


def _about_required(change: Change, facade: Facade) -> str:
    names = change.after if change.verb == "added" else change.before
    if not isinstance(names, list) or not _is_sent(change):
        return "nothing: whatever an answer lacks is read as absent"
    if change.verb == "removed":
        return "nothing: what is sent may still be sent"
    unsent = [str(name) for name in names if not facade.users(str(name), sending=True)]
    if unsent:
        return f"every create would be refused: inputs.create_request does not send {', '.join(unsent)}"
    return "nothing: inputs.create_request sends it always"


def _about_field(change: Change, facade: Facade) -> str:
    field = _field(change.pointer)
    users = facade.users(field, sending=_is_sent(change)) if field else []
    if not users:
        return "generated code only"
    verb = "sends" if _is_sent(change) else "reads"
    return f"{' and '.join(f'{module}.py' for module in users)} {verb} {field}"


def _is_sent(change: Change) -> bool:
    return "/requestBody/" in change.pointer or "/parameters/" in change.pointer


def _field(pointer: str) -> str | None:
    """The innermost property that the pointer leads into."""
    found = re.findall(r"/properties/([^/]+)", pointer)
    return found[-1] if found else None


def _names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.Constant(value=str(name)):
                yield _plain(name)
            case _:
                pass


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


_ABOUT: tuple[tuple[str, Callable[[Change, Facade], str]], ...] = (
    (r"^#/servers", _about_server),
    (r"^#/paths/[^/]+(?:/[a-z]+)?$", _about_path),
    (r"/(?:operationId|tags(?:/\d+)?)$", _about_name),
    (r"/required$", _about_required),
)
