"""Looking back: the same rulebook SQL run as of another moment, into temporary tables of a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from clickhouse_connect.driver.client import Client

from rules.compile import Compiled
from rules.model import Book
from tower.engine import verdicts, workspace
from tower.engine.books import book_known_at, compiled_for
from tower.engine.feeds import feed_states, gating
from tower.model.connections import Connections
from tower.store.client import Store

__all__ = ["book_known_at", "judged"]

_SLICE_ORDERS = 20_000
_RESULTS = ("orders", "breaches")
_SCOPE = "SELECT DISTINCT order_no, object, order_id FROM order_objects WHERE order_no > {after:UInt64}"
# The orders of these ids, and those that they may be further names of.
_NAMED = (
    " AND (order_id IN {order_ids:Array(String)} OR order_no IN (SELECT order_no FROM object_cases"
    " WHERE object IN (SELECT sipHash64('order', arrayJoin({order_ids:Array(String)})))))"
)


@contextmanager
def judged(
    store: Store,
    book_for: Callable[[datetime], Book],
    connections: Connections,
    *,
    as_of: datetime,
    known_at: datetime,
    order_ids: Sequence[str] | None = None,
) -> Iterator[Client]:
    """Give a client on which judged_orders and judged_breaches hold the verdicts as of a moment.

    as_of: facts and links that had happened by then, judged with that as now; known_at: those that had been
    received by then, under the rulebook (`book_for`) and the watermarks of that time. order_ids limits the orders. The tables
    have the columns of `orders` and `breaches` and exist only inside the block.
    """
    chosen = compiled_for(book_for(known_at), connections.kinds)
    with store.reader() as client:
        workspace.prepare(client, chosen)
        workspace.set_curves(client, chosen, min(as_of, known_at))
        workspace.set_marks(client, gating(feed_states(client, chosen.book, connections, known_at, known_at)))
        try:
            _judge_all(client, chosen, as_of, known_at, order_ids)
            yield client
        finally:
            workspace.drop(client, ["judged_breaches", "all_orders", "all_breaches"])
            workspace.clear(client, chosen)


def _judge_all(
    client: Client, compiled: Compiled, as_of: datetime, known_at: datetime, order_ids: Sequence[str] | None
) -> None:
    """Judge slice by slice and leave the union of all slices in judged_orders and judged_breaches."""
    after, slices = 0, 0
    while True:
        select = _SCOPE
        parameters: dict[str, object] = {"after": after, "size": _SLICE_ORDERS}
        if order_ids is not None:
            select += _NAMED
            parameters["order_ids"] = list(order_ids)
        size = workspace.set_scope(client, select + " ORDER BY order_no LIMIT {size:UInt64}", parameters)
        if size or slices:
            workspace.judge(client, compiled, as_of, known_at, size)
        else:  # nobody to judge: the tables are empty, and need only be there
            workspace.complete(client, compiled)
        verdicts.shape_breaches(client, compiled, known_at)
        last = size < _SLICE_ORDERS
        if last and not slices:
            return
        _collect(client, slices == 0)
        slices += 1
        if last:
            break
        after = int(client.query("SELECT max(order_no) FROM scope").result_rows[0][0])
    for name in _RESULTS:
        client.command(f"TRUNCATE TABLE judged_{name}")
        client.command(f"INSERT INTO judged_{name} SELECT * FROM all_{name}")


def _collect(client: Client, first: bool) -> None:
    for name in _RESULTS:
        if first:
            client.command(
                f"CREATE OR REPLACE TEMPORARY TABLE all_{name} ENGINE = Memory EMPTY AS SELECT * FROM judged_{name}"
            )
        client.command(f"INSERT INTO all_{name} SELECT * FROM judged_{name}")
