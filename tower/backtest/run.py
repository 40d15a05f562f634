"""One backtest from start to end, on a client of its own that the live engine does not feel."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from clickhouse_connect.driver.client import Client

from rules.compile import compile_book
from rules.model import Book
from rules.reach import Reach, reach, same_clocks
from tower.backtest.clocks import KINDS, find_late
from tower.backtest.judge import Side, judge_touched
from tower.backtest.notices import per_day
from tower.backtest.outcome import Outcome
from tower.engine.books import book_of, record_calendars
from tower.engine.feeds import feed_states, gating
from tower.model.connections import Connections
from tower.store.client import Store
from tower.store.sql import load

# One thread and a part of the memory: whatever a backtest does, ticks and boards have the rest.
_CAPS = {"max_threads": "1", "max_memory_usage": "1500000000"}
_FOUND = """CREATE OR REPLACE TEMPORARY TABLE backtest_found
(order_no UInt64, order_id String, rule LowCardinality(String), kind LowCardinality(String), object UInt64,
object_type LowCardinality(String), object_id String,
old_opened_at Nullable(DateTime64(3, 'UTC')), old_resolved_at Nullable(DateTime64(3, 'UTC')),
new_opened_at Nullable(DateTime64(3, 'UTC')), new_resolved_at Nullable(DateTime64(3, 'UTC'))) ENGINE = Memory"""

Progress = Callable[[str, int, int], None]  # what is done, how much of it, of how much


class Cancelled(Exception):
    """Somebody wanted this backtest no more."""


def backtest(
    store: Store,
    connections: Connections,
    old: Book,
    new: Book,
    since: datetime,
    now: datetime,
    *,
    limit: int = 500,
    progress: Progress | None = None,
    exhaustive: bool = False,
) -> Outcome:
    """Return which verdicts each book gives over the orders that were open after `since`, judged as of now.

    Findings count that opened in the window under either book. progress is told after each slice and may raise to end
    it all. exhaustive: judge every order of the window by both books, whatever differs between them.
    """
    began = time.monotonic()
    tell = progress or _nobody
    kinds = connections.kinds
    systems = {c.name: c.kind for c in connections.entries}
    differ = reach(old, new, kinds, systems)
    with store.writer() as client:
        for book in (old, new):
            record_calendars(client, book)
    with store.apart(_CAPS) as client:
        client.command(_FOUND)
        client.command("CREATE OR REPLACE TEMPORARY TABLE touched (order_no UInt64) ENGINE = Memory")
        judged = 0
        limits = differ.limits_only and not exhaustive and _stored_alike(client, old, differ, connections)
        if exhaustive or not differ.nothing:
            sides = [_side(client, book, connections, now) for book in (old, new)]
            if limits:
                for done, of in find_late(client, sides[0].compiled, sides[1].compiled, differ.rules, since, now):
                    tell("clocks", done, of)
            else:
                _find_alive(client, differ, since, exhaustive=exhaustive)
            judged = int(client.query("SELECT uniqExact(order_no) FROM touched").result_rows[0][0])
            for done in judge_touched(client, sides[0], sides[1], now, differ.rules, KINDS if limits else ()):
                tell("orders", done, judged)
        window: dict[str, object] = {"since": since}
        rules = _rows(client, "backtest_rules", window)
        for row in rules:
            if row["rule"] not in differ.rules:
                row["same"] = None
        days = _rows(client, "backtest_days", window)
        return Outcome(
            old=old.hash,
            new=new.hash,
            since=since,
            until=now,
            currency=_currency(client, old),
            rules=rules,
            days=days,
            notices=per_day(client, old, new, connections, since),
            orders=_rows(client, "backtest_orders", {**window, "limit": limit}),
            changed_rules=differ.rules,
            judged_orders=judged,
            limits_only=limits,
            seconds=time.monotonic() - began,
        )


def _nobody(_what: str, _done: int, _of: int) -> None:
    """Hear of progress and let it be."""


def _side(client: Client, book: Book, connections: Connections, now: datetime) -> Side:
    return Side(compile_book(book, connections.kinds), gating(feed_states(client, book, connections, now)))


def _find_alive(client: Client, differ: Reach, since: datetime, *, exhaustive: bool) -> None:
    every = exhaustive or differ.milestones is None
    text = load("backtest_alive").replace("$every", "1" if every else "0")
    client.command(text, parameters={"since": since, "milestones": sorted(differ.milestones or ())})


def _stored_alike(client: Client, old: Book, differ: Reach, connections: Connections) -> bool:
    """Return whether the stored clocks of the changed stages are those that the old book would give, limits aside."""
    hashes = [row[0] for row in client.query("SELECT DISTINCT book FROM orders FINAL WHERE on_board").result_rows]
    books = [old if h == old.hash else book_of(client, h) for h in hashes]
    return all(b is not None and same_clocks(b, old, differ.rules, connections.kinds) for b in books)


def _currency(client: Client, otherwise: Book) -> str:
    """Return the currency in which stored orders are valued."""
    rows = client.query("SELECT hash FROM books ORDER BY loaded_at DESC LIMIT 1").result_rows
    book = book_of(client, rows[0][0]) if rows else None
    return (book or otherwise).value.currency


def _rows(client: Client, name: str, parameters: dict[str, object]) -> list[dict[str, object]]:
    found = client.query(load(name), parameters=parameters)
    return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
