"""An app of twenty lines: sends moving postcards, and says so when it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kling_facade import Kling, TaskFailedError, WaitTimeoutError
from kling_facade.errors import InsufficientCreditsError

if TYPE_CHECKING:
    from pathlib import Path


def make_postcard(kling: Kling, picture: Path, wish: str) -> str:
    """The path of the postcard, or what to tell the customer."""
    try:
        video = kling.generate(picture, wish, timeout=15 * 60)
    except TaskFailedError as error:
        return "Please choose other words." if error.failure.kind == "moderation" else "Please try again."
    except WaitTimeoutError as error:
        return f"It takes longer than usual. Ask again for {error.task_id}."
    except InsufficientCreditsError:
        return "We are sold out."
    return str(video.save(picture.with_suffix(".mp4")))
