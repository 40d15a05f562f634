"""Where only limits differ: the stored clocks say when they began, stood still and stopped, so only deadlines are new.

The deadline comes from the books' own compiled step over these clocks. Clocks that run, wait for a feed or are out of
order do not say by themselves whether they were late; their orders go to `touched` and are judged in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from clickhouse_connect.driver.client import Client

from rules.compile import Compiled, Step
from rules.compile.deadlines import CALENDARS
from rules.compile.limits import limits_sql
from tower.engine import workspace
from tower.store.sql import load

KINDS = ("late", "diverging")  # what a limit can make of a clock
_SLICE_ORDERS = 100_000
_DUES = "SELECT order_no, rule, object, due_at FROM judged_dues"


def find_late(
    client: Client, old: Compiled, new: Compiled, rules: Sequence[str], since: datetime, now: datetime
) -> Iterator[tuple[int, int]]:
    """Put the clocks that stopped late under either book into `backtest_found`, the doubtful orders into `touched`.

    Yields (order numbers passed, highest number) after each slice.
    """
    highest = int(client.query("SELECT max(order_no) FROM orders").result_rows[0][0])
    window = {"since": since, "now": now, "rules": list(rules)}
    made, until = False, 0
    while until < highest:
        first = client.query(
            "SELECT min(order_no) FROM orders WHERE order_no > {after:UInt64}", parameters={"after": until}
        )
        after = int(first.result_rows[0][0]) - 1
        until = after + _SLICE_ORDERS
        parameters = {**window, "after": after, "until": until}
        _fill(client, "stored_clocks", load("backtest_clocks"), parameters, made=made)
        for name, compiled in (("old", old), ("new", new)):
            for step in _limit_steps(compiled, rules):
                _fill(client, step.table, step.sql)  # its columns depend on whether the book has calendars
            _fill(client, f"{name}_dues", _DUES, made=made)
        _fill(client, "both_dues", load("backtest_dues"), made=made)
        client.command(load("backtest_doubtful"), parameters={"now": now, "rules": list(rules)})
        client.command(load("backtest_late"))
        made = True
        yield min(until, highest), highest
    workspace.drop(
        client, ["stored_clocks", "old_dues", "new_dues", "both_dues", "judged_ends", "judged_dues", CALENDARS]
    )


def _limit_steps(compiled: Compiled, rules: Sequence[str]) -> list[Step]:
    stages = [s for s in compiled.book.stages if s.id in rules]
    calendars, dues = (step for step in compiled.steps if step.table in (CALENDARS, "judged_dues"))
    return [calendars, Step("judged_ends", limits_sql(compiled.book, stages)), dues]


def _fill(
    client: Client, table: str, select: str, parameters: dict[str, object] | None = None, *, made: bool = False
) -> None:
    if made:
        client.command(f"TRUNCATE TABLE {table}")
        client.command(f"INSERT INTO {table}\n{select}", parameters=parameters)
    else:
        client.command(f"CREATE OR REPLACE TEMPORARY TABLE {table} ENGINE = Memory AS\n{select}", parameters=parameters)
