"""Survival curves in the store: fitted from the tower's own clocks, read as of a moment. See rules/odds.py."""

from __future__ import annotations

from datetime import datetime, timedelta

from clickhouse_connect.driver.client import Client

from rules.compile.curves import dwells_sql
from rules.model import Book
from rules.odds import LEAST_ENDED, Curve, Curves
from tower.store.sql import load

WINDOW = timedelta(days=365)  # payment alone takes months; a shorter window has too few of them


def build(client: Client, book: Book, now: datetime, least: int = LEAST_ENDED) -> int:
    """Fit the curves anew from the clocks that started within WINDOW; return from how many. Repeatable.

    least: clocks that must have stopped before a segment gets a curve of its own.
    """
    parameters = {"now": now, "since": now - WINDOW}
    client.command(
        f"CREATE OR REPLACE TEMPORARY TABLE dwells ENGINE = Memory AS\n{dwells_sql(book)}", parameters=parameters
    )
    try:
        client.command(load("curves_fit"), parameters={**parameters, "book": book.hash, "least": least})
        return int(client.query("SELECT count() FROM dwells").result_rows[0][0])
    finally:
        client.command("DROP TEMPORARY TABLE IF EXISTS dwells")


def read_curves(client: Client, at: datetime) -> Curves:
    """Return the curves that were the latest at a moment; they rest on nothing that was learned after it."""
    rows = client.query(load("curves_latest"), parameters={"at": at}).result_rows
    curves = [
        Curve(rule, segment, built_at, cases, ended, ends_ms, tuple(at_ms), tuple(alive), tuple(watched))
        for built_at, rule, segment, cases, ended, ends_ms, at_ms, alive, watched in rows
    ]
    return Curves(rows[0][0] if rows else None, {(c.rule, c.segment): c for c in curves})
