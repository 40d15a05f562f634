"""How many notices a receiver would get on a day under each book: verdicts that open, grouped as its routes group them.

A simple count: one notice a group and day, and of those above a receiver's cap what it lets through in a day with its
summaries. Waiting times, silences, inhibition and escalation are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from rules.model import Book, Cap, Route
from rules.read.routes import ALONE
from rules.vocabulary import TEXT_ATTRIBUTES
from tower.alerts.breach import Breach
from tower.alerts.reader import breach_of
from tower.alerts.tree import every_route, group_key, labels_of, routes_of
from tower.model.connections import Connections
from tower.store.sql import load

# What routes may ask for -> where an order has it. What only the breach has (system, error) is not known here.
_OF_ORDERS = {name: name for name in (*TEXT_ATTRIBUTES, "priority", "order_id", "quantity")} | {
    "amount": "worth",
    "value": "worth",
}
_DAY_S = 86_400


@dataclass(slots=True)
class Told:
    """Notices to one receiver on one day: groups by whether a cap may hold them back, and breaches told one by one."""

    groups: dict[str, bool] = field(default_factory=dict)
    single: int = 0
    urgent: int = 0

    def add(self, route: Route, breach: Breach, count: int) -> None:
        """Count so many verdicts that read alike."""
        urgent = breach.priority in route.at_once
        if route.group_by != (ALONE,):
            key = group_key(route, labels_of(route, breach))
            self.groups[key] = self.groups.get(key, False) or urgent
        elif urgent:
            self.urgent += count
        else:
            self.single += count

    def total(self, cap: Cap | None) -> int:
        """Return how many go out."""
        urgent = self.urgent + sum(self.groups.values())
        rest = self.single + len(self.groups) - sum(self.groups.values())
        if cap is None:
            return urgent + rest
        times = max(1, _DAY_S // cap.per_s)
        return urgent + min(rest, max(0, cap.notices * times - urgent) + times)


_Counts = dict[tuple[date, str], Told]


def per_day(client: Client, old: Book, new: Book, connections: Connections, since: datetime) -> list[dict[str, Any]]:
    """Return notices by day and receiver under both books, by day; verdicts by owner where a book has no routes."""
    asked = sorted({n for book in (old, new) for n in _asked(book.routes)} & _OF_ORDERS.keys())
    columns = "".join(f", {_OF_ORDERS[name]} AS o_{name}" for name in asked)
    grouped = "".join(f", o_{name}" for name in asked)
    text = load("backtest_openings").replace("$columns", columns, 1).replace("$columns", grouped)
    found = client.query(text, parameters={"since": since})
    rows = [
        dict(zip([n.removeprefix("o_") for n in found.column_names], row, strict=True)) for row in found.result_rows
    ]
    books = {"under_old": old, "under_new": new}
    counted = {side: _counted(rows, side, book, connections) for side, book in books.items()}
    keys = sorted({key for counts in counted.values() for key in counts})
    return [
        {
            "day": day,
            "receiver": name,
            **{side: _total(counted[side].get((day, name)), book, name) for side, book in books.items()},
        }
        for day, name in keys
    ]


def _asked(root: Route | None) -> set[str]:
    if root is None:
        return set()
    return {
        name
        for route in every_route(root)
        for name in ("priority", *route.group_by, *(c.attribute for group in route.when.any_of for c in group))
    }


def _counted(rows: Iterable[Mapping[str, Any]], side: str, book: Book, connections: Connections) -> _Counts:
    counts: _Counts = {}
    for row in rows:
        if not row[side]:
            continue
        breach = _breach(row, book, connections)
        if book.routes is None:
            counts.setdefault((row["day"], breach.text("owner")), Told()).single += row[side]
            continue
        for route in routes_of(book.routes, breach):
            counts.setdefault((row["day"], route.receiver), Told()).add(route, breach, row[side])
    return counts


def _breach(row: Mapping[str, Any], book: Book, connections: Connections) -> Breach:
    life = {
        "breach_id": "", "state": "open", "opened_at": row["day"], "detected_at": row["day"], "over_at": None,
        "milestone": str(row["rule"]).removesuffix(".failed"),
    }  # fmt: skip
    return breach_of({**row, **life, "order_no": 0, "object_id": ""}, book, connections)


def _total(told: Told | None, book: Book, receiver: str) -> int:
    known = book.receivers.get(receiver)
    return told.total(known.cap if known else None) if told else 0
