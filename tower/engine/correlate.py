"""From new events to cases: which orders each new fact and link belongs to, and which orders it touches.

Membership only grows: an object stays listed under every order it was ever linked to, and judging decides by the
links that hold at the moment asked about. So a repeated or half-finished run changes nothing, a late link copies
what the object already had, and a retraction needs no rewriting at all.
"""

from __future__ import annotations

from datetime import datetime
from weakref import WeakKeyDictionary

from clickhouse_connect.driver.client import Client

from rules.vocabulary import MAX_CANDIDATES, MAX_ORDERS_PER_OBJECT
from tower.store.sql import load

_FACT_COLUMNS = (
    "object, object_type, object_id, ev, body, event_id, source, connection, kind, milestone, polarity, occurred_at, "
    "received_at, amount, quantity, currency, customer_id, customer_tier, channel, order_type, company, warehouse, "
    "partner, promised_at, requested_at, reason, error, trace_id, raw_id, mapping, source_version"
)
_LINK_COLUMNS = (
    "child, child_type, child_id, parent, parent_type, parent_id, relation, retract, ev, body, event_id, source, "
    "occurred_at, received_at"
)
# Which temporary tables a client already has; making one plans its statement twice.
_MADE: WeakKeyDictionary[Client, set[str]] = WeakKeyDictionary()


def _count(client: Client, table: str) -> int:
    return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])


def _temporary(
    client: Client, table: str, select: str, parameters: dict[str, object] | None = None, *, fill: bool = True
) -> None:
    """Fill a temporary table with what the SELECT gives, and nothing else. fill: False where that is known to be nothing."""
    made = _MADE.setdefault(client, set())
    if table in made:
        client.command(f"TRUNCATE TABLE {table}")
    else:
        client.command(
            f"CREATE OR REPLACE TEMPORARY TABLE {table} ENGINE = Memory EMPTY AS\n{select}", parameters=parameters
        )
        made.add(table)
    if fill:
        client.command(f"INSERT INTO {table}\n{select}", parameters=parameters)


def correlate(client: Client, after: datetime, until: datetime) -> int:
    """Add the events stored in (after, until] to their cases and their order numbers to `touched`.

    Returns how many events there were. `touched` is a temporary table of the caller. Safe to repeat.
    """
    _temporary(client, "batch", load("correlate_batch"), {"after": after, "until": until})
    events, links = client.query("SELECT count(), sum(length(child_ids)) FROM batch").result_rows[0]
    if not events:
        return 0
    _temporary(client, "batch_facts", load("correlate_facts"))
    _temporary(client, "batch_links", load("correlate_links"), fill=links > 0)
    _temporary(client, "batch_objects", load("correlate_objects"))
    _temporary(client, "numbered", load("correlate_number_orders"))
    for table in ("order_objects", "order_numbers") if _count(client, "numbered") else ():
        client.command(
            f"INSERT INTO {table} (order_no, object, order_id) SELECT order_no, object, order_id FROM numbered"
        )
    _temporary(client, "known", load("correlate_known"))
    _temporary(client, "pairs", load("correlate_pairs"))
    _temporary(client, "gained", load("correlate_gained"))
    if _count(client, "gained"):
        _descend(client)
        _copy(client)
    sizes = {row[0]: row[1] for row in client.query(load("correlate_sizes")).result_rows}
    crowded = sizes["wide_objects"] or sizes["places"] > min(MAX_CANDIDATES, MAX_ORDERS_PER_OBJECT)
    if crowded:
        _widen(client)
    client.command(
        f"INSERT INTO case_facts (order_no, {_FACT_COLUMNS}) "
        f"SELECT ifNull(pairs.order_no, 0), {_prefixed('batch_facts', _FACT_COLUMNS)} FROM batch_facts "
        "LEFT JOIN pairs ON pairs.object = batch_facts.object"
    )
    if links:
        client.command(
            f"INSERT INTO case_links (order_no, {_LINK_COLUMNS}) "
            f"SELECT ifNull(pairs.order_no, 0), {_prefixed('batch_links', _LINK_COLUMNS)} FROM batch_links "
            "LEFT JOIN pairs ON pairs.object = batch_links.child "
            f"UNION ALL SELECT 0, {_LINK_COLUMNS} FROM batch_links WHERE parent NOT IN (SELECT object FROM pairs) "
            "AND child IN (SELECT object FROM pairs)"
        )
    _settle_conflicts(client)
    if crowded or sizes["unlisted"] or sizes["unlisted_alone"]:
        client.command(load("correlate_membership"))
    client.command(load("correlate_touched"))
    return int(events)


