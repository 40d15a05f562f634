"""A kept message to lines for the events journal: usable events, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from collector.raw.message import RawMessage
from collector.raw.unusable import unusable_line
from tower.model.connections import Connections


class Made(NamedTuple):
    """What became of a message. mapping: name@version:hash8 of what read it."""

    lines: Sequence[bytes]
    events: int = 0
    quarantined: int = 0
    mapping: str = ""

    @property
    def outcome(self) -> str:
        """The word for it, as table `raw` says."""
        if self.events:
            return "partly" if self.quarantined else "mapped"
        return "quarantined" if self.quarantined else "ignored"


class Mapper:
    """Reads the messages of all connections with their mapping sets."""

    def __init__(self, connections: Connections, milestones: Callable[[], frozenset[str]]) -> None:
        self._connections = connections
        self._milestones = milestones

    def read(self, message: RawMessage, _body: bytes) -> Made:
        """Return what a message says; raises nothing that its content could cause."""
        connection = self._connections.named(message.connection)
        if connection is None:
            return self.unusable(
                message, "unmapped_payload", "its connection is no longer configured; add it and replay"
            )
        if not connection.mapping:
            detail = "its connection names no mapping; write mapping: in the connections file and replay"
        else:
            detail = f"no mapping of {connection.mapping} matches {message.topic or 'it'}"
        return self.unusable(message, "unmapped_payload", detail)

    def unusable(self, message: RawMessage, reason: str, detail: str) -> Made:
        """Return that a whole message could not be used."""
        connection = self._connections.named(message.connection)
        kind, source = (connection.kind, connection.source) if connection else ("", "")
        return Made([unusable_line(message, kind, source, reason, detail)], quarantined=1)
