"""Reads a stopped tower's store: whether its verdicts are those of its events.

The board and the breaches as stored are compared, column by column, with a judgement of all orders made afresh.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from tower.engine.books import book_known_at
from tower.engine.replay import judged
from tower.model.connections import Connections
from tower.store.client import Store

# What tells when a row was written, not what it says.
_ASIDE = {
    "orders": ("judged_at", "next_at"),
    "breaches": ("detected_at", "updated_at", "retracted_at"),
}


def read(store: Store) -> dict[str, Any]:
    """Return events as (source, id, milestone, order), states by order, and the differences between tables."""
    now = datetime.now(UTC)
    book = book_known_at(store, now)
    assert book is not None
    with judged(store, lambda _: book, Connections(), as_of=now, known_at=now) as client:
        differences = {table: _differences(client, table) for table in _ASIDE}
        events = client.query(
            "SELECT source, event_id, milestone, arrayStringConcat(on_ids, ',') FROM events"
        ).result_rows
        orders = client.query("SELECT order_id, state FROM orders FINAL WHERE on_board").result_rows
        counted = {
            name: client.query(f"SELECT {sql}").result_rows[0][0]
            for name, sql in {
                "quarantined": "(SELECT count() FROM quarantine)",
                "conflicts": "(SELECT count() FROM conflicts)",
                "open_breaches": "(SELECT count() FROM breaches FINAL WHERE state = 'open')",
                "facts_twice": "(SELECT count() - uniqExact(order_no, object, ev) FROM case_facts FINAL)",
            }.items()
        }
    return {"events": events, "orders": orders, "differences": differences, **counted}


def _differences(client: Client, table: str) -> list[str]:
    """Return rows that only one of the stored and the fresh table has."""
    wanted = [row[0] for row in client.query(f"DESCRIBE TABLE judged_{table}").result_rows]
    columns = ", ".join(f"`{name}`" for name in wanted if name not in _ASIDE[table])
    stored = f"SELECT {columns} FROM {table} FINAL"
    if table == "breaches":
        stored += " WHERE state != 'retracted'"
    fresh = f"SELECT {columns} FROM judged_{table}"
    found = []
    for one, other in ((stored, fresh), (fresh, stored)):
        hashed = f"SELECT order_id, cityHash64(toString(tuple(*))) AS hash FROM ({one})"
        against = f"SELECT cityHash64(toString(tuple(*))) FROM ({other})"
        rows = client.query(
            f"SELECT order_id FROM ({hashed}) WHERE hash NOT IN ({against}) ORDER BY order_id"
        ).result_rows
        found += [str(row[0]) for row in rows]
    return found
