"""The ledger of what was earned: written by the engine's process, line by line, and never changed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from rules.model import Book
from tower.store.client import Store
from tower.store.sql import load
from tower.value.baseline import LANE
from tower.value.earned import EARNED, Earned
from tower.value.ground import Window

ESTIMATE, REALIZED, MOVED = "estimate", "realized", "moved"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of value_ledger; see migration 0019 for the columns."""

    kind: str
    figure: str
    since: datetime
    until: datetime
    stage: str
    item_id: str = ""
    order_id: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    amount: Decimal | None = None
    treated: int = 0
    matched: int = 0
    twins: int = 0
    reason: str = ""


_COLUMNS = [f.name for f in fields(Line)]


def estimates(found: Sequence[Earned], window: Window) -> list[Line]:
    """Return the lines that say what the acts of a period won, refusals included."""
    lines: list[Line] = []
    for part in found:
        empty = Line(
            ESTIMATE, "", window.since, window.until, part.stage, treated=part.treated, matched=part.matched,
            twins=part.twins,
        )  # fmt: skip
        for metric in EARNED:
            told = part.told[metric.id]
            value, low, high = (None if n is None else float(n) for n in (told.value, told.low, told.high))
            lines.append(replace(empty, figure=metric.id, value=value, low=low, high=high, reason=told.refused))
    return lines


def realized(client: Client) -> list[Line]:
    """Return a line for each act proved since the last look, and one that takes back each that is proved no longer."""
    rows = client.query(load("value_realized")).result_rows
    return [
        Line(REALIZED, MOVED, since, until, stage, item_id, order_id, float(moved), amount=amount)
        for item_id, order_id, stage, since, until, amount, moved in rows
    ]


def write(store: Store, lines: Sequence[Line], book: Book, now: datetime) -> int:
    """Add lines to the ledger, synced on return; return how many."""
    if lines:
        rate_date = max((r.since for r in book.value.rates), default="")
        own = [now, book.value.currency, rate_date, book.hash]
        rows = [[uuid.uuid4().hex, *own, *(getattr(line, c) for c in _COLUMNS)] for line in lines]
        names = ["entry_id", "computed_at", "currency", "rate_date", "book", *_COLUMNS]
        with store.writer(LANE) as client:
            client.insert("value_ledger", rows, column_names=names)
    return len(lines)


def read(client: Client, kind: str, known_at: datetime, limit: int) -> list[dict[str, Any]]:
    """Return the latest lines of a kind, as they were known at a moment."""
    found = client.query(load("value_ledger"), parameters={"kind": kind, "known_at": known_at, "limit": limit})
    return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]


def realized_totals(client: Client, window: Window, known_at: datetime) -> list[dict[str, Any]]:
    """Return what was realized by acts proved within a window, by stage."""
    bound = {"since": window.since, "until": window.until, "known_at": known_at}
    found = client.query(load("value_realized_total"), parameters=bound)
    return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
