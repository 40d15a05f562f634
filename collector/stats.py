"""What the collector counts, for metrics and readiness."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class CollectorStats:
    """A snapshot. Backlog is what is synced in the journal and not yet in the store, over all streams."""

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
    store_refused: int
    ready: bool
    reason: str
