"""Instants as the journal writes them: UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from collector.limits import FIRST_YEAR, LAST_YEAR
from collector.rejection import Rejection

_encode = msgspec.json.Encoder().encode
_WHOLE_SECONDS = len(b'"2026-03-01T09:30:00Z"')


def instant(at: datetime, field: str) -> datetime:
    """Return the instant in UTC, cut (not rounded) to the millisecond.

    Raises Rejection outside 1900 to 2199, in which all arithmetic on instants is safe.
    """
    if at.tzinfo is not UTC:
        try:
            at = at.astimezone(UTC)
        except OverflowError:
            raise _out_of_range(field) from None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise _out_of_range(field)
    beyond = at.microsecond % 1000
    return at.replace(microsecond=at.microsecond - beyond) if beyond else at


def instant_text(at: datetime, field: str) -> bytes:
    """Return the instant as JSON in its one spelling: UTC, cut to the millisecond. Raises Rejection."""
    if at.tzinfo is not UTC or not FIRST_YEAR <= at.year <= LAST_YEAR:
        at = instant(at, field)
    text = _encode(at)
    if len(text) == _WHOLE_SECONDS:
        return text
    return text[:20] + b'Z"' if text[20:24] == b".000" else text[:24] + b'Z"'


def _out_of_range(field: str) -> Rejection:
    return Rejection("time_out_of_range", f"only the years {FIRST_YEAR} to {LAST_YEAR} can be kept - at `$.{field}`")
