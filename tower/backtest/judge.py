"""Both books over the same orders: the steps that read alike are run once, the others under each book."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from rules.compile import Compiled
from tower.engine import workspace
from tower.engine.cycle import EVERYTHING_KNOWN
from tower.engine.feeds import FeedState
from tower.store.sql import load

_SLICE_ORDERS = 10_000
_FINDINGS = (
    "SELECT order_no, order_id, rule, kind, object, object_type, object_id, opened_at, resolved_at FROM judged_findings"
)


@dataclass(frozen=True, slots=True)
class Side:
    """One book as it is run: its SQL, and how far each feed has been heard by its promises."""

    compiled: Compiled
    marks: list[FeedState]


def judge_touched(
    client: Client, old: Side, new: Side, now: datetime, rules: Collection[str], kinds: Collection[str]
) -> Iterator[int]:
    """Judge the orders in `touched` by both books into `backtest_found`, and yield how many are done after each slice.

    rules: of these also findings that are the same are kept. kinds: only these kinds of these rules, all when empty.
    """
    again = _differing_steps(old, new)
    unlike = _prepare(client, old, new, again, now)
    parameters = {"rules": sorted(rules), "kinds": sorted(kinds)}
    done = after = 0
    while size := workspace.set_scope(client, load("engine_scope"), {"after": after, "size": _SLICE_ORDERS}):
        for name, side, only in (("old", old, None), ("new", new, again)):
            if only is None or "feed_marks" in only:
                workspace.set_marks(client, side.marks)
            workspace.make(client, [step for step in side.compiled.steps if step.table in unlike])
            workspace.judge(client, side.compiled, now, EVERYTHING_KNOWN, size, only)
            client.command(f"TRUNCATE TABLE {name}_findings")
            client.command(f"INSERT INTO {name}_findings {_FINDINGS}")
        client.command(load("backtest_judged"), parameters=parameters)
        after = int(client.query("SELECT max(order_no) FROM scope").result_rows[0][0])
        done += size
        yield done


def _prepare(client: Client, old: Side, new: Side, again: Collection[str], now: datetime) -> frozenset[str]:
    """Make the tables that both books fill, and return those whose columns differ from book to book."""
    workspace.prepare(client, old.compiled)
    workspace.complete(client, old.compiled)
    for side in (old, new):
        workspace.set_curves(client, side.compiled, now)
    before = {step.table: _columns(client, step.table) for step in old.compiled.steps if step.table in again}
    workspace.make(client, [step for step in new.compiled.steps if step.table in again])
    after = {step.table: _columns(client, step.table) for step in new.compiled.steps if step.table in again}
    for name in ("old_findings", "new_findings"):
        client.command(f"CREATE OR REPLACE TEMPORARY TABLE {name} ENGINE = Memory EMPTY AS {_FINDINGS}")
    return frozenset(table for table, columns in after.items() if table in before and before[table] != columns)


def _columns(client: Client, table: str) -> list[tuple[object, ...]]:
    return [tuple(row[:2]) for row in client.query(f"DESCRIBE TABLE {table}").result_rows]


def _differing_steps(old: Side, new: Side) -> frozenset[str]:
    """Return the tables that the new book fills otherwise: their text differs, or that of a table they read."""
    before = {step.table: step for step in old.compiled.steps}
    differ = {"feed_marks"} if _marks(old) != _marks(new) else set()
    for step in new.compiled.steps:
        reads = set(re.findall(r"\w+", f"{step.sql} {step.needs}"))
        if before.get(step.table) != step or reads & differ:
            differ.add(step.table)
    return frozenset(differ)


def _marks(side: Side) -> list[tuple[object, ...]]:
    return sorted((f.connection, f.kind, f.company, f.warehouse, f.partner, f.gate) for f in side.marks)
