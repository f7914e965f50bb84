"""Points in time as the service writes them; whatever it writes, a datetime in UTC or None."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MILLISECONDS_FROM = 1e11  # below it a number means seconds: 1e11 s is the year 5138, 1e11 ms is 1973
_FULL_DATE = re.compile(r"\b\d{4}\b.*\d")
_LONGEST_TEXT = 40  # characters of any time worth parsing


def moment(value: object) -> datetime | None:
    """A Unix time in milliseconds (documented) or seconds, as number or digits, or an ISO time."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _from_number(value)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        return None
    return _from_number(int(value)) if value.isascii() and value.isdigit() else _from_text(value)


def answered_at(headers: Mapping[str, str]) -> datetime | None:
    """The service's clock when it answered."""
    try:
        return _in_utc(parsedate_to_datetime(headers["date"]))
    except (KeyError, ValueError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the service asks to wait, from a number or a date (RFC 9110, 10.2.3), or None."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    due = _from_text(value) if 0 < len(value) <= _LONGEST_TEXT else None
    if due is None:
        return None
    now = answered_at(headers) or datetime.now(UTC)
    return max(0.0, (due - now).total_seconds())


def _from_number(value: float) -> datetime | None:
    try:
        if math.isfinite(value) and value > 0:
            return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
    except (OverflowError, OSError, ValueError):
        pass
    return None


def _from_text(value: str) -> datetime | None:
    if not _FULL_DATE.search(value):
        return None  # dateutil takes "-3" for the third of this month
    from dateutil import parser

    try:
        return _in_utc(parser.parse(value))
    except (ValueError, OverflowError, TypeError, AttributeError):
        return None


def _in_utc(date: datetime) -> datetime:
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
