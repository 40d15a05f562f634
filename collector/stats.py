"""What the collector counts, for metrics and readiness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class ConnectionTotals:
    """Native messages of one connection since start: kept, repeated, unproved, over its share, else refused; then what
    was made of them: events, parts in quarantine, notes on what their envelopes got wrong, documents that broke their
    contract, and what has drifted and was not accepted (also before the start). today: what its share has counted.
    """

    today: int = 0
    received: int = 0
    duplicate: int = 0
    unverified: int = 0
    throttled: int = 0
    refused: int = 0
    events: int = 0
    quarantined: int = 0
    notes: int = 0
    contract: int = 0
    drift: int = 0

    def refuse(self, code: str) -> None:
        """Count a refusal by the code of its problem."""
        if code in ("unverified", "unauthenticated", "forbidden_connection"):
            self.unverified += 1
        elif code == "throttled":
            self.throttled += 1
        else:
            self.refused += 1


@dataclass(slots=True)
class Totals:
    """Events since start, by verdict. refused: requests turned away before their events were looked at."""

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    rejected: int = 0
    refused: int = 0
    spans: int = 0
    spans_rejected: int = 0
    logs: int = 0
    logs_rejected: int = 0
    connections: dict[str, ConnectionTotals] = field(default_factory=dict)

    def of(self, connection: str) -> ConnectionTotals:
        """Return the counts of one connection's native door."""
        return self.connections.setdefault(connection, ConnectionTotals())


@dataclass(frozen=True, slots=True)
class CollectorStats:
    """A snapshot. Backlog is what is synced in the journal and not yet in the store, over all streams.

    folders: why the watched folder of a connection cannot be looked after, by connection.
    """

    backlog_bytes: int
    backlog_lines: int
    oldest_unstored_s: float
    accepted: int
    duplicate: int
    quarantined: int
    rejected: int
    refused: int
    spans: int
    spans_rejected: int
    logs: int
    logs_rejected: int
    store_refused: int
    connections: Mapping[str, ConnectionTotals]
    folders: Mapping[str, str]
    ready: bool
    reason: str
