"""One tick: what happened is correlated, judged, written down and acted upon. The list below is the whole engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

from clickhouse_connect.driver.client import Client

from rules.compile import Compiled
from tower.engine import feed_breaches, verdicts, workspace
from tower.engine.correlate import correlate
from tower.engine.feeds import FeedState, feed_states, gating, heard_now
from tower.model.connections import Connections
from tower.store.sql import load

DAWN = datetime(1970, 1, 1, tzinfo=UTC)
# A tick judges by all that has been taken in, also what arrived while it was already under way.
EVERYTHING_KNOWN = datetime(2199, 1, 1, tzinfo=UTC)
_BATCH_EVENTS = 50_000
# A full judgement goes slice by slice, so that its tables fit into memory: as many orders as have about so many facts.
_SLICE_FACTS = 600_000
_LEAST_ORDERS, _MOST_ORDERS = 2_000, 50_000
# How far each feed vouched in a client's last whole tick: by the same word nothing that waited then is done waiting.
_TOLD: WeakKeyDictionary[Client, dict[str, datetime]] = WeakKeyDictionary()
_SAID_LATELY = timedelta(days=7)  # longer than an engine is down between a word and its judgement
_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did."""

    events: int
    orders: int
    feeds: list[FeedState]
    cursor: datetime
    touched: tuple[int, ...] | None = ()  # the orders judged, by number; None: too many to list


def run_cycle(
    client: Client,
    compiled: Compiled,
    connections: Connections,
    now: datetime,
    owner: str,
    everything: bool,
    fresh_curves: bool = False,
) -> Tick:
    """Run one tick on the write client and return what it did; safe to repeat after any interruption.

    everything: judge every order (a new rulebook), not only the touched and due ones. fresh_curves: new survival curves
    are bound; the open orders that are judged by them are, too. All new events are taken in
    before the first verdict, so a backlog is judged once, at its end. How far the feeds told is read before the events:
    read after them it could vouch for events that this tick has not taken in.
    """
    after = read_cursor(client)
    client.command("CREATE OR REPLACE TEMPORARY TABLE touched (order_no UInt64) ENGINE = Memory")
    heard = heard_now(client)
    parameters = {"after": after, "since": now - _SAID_LATELY}
    news = {row[0]: row[1] for row in client.query(load("engine_news"), parameters=parameters).result_rows}
    events, cursor = _take_in(client, after, news["events"])
    if events:
        client.command(load("engine_feed_counts"), parameters={"after": after, "until": cursor})
    feeds = feed_states(client, compiled.book, connections, now, heard=heard)
    feeds = feed_breaches.settle(client, compiled.book, feeds, now)
    marks = gating(feeds)
    workspace.set_marks(client, marks)
    told = {mark.connection: mark.gate for mark in marks}
    _find_due(client, now, everything, said=news["hand"] > DAWN, heard_further=_TOLD.pop(client, None) != told)
    if fresh_curves and (stages := [s.id for s in compiled.book.stages if s.odds is not None]):
        client.command(load("odds_touched"), parameters={"stages": stages})
    orders = _judge(client, compiled, now)
    write_cursor(client, cursor, now, owner)
    _TOLD[client] = told
    return Tick(events, orders, feeds, cursor, _touched(client) if orders else ())


def _touched(client: Client) -> tuple[int, ...] | None:
    rows = client.query(f"SELECT DISTINCT order_no FROM touched LIMIT {_LISTED + 1}").result_rows
    return tuple(row[0] for row in rows) if len(rows) <= _LISTED else None


def read_cursor(client: Client) -> datetime:
    """Return up to where events have been taken in."""
    rows = client.query("SELECT stored_at FROM engine_cursor FINAL WHERE name = 'engine'").result_rows
    return rows[0][0] if rows else DAWN


def write_cursor(client: Client, cursor: datetime, now: datetime, owner: str) -> None:
    """Note how far the engine came, and that it lives. The last write of a tick."""
    client.command(load("engine_cursor"), parameters={"cursor": cursor, "now": now, "owner": owner})


def _take_in(client: Client, cursor: datetime, goal: datetime) -> tuple[int, datetime]:
    """Take in what is stored when the tick begins; what arrives meanwhile waits for the next one."""
    total = 0
    while cursor < goal:
        parameters = {"after": cursor, "goal": goal, "events": _BATCH_EVENTS}
        until = client.query(load("engine_next_batch"), parameters=parameters).result_rows[0][0]
        total += correlate(client, cursor, until)
        cursor = until
    return total, cursor


def _find_due(client: Client, now: datetime, everything: bool, *, said: bool, heard_further: bool) -> None:
    """Add to `touched` what no new event speaks of. heard_further: a feed vouches otherwise than when orders began to wait."""
    if everything:
        client.command("INSERT INTO touched SELECT order_no FROM order_numbers")
        return
    client.command(load("engine_due"), parameters={"now": now})
    if heard_further:
        client.command(load("engine_waiting"))
    if said:
        client.command(load("engine_by_hand"), parameters={"since": now - _SAID_LATELY})


def slice_orders(client: Client) -> int:
    """Return how many orders are judged at once when there are many: those of the store have so many facts on average."""
    sizes = "SELECT (SELECT count() FROM case_facts), (SELECT count() FROM order_objects)"
    ((facts, orders),) = client.query(sizes).result_rows
    return max(_LEAST_ORDERS, min(_MOST_ORDERS, _SLICE_FACTS * int(orders) // max(int(facts), 1)))


def _judge(client: Client, compiled: Compiled, now: datetime) -> int:
    total, after = 0, 0
    touched = client.query("SELECT count() FROM touched").result_rows[0][0]
    if not touched:
        return 0
    most = _LEAST_ORDERS if touched <= _LEAST_ORDERS else slice_orders(client)
    while size := workspace.set_scope(client, load("engine_scope"), {"after": after, "size": most}):
        workspace.judge(client, compiled, as_of=now, known_at=EVERYTHING_KNOWN, orders=size)
        verdicts.store(client, compiled, now)
        total += size
        if size < most:
            break
        after = int(client.query("SELECT max(order_no) FROM scope").result_rows[0][0])
    return total
