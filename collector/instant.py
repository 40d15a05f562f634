"""Instants as the journal writes them: UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime

from collector.limits import FIRST_YEAR, LAST_YEAR
from collector.rejection import Rejection


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


def _out_of_range(field: str) -> Rejection:
    return Rejection("time_out_of_range", f"only the years {FIRST_YEAR} to {LAST_YEAR} can be kept - at `$.{field}`")
