"""The arguments and options that commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer


class Seconds(StrEnum):
    """The lengths that the model makes."""

    FIVE = "5"
    TEN = "10"

    @property
    def number(self) -> Literal[5, 10]:
        """As the client takes it."""
        return 10 if self is Seconds.TEN else 5


Image = Annotated[str, typer.Argument(help="A JPEG, PNG or WebP of at most 10 MB, or a link to one.")]
Prompt = Annotated[str, typer.Argument(help="What should happen, in at most 1,000 characters.")]
TaskId = Annotated[str, typer.Argument(help="The id that `kling submit` printed.", metavar="ID")]
Duration = Annotated[Seconds, typer.Option("--duration", help="Length of the video in seconds.")]
Sound = Annotated[bool, typer.Option("--sound", help="Add a sound track; doubles the price.")]
CallbackUrl = Annotated[
    str | None,
    typer.Option(
        "--callback-url", metavar="URL", help="Where the service shall POST when the task has ended."
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", help="Your own name for this video: the same key and inputs are never bought twice."
    ),
]
JournalPath = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="PATH",
        envvar="KLING_JOURNAL",
        help="File in which submissions are written down.",
    ),
]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="When to stop waiting; the task goes on.")
]
Turn = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="How long to try before the task is created.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="File or directory for the video; in a directory it is called ID.mp4.",
        show_default=False,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of plain text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
