"""What the curves say of running clocks, written down before the outcome is known, and the outcome once it is."""

from __future__ import annotations

from datetime import datetime

from clickhouse_connect.driver.client import Client

from rules.compile.curves import running_sql
from rules.compile.odds import odds_sql
from rules.model import Book
from rules.odds import LEAST_ENDED
from tower.store.sql import load


def settle(client: Client, now: datetime) -> None:
    """Note what became of the clocks that something was predicted of."""
    client.command(load("predictions_settle"), parameters={"now": now})


def record(client: Client, book: Book, now: datetime) -> None:
    """Write down the odds of each running clock, once for each quarter of its time; those on too few cases are left out."""
    client.command(load("known_curves"), parameters={"at": now, "least": LEAST_ENDED})
    client.command(
        f"CREATE OR REPLACE TEMPORARY TABLE running ENGINE = Memory AS\n{running_sql(book)}", parameters={"now": now}
    )
    try:
        text = load("predictions_record").replace("$odds", odds_sql("used_ms", "budget_ms"))
        client.command(text, parameters={"now": now})
    finally:
        for table in ("running", "known_curves"):
            client.command(f"DROP TEMPORARY TABLE IF EXISTS {table}")
