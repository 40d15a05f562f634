"""The source's version of a state as a number that rises: a counter, or an instant in milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime

_LARGEST = 2**63 - 1


def version_number(text: str) -> int:
    """Return the number of a version, 0 for one that has no order. A time without a zone is UTC."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return int(text) if len(text) < 20 and int(text) <= _LARGEST else 0
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(int(at.timestamp() * 1000), 0)
    except (ValueError, OverflowError, OSError):
        return 0
