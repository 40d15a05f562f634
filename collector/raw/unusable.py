"""An authentic message, or a part of one, that could not be used: its line for the events journal.

The message itself is not copied: it stays sealed in `raw`, which the line names.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from collector.raw.message import RawMessage

_DETAIL = 2000


def unusable_line(
    message: RawMessage, kind: str, source: str, reason: str, detail: str, *, position: str = "", mapping: str = ""
) -> bytes:
    """Return the line. The same message, position, reason and mapping give the same row of the quarantine."""
    subject = "\0".join((message.raw_id, position, reason, mapping))
    where = f"{position}: " if position else ""
    row = {
        "received_at": message.received_at,
        "connection": message.connection,
        "kind": kind,
        "ev": int.from_bytes(blake2b(subject.encode(), digest_size=8).digest(), "little"),
        "source": source,
        "event_id": message.event_id,
        "type": message.topic,
        "quarantine": reason,
        "quarantine_detail": f"{where}{detail}"[:_DETAIL],
        "raw_id": message.raw_id,
        "mapping": mapping,
    }
    return msgspec.json.encode(row) + b"\n"
