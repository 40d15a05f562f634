"""Breaches that changed, read with their order and rule as routes match them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from rules.match import OF_BREACHES
from rules.model import Book, Stage
from tower.alerts.breach import Breach
from tower.model.connections import Connections
from tower.store.sql import load

_SCOPE = ("company", "warehouse", "partner")


_SINCE = "breach_changes WHERE updated_at > {since:DateTime64(3, 'UTC')}"
_MOVED = f"""(SELECT order_no, rule, kind, object FROM {_SINCE} UNION ALL
    SELECT order_no, rule, kind, object FROM breaches FINAL
    WHERE order_no IN {{moved:Array(UInt64)}} AND state = 'open')"""
_STANDING = """(SELECT order_no, rule, kind, object FROM breaches FINAL WHERE state = 'open' OR breach_id IN (
    SELECT breach_id FROM alert_breaches FINAL
    WHERE state = 'open' AND alert_id IN (SELECT alert_id FROM alerts FINAL WHERE closed_at IS NULL)))"""


def read_changes(
    client: Client, book: Book, connections: Connections, since: datetime | None, moved: Sequence[int] = ()
) -> list[Breach]:
    """Return the breaches that changed after `since`, as they are now, and the open ones of the orders in `moved`.

    Without `since` all that are open, here or in an alert.
    """
    changed = _STANDING if since is None else _MOVED if moved else _SINCE
    text = load("alert_changes").replace("$changed", changed)
    found = client.query(text, parameters={"since": since, "moved": list(moved)} if since else None)
    rows = (dict(zip(found.column_names, row, strict=True)) for row in found.result_rows)
    return [breach_of(row, book, connections) for row in rows]


def breach_of(row: Mapping[str, Any], book: Book, connections: Connections) -> Breach:
    """Return the breach of a row: its own columns, its order's and what the book says of its rule."""
    facts: dict[str, str | Decimal | None] = {
        name: row.get(name) or "" for name in OF_BREACHES.texts if name not in ("stage", "owner", "severity", "target")
    }
    facts |= {name: row.get(name) for name in OF_BREACHES.numbers}
    rule = str(row["rule"])
    finding = next((f for f in book.findings if f.id == rule), None)
    stage = book.stage(rule) or _stage_of(str(row["milestone"]), book)
    said = finding or stage
    facts["stage"] = stage.id if stage else ""
    facts["owner"], facts["severity"] = (said.owner, said.severity) if said else ("", "")
    action = book.action_for(stage.id) if stage else None
    facts["target"] = action.target if action else ""
    if row["object_type"] == "connection":
        facts["connection"] = str(row["object_id"])
        own = connections.named(str(row["object_id"]))
        facts |= {name: getattr(own, name) if own else "" for name in _SCOPE}
    over_at = row["over_at"] if row["state"] != "open" else None
    return Breach(
        str(row["breach_id"]), str(row["state"]), row["opened_at"], row["detected_at"], over_at, facts,
        int(row["order_no"]),
    )  # fmt: skip


def _stage_of(milestone: str, book: Book) -> Stage | None:
    """Return the first stage that ends with a milestone: what fails there belongs to it."""
    return next((s for s in book.stages if milestone and s.end.milestone == milestone), None)
