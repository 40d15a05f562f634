"""Which connection a source belongs to, and whether this caller may speak for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from collector.instant import instant
from tower.model.connections import Connections
from tower.model.principal import Principal

# Sources of what operators state here; their word on a link counts before any system's, so no system may use them.
OPERATORS = "/tower/"


@dataclass(frozen=True, slots=True)
class Sender:
    """One source in one request. head is the part of its journal lines that does not depend on the event.

    partner: whose orders alone its events may speak of; limited: its connection has a share that is counted.
    """

    allowed: bool
    connection: str
    kind: str
    scope: str
    attributes: frozenset[str]
    head: bytes
    partner: str = ""
    limited: bool = False


class Senders:
    """The sources of one request, each looked up once."""

    def __init__(self, connections: Connections, principal: Principal, now: datetime) -> None:
        self._connections = connections
        self._principal = principal
        self._received_at = instant(now, "received_at")
        self._known: dict[str, Sender] = {}

    def find(self, source: str) -> Sender:
        """Return the sender behind a source."""
        sender = self._known.get(source)
        if sender is None:
            sender = self._known[source] = self._look_up(source)
        return sender

    def _look_up(self, source: str) -> Sender:
        connection = self._connections.find(source)
        name = connection.name if connection else ""
        kind = self._connections.kind_of(source)
        head = msgspec.json.encode({"received_at": self._received_at, "connection": name, "kind": kind})[1:-1]
        return Sender(
            self._principal.may_send_for(name) and not source.startswith(OPERATORS),
            name,
            kind,
            connection.scope if connection else "",
            connection.attributes if connection else frozenset(),
            head,
            connection.partner if connection else "",
            bool(connection and (connection.limits.per_second or connection.limits.per_day)),
        )
