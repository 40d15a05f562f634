"""Runs a compiled rulebook over chosen orders on one client, in temporary tables.

The caller prepares the client once, fills `scope` (which orders) and `feed_marks` (how far each feed was heard) and
names the moment; every step then fills its table from the ones before. Nothing persistent is written here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from clickhouse_connect.driver.client import Client

from rules.compile import Compiled, Step
from rules.compile.odds import has_odds
from rules.odds import LEAST_ENDED
from tower.engine.feeds import FeedState
from tower.store.sql import load

_SCOPE = "CREATE OR REPLACE TEMPORARY TABLE scope (order_no UInt64, object UInt64, order_id String) ENGINE = Memory"
_MARKS = """CREATE OR REPLACE TEMPORARY TABLE feed_marks
(connection String, kind String, company String, warehouse String, partner String, watermark DateTime64(3, 'UTC'))
ENGINE = Memory"""
_MARK_COLUMNS = ["connection", "kind", "company", "warehouse", "partner", "watermark"]


def set_marks(client: Client, feeds: Iterable[FeedState]) -> None:
    """Bind how far each configured feed has been heard."""
    client.command(_MARKS)
    rows = [[f.connection, f.kind, f.company, f.warehouse, f.partner, f.gate] for f in feeds]
    if rows:
        client.insert("feed_marks", rows, column_names=_MARK_COLUMNS)


def set_scope(client: Client, select: str, parameters: dict[str, object] | None = None) -> int:
    """Fill `scope` from a SELECT of order_no, object, order_id and return how many orders are in it."""
    client.command(_SCOPE)
    client.command(f"INSERT INTO scope {select}", parameters=parameters)
    return int(client.query("SELECT count() FROM scope").result_rows[0][0])


def set_curves(client: Client, compiled: Compiled, at: datetime) -> None:
    """Bind the survival curves that were in force at a moment, where a stage of the book goes by odds."""
    if has_odds(compiled.book):
        client.command(load("odds_curves"), parameters={"at": at, "least": LEAST_ENDED})


# Which steps a client's tables were made for; planning the statements twice is most of what a small look costs.
_PREPARED: WeakKeyDictionary[Client, tuple[Step, ...]] = WeakKeyDictionary()
# The tables of a book written out, so that only its first client has to plan every step to learn the columns.
_COLUMNS: dict[tuple[Step, ...], list[str]] = {}
# Tables that a client is still to make, with the first rows: planning a step without rows costs as much as with them.
_UNMADE: WeakKeyDictionary[Client, set[str]] = WeakKeyDictionary()
_BOOKS_KEPT = 16
# So few orders are judged sooner than a better plan is found: the steps that read no stored table go without one.
_FEW_ORDERS = 300
_PLAINLY = "\nSETTINGS query_plan_enable_optimizations = 0"
_STORED = re.compile(r"\b(case_facts|case_links|conflicts|wide_objects|hand_facts|calendar_index)\b")
# With what a client's fixed tables are filled, by table.
_FIXED: WeakKeyDictionary[Client, dict[str, str]] = WeakKeyDictionary()
# Which of the steps' tables a client may have rows in; the others need no emptying.
_USED: WeakKeyDictionary[Client, set[str]] = WeakKeyDictionary()


def prepare(client: Client, compiled: Compiled) -> None:
    """See to it that the tables are there when the steps fill them, unless this client has them for the same SQL."""
    if _PREPARED.get(client) == compiled.steps:
        return
    set_curves(client, compiled, datetime(1970, 1, 1, tzinfo=UTC))
    set_scope(client, "SELECT toUInt64(0), toUInt64(0), '' WHERE 0")
    set_marks(client, [])
    _FIXED.pop(client, None)
    _USED.pop(client, None)
    _UNMADE[client] = set() if compiled.steps in _COLUMNS else {step.table for step in compiled.steps}
    for create in _COLUMNS.get(compiled.steps, ()):
        client.command(create)
    _PREPARED[client] = compiled.steps


def _learn(client: Client, steps: tuple[Step, ...]) -> None:
    """Keep how the tables of a book are made."""
    shown = client.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = '' AND is_temporary"
    ).result_rows
    creates = {name: create.replace("CREATE", "CREATE OR REPLACE", 1) for name, create in shown}
    _COLUMNS[steps] = [creates[step.table] for step in steps]
    while len(_COLUMNS) > _BOOKS_KEPT:
        del _COLUMNS[next(iter(_COLUMNS))]


def complete(client: Client, compiled: Compiled) -> None:
    """Make those of the tables that are still to be made, for a reader of their columns."""
    unmade = _UNMADE.get(client, set())
    make(client, [step for step in compiled.steps if step.table in unmade])


def make(client: Client, steps: Iterable[Step]) -> None:
    """Make the empty tables of some steps; those that they read must be there."""
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    for step in steps:
        _FIXED.get(client, {}).pop(step.table, None)
        _make(client, step, "EMPTY AS", moment, moment)


def _make(client: Client, step: Step, how: str, as_of: datetime, known_at: datetime) -> None:
    client.command(
        f"CREATE OR REPLACE TEMPORARY TABLE {step.table} ENGINE = Memory {how}\n{step.sql}",
        parameters=_bound(step.sql, as_of, known_at),
    )
    _UNMADE.get(client, set()).discard(step.table)


def judge(
    client: Client,
    compiled: Compiled,
    as_of: datetime,
    known_at: datetime,
    orders: int,
    only: Collection[str] | None = None,
) -> None:
    """Run every step for the orders in `scope`; the judged_* tables then hold the verdicts.

    orders: how many these are. only: the tables to fill, where the others hold what this book would put there.
    """
    there: dict[str, bool] = {}
    used = _USED.setdefault(client, set())
    filled = _FIXED.setdefault(client, {})
    unmade = _UNMADE.get(client, set())
    for place, step in enumerate(compiled.steps):
        asked = only is None or step.table in only
        if not asked or (step.fixed and filled.get(step.table) == step.sql):
            if step.table in unmade:
                make(client, [step])
            continue
        if step.table in used:
            client.command(f"TRUNCATE TABLE {step.table}")
            used.discard(step.table)
        if step.needs and step.needs not in there:
            there |= _look(client, compiled.steps[place:], there)
        if step.needs and not there[step.needs]:
            if step.table in unmade:
                make(client, [step])
            continue
        if step.table in unmade:
            _make(client, step, "AS", as_of, known_at)
            used.add(step.table)
        else:
            used.add(step.table)
            plainly = _PLAINLY if orders <= _FEW_ORDERS and not _STORED.search(step.sql) else ""
            bound = _bound(step.sql, as_of, known_at)
            client.command(f"INSERT INTO {step.table}\n{step.sql}{plainly}", parameters=bound)
        if step.fixed:
            filled[step.table] = step.sql
    if compiled.steps not in _COLUMNS:
        _learn(client, compiled.steps)


def _look(client: Client, steps: Sequence[Step], known: Collection[str]) -> dict[str, bool]:
    """Return for each need of these steps that none of them still fills whether anything is there; not what is known."""
    ahead = {step.table for step in steps}
    needs = list(dict.fromkeys(s.needs for s in steps if s.needs and s.needs not in known))
    needs = [need for need in needs if not ahead & set(re.findall(r"\w+", need))]
    counts = "\nUNION ALL\n".join(
        f"SELECT {place} AS place, count() AS rows FROM {need}" for place, need in enumerate(needs)
    )
    return {needs[place]: rows > 0 for place, rows in client.query(counts).result_rows}


def _bound(sql: str, as_of: datetime, known_at: datetime) -> dict[str, datetime] | None:
    moment = {"as_of": as_of, "known_at": known_at}
    return {name: value for name, value in moment.items() if f"{{{name}:" in sql} or None


def clear(client: Client, compiled: Compiled) -> None:
    """Empty the tables, so that a pooled client goes back without their rows."""
    used = _USED.get(client, set())
    for table in ("scope", "feed_marks", *(s.table for s in compiled.steps if not s.fixed and s.table in used)):
        client.command(f"TRUNCATE TABLE {table}")
        used.discard(table)


def drop(client: Client, tables: Sequence[str]) -> None:
    """Drop temporary tables that only one look needed."""
    for table in tables:
        client.command(f"DROP TEMPORARY TABLE IF EXISTS {table}")
