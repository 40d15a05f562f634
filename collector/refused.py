"""A journal line that the store refused, as a row of the quarantine that holds its text."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from collector.instant import instant
from collector.rejection import Rejection

_KEPT = ("connection", "kind", "source", "event_id", "type")


def refused_line(line: bytes, error: str) -> bytes:
    """Return a line of plain texts with reason store_refused: what can be read of it, and its bytes."""
    try:
        columns = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        columns = {}
    known: dict[str, Any] = columns if isinstance(columns, dict) else {}
    row: dict[str, Any] = {name: str(known[name]) for name in _KEPT if name in known}
    row |= {
        "received_at": _instant(known.get("received_at")),
        "ev": int.from_bytes(blake2b(line, digest_size=8).digest(), "little"),
        "quarantine": "store_refused",
        "quarantine_detail": f"the store refused this row: {error[:2000]}",
        "raw": line.decode(errors="replace").rstrip("\n"),
    }
    return msgspec.json.encode(row) + b"\n"


def _instant(value: object) -> datetime:
    try:
        return instant(datetime.fromisoformat(str(value)), "received_at")
    except (ValueError, Rejection):
        return datetime(1970, 1, 1, tzinfo=UTC)
