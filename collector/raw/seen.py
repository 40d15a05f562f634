"""Which messages were taken before: by the sender's id for nine days, by the body alone for one.

The body alone decides only where the id is missing or not signed: whoever holds one genuine body could give it any
id. Another body under a signed id is no repeat; it is kept, and a rule that ignores arrival chooses (docs/events.md).
Best effort: a repeat that slips through makes the same events again, which changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from collector.raw.days import Days
from collector.raw.message import raw_id_of

ID_DAYS = 9
BODY_FOR = timedelta(hours=24)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Seen:
    """The messages of all connections. Used by the doors' one thread."""

    def __init__(self) -> None:
        self._ids = Days(ID_DAYS)
        self._bodies = Days(2)

    def look(self, connection: str, event_id: str, signed: bool, digest: str, now: datetime) -> str:
        """Return the raw id of the message that this one repeats, '' when it is new."""
        if event_id:
            at = self._ids.get(_key(connection, event_id, digest))
            if at is not None:
                return raw_id_of(connection, digest, _instant(at))
            if signed:
                return ""
        at = self._bodies.get(_key(connection, digest))
        if at is None or now - _instant(at) > BODY_FOR:
            return ""
        return raw_id_of(connection, digest, _instant(at))

    def remember(self, connection: str, event_id: str, digest: str, at: datetime) -> None:
        """Keep a message that is durable."""
        moment = (at - _EPOCH) // timedelta(milliseconds=1)
        day = moment // 86_400_000
        self._bodies.put(_key(connection, digest), moment, day)
        if event_id:
            self._ids.put(_key(connection, event_id, digest), moment, day)


def _key(*parts: str) -> int:
    return int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=8).digest(), "little")


def _instant(moment: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=moment)