def _prefixed(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{name.strip()}" for name in columns.split(","))


def _descend(client: Client) -> None:
    """Follow stored links down from objects that gained an order, so that everything below them gains it too."""
    _temporary(client, "frontier", "SELECT object, order_no FROM gained")
    for _ in range(24):
        client.command("INSERT INTO known " + load("correlate_below_known"))
        before = _count(client, "pairs")
        _temporary(client, "frontier_next", load("correlate_below"))
        client.command("INSERT INTO pairs SELECT object, order_no FROM frontier_next")
        client.command("INSERT INTO gained SELECT object, order_no FROM frontier_next")
        if _count(client, "pairs") == before:
            return
        _temporary(client, "frontier", "SELECT object, order_no FROM frontier_next")


def _copy(client: Client) -> None:
    """Give each order that gained an object what that object already had under another case."""
    for table, key, columns in (("case_facts", "object", _FACT_COLUMNS), ("case_links", "child", _LINK_COLUMNS)):
        client.command(
            f"INSERT INTO {table} (order_no, {columns}) "
            f"SELECT gained.order_no, {_prefixed('had', columns)} "
            "FROM gained "
            "INNER JOIN (SELECT object AS moved, max(order_no) AS home FROM known GROUP BY object) AS homes "
            "ON homes.moved = gained.object "
            f"INNER JOIN (SELECT order_no, {columns} FROM {table} FINAL "
            f"WHERE order_no IN (SELECT order_no FROM known) AND {key} IN (SELECT object FROM gained)) AS had "
            f"ON had.order_no = homes.home AND had.{key} = gained.object"
        )


def _widen(client: Client) -> None:
    """Set objects aside that reach too many orders; they attach to none and are listed once."""
    parameters = {"limit": MAX_ORDERS_PER_OBJECT, "candidates": MAX_CANDIDATES}
    wide = client.query(load("correlate_wide"), parameters=parameters).result_rows
    if wide:
        client.insert("wide_objects", wide, column_names=["object", "object_type", "object_id", "orders"])
        client.command(
            "INSERT INTO touched SELECT DISTINCT order_no FROM object_cases WHERE order_no != 0 AND object IN {wide:Array(UInt64)}",
            parameters={"wide": [row[0] for row in wide]},
        )
    if _count(client, "wide_objects"):
        narrow = "SELECT object, order_no FROM pairs WHERE object NOT IN (SELECT object FROM wide_objects)"
        _temporary(client, "kept", narrow)
        client.command("TRUNCATE TABLE pairs")
        client.command("INSERT INTO pairs SELECT object, order_no FROM kept")


def _settle_conflicts(client: Client) -> None:
    """Set the bodies aside that lose against another body under the same identity; tell those that should not be."""
    losers = client.query(load("correlate_conflicts")).result_rows
    if not losers:
        return
    client.insert("conflicts", losers, column_names=["ev", "body", "superseded"])
    client.command(load("correlate_conflicts_touched"), parameters={"ev": [row[0] for row in losers]})
    wrong = [row for row in losers if not row[2]]
    if wrong:
        parameters = {"ev": [row[0] for row in wrong], "body": [row[1] for row in wrong]}
        client.command(load("correlate_conflicts_quarantine"), parameters=parameters)
