"""Signed timestamps: close enough to now, or the message may be an old one sent again by someone else."""

from __future__ import annotations

from datetime import UTC, datetime

from collector.verify.message import Unverified

_MOST_DIGITS = 13


def check_moment(text: str, now: datetime, tolerance_s: int, name: str) -> None:
    """Return if a timestamp is at most tolerance_s from now, either way; 0 allows any. Raises Unverified.

    Seconds or milliseconds since 1970, or RFC 3339 (without a zone: UTC).
    """
    try:
        at = _moment(text.strip())
    except (ValueError, OverflowError, OSError):
        raise Unverified(f"{name} is no time") from None
    if tolerance_s and abs((now - at).total_seconds()) > tolerance_s:
        raise Unverified(f"{name} is more than {tolerance_s} s from now; check the sender's clock, or it is a replay")


def _moment(text: str) -> datetime:
    if text.isascii() and text.isdecimal():
        if len(text) > _MOST_DIGITS:
            raise ValueError(text)
        seconds = int(text)
        return datetime.fromtimestamp(seconds / 1000 if len(text) == _MOST_DIGITS else seconds, UTC)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
