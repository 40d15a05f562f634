"""What the store refused, as a row of the quarantine that holds it."""

from __future__ import annotations

import base64
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
        **_refusal(line, f"the store refused this row: {error}"),
        "raw": line.decode(errors="replace").rstrip("\n"),
    }
    return msgspec.json.encode(row) + b"\n"


def refused_request(kind: str, body: bytes, error: str, now: datetime) -> bytes:
    """Return a line with reason store_refused for a request that is no text; its bytes are kept as base64."""
    row = {
        "received_at": instant(now, "received_at"),
        "type": kind,
        **_refusal(body, f"the store refused this request: {error}"),
        "raw": base64.b64encode(body).decode(),
    }
    return msgspec.json.encode(row) + b"\n"


def _refusal(held: bytes, detail: str) -> dict[str, Any]:
    return {
        "ev": int.from_bytes(blake2b(held, digest_size=8).digest(), "little"),
        "quarantine": "store_refused",
        "quarantine_detail": detail[:2000],
    }


def _instant(value: object) -> datetime:
    try:
        return instant(datetime.fromisoformat(str(value)), "received_at")
    except (ValueError, Rejection):
        return datetime(1970, 1, 1, tzinfo=UTC)
