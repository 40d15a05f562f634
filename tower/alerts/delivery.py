"""One notice on one way to its receiver, and what becomes of it with each answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from tower.store.sql import load

# Seconds before each further try: minutes for a restart, days for a weekend. As Standard Webhooks proposes.
WAITS_S = (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
_JITTER = 0.2
COLUMNS = (
    "notice_id", "channel", "alert_id", "number", "receiver", "reason", "priority", "at", "body", "covers", "urgent",
    "state", "attempts", "next_at", "sent_at", "detail", "updated_at", "revision",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of `notices`."""

    notice_id: str
    channel: str
    alert_id: str
    number: int
    receiver: str
    reason: str
    priority: str
    at: datetime
    body: str
    covers: tuple[str, ...] = ()
    urgent: bool = False
    state: str = "due"
    attempts: int = 0
    next_at: datetime | None = None
    sent_at: datetime | None = None
    detail: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What names the row."""
        return self.notice_id, self.channel


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a send. verdict: sent, refused (never again), gone (the address is off) or unknown (try again)."""

    verdict: str
    detail: str
    retry_after_s: int | None = None


def claimed(delivery: Delivery) -> Delivery:
    """Return the delivery as it is written down before the send."""
    return replace(delivery, state="sending", attempts=delivery.attempts + 1, next_at=None)


def after(delivery: Delivery, outcome: Outcome, at: datetime, chance: float) -> Delivery:
    """Return the delivery after an answer. chance, 0 to 1, spreads the retries of many."""
    if outcome.verdict == "sent":
        return replace(delivery, state="sent", sent_at=at, detail=outcome.detail)
    if outcome.verdict in ("refused", "gone") or delivery.attempts > len(WAITS_S):
        return replace(delivery, state="failed", detail=outcome.detail)
    wait_s = max(WAITS_S[delivery.attempts - 1], outcome.retry_after_s or 0) * (1 + _JITTER * chance)
    return replace(delivery, state="due", next_at=at + timedelta(seconds=wait_s), detail=outcome.detail)


def write_deliveries(client: Client, deliveries: Sequence[Delivery], now: datetime, revision: int) -> None:
    """Write rows of `notices` in one insert, so that all of them are there or none; synced on return."""
    if deliveries:
        rows = [[*_values(d), now, revision] for d in deliveries]
        client.insert("notices", rows, column_names=COLUMNS)


def _values(d: Delivery) -> list[Any]:
    return [
        d.notice_id, d.channel, d.alert_id, d.number, d.receiver, d.reason, d.priority, d.at, d.body, list(d.covers),
        int(d.urgent), d.state, d.attempts, d.next_at, d.sent_at, d.detail,
    ]  # fmt: skip


def read_open(client: Client) -> list[Delivery]:
    """Return what is not at its end: due, or sending when the process died."""
    found = client.query(load("notices_open"))
    rows: list[dict[str, Any]] = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
    return [Delivery(**{**row, "covers": tuple(row["covers"]), "urgent": bool(row["urgent"])}) for row in rows]
