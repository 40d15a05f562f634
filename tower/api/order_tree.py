"""The objects of one order in temporary tables, walked once for all queries that ask about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clickhouse_connect.driver.client import Client

from tower.store.sql import load

_STEPS = {
    "order_named": "api_tree_named",
    "order_stated": "api_tree_stated",
    "order_hanging": "api_tree_hanging",
    "order_tree": "api_tree",
}


@contextmanager
def order_tree(client: Client, orders: str, values: dict[str, Any]) -> Iterator[None]:
    """Hold the tables for the length of a with statement; each file of SQL says what a row is.

    orders: the table of orders. values: order_no, order_id, as_of and known_at.
    """
    try:
        for table, name in _STEPS.items():
            select = load(name).replace("$orders", orders)
            client.command(f"CREATE OR REPLACE TEMPORARY TABLE {table} ENGINE = Memory AS\n{select}", parameters=values)
        yield
    finally:
        for table in _STEPS:
            client.command(f"DROP TEMPORARY TABLE IF EXISTS {table}")
