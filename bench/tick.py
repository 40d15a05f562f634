"""What one tick costs when about a thousand orders are touched: with ten times the history, and against judging all.

Two stores in one process hold the same open orders behind a short and a long history of closed ones. Both histories
come from the same few thousand orders: their events are copied under new ids inside the engine, then taken in and
judged by the ordinary cycle.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from bench import events
from bench.events import NOW, Said
from bench.figure import Figure, median_of, spread
from bench.kinds import CONNECTIONS as CONFIGURED
from bench.kinds import KINDS, everything_on, odd_orders
from collector.collector import EVENTS
from rules.model import Book
from rules.parse import SHIPPED, load_book
from tower.engine import curves, workspace
from tower.engine.books import compiled_for, record_book
from tower.engine.cycle import run_cycle
from tower.model.connections import Connections, load_connections
from tower.store.client import Store
from tower.store.migrate import migrate

NAME = "tick"
_TOUCHED = 1000
_OPEN = 2000
_ODD = 80
CONNECTIONS = load_connections(None)
# The events of the first copy again under other ids; ids of objects get the number of the copy behind them.
_COPY = """
INSERT INTO events
SELECT * REPLACE (
    now64(3, 'UTC') AS stored_at, event_id || {suffix:String} AS event_id, sipHash64(ev, {suffix:String}) AS ev,
    arrayMap(i -> i || {suffix:String}, on_ids) AS on_ids, arrayMap(i -> i || {suffix:String}, child_ids) AS child_ids,
    arrayMap(i -> i || {suffix:String}, parent_ids) AS parent_ids)
FROM (SELECT * FROM events WHERE stored_at <= {first:DateTime64(3, 'UTC')})
"""


class Took(NamedTuple):
    """What a tick cost, seconds and processor seconds, and how many orders it judged."""

    seconds: float
    cpu_s: float
    orders: int


class Place:
    """One store with its history, ready to tick."""

    def __init__(
        self, folder: Path, name: str, book: Book | None = None, connections: Connections = CONNECTIONS
    ) -> None:
        self.store = Store(f"chdb://{folder}", database=name)
        migrate(self.store)
        self.connections = connections
        self.compiled = compiled_for(book or load_book(SHIPPED), connections.kinds)
        with self.store.writer() as client:
            record_book(client, self.compiled, NOW)
            workspace.prepare(client, self.compiled)

    def insert(self, said: Iterator[Said], now: datetime) -> None:
        """Store events as the drain would, each call under an instant of its own."""
        time.sleep(0.002)
        with self.store.writer() as client:
            lines = events.journal_lines(said, now, self.connections)
            client.raw_insert(EVENTS.name, insert_block=b"".join(lines), fmt="JSONEachRow")

    def fill(self, orders: int, copies: int) -> None:
        """Store and judge so many closed orders `copies` times over, and the open ones last."""
        self.insert(events.orders(1, orders, "H", NOW - timedelta(days=20)), NOW - timedelta(days=5))
        with self.store.writer() as client:
            ((first,),) = client.query("SELECT max(stored_at) FROM events").result_rows
            for number in range(1, copies):
                client.command(_COPY, parameters={"suffix": f".{number}", "first": first})
                time.sleep(0.002)
        self.insert(open_orders(), NOW - timedelta(hours=1))
        self.insert(odd_orders(_ODD), NOW - timedelta(hours=1))
        self.tick(NOW)
        with self.store.writer() as client:
            curves.build(client, self.compiled.book, NOW)
            workspace.set_curves(client, self.compiled, NOW)
            _settle(client)

    def tick(self, now: datetime, *, everything: bool = False) -> Took:
        """Run one tick."""
        with self.store.writer() as client:
            began, cpu = time.perf_counter(), time.process_time()
            done = run_cycle(client, self.compiled, self.connections, now, "bench", everything)
            return Took(time.perf_counter() - began, time.process_time() - cpu, done.orders)

    def kinds(self) -> set[str]:
        """Return the kinds of findings that are stored."""
        with self.store.reader() as client:
            found = client.query("SELECT DISTINCT kind FROM breaches FINAL WHERE state != 'retracted'").result_rows
            return {kind for (kind,) in found}

    def states(self) -> list[tuple[str, int]]:
        """Return how many orders are in each state."""
        with self.store.reader() as client:
            found = client.query("SELECT state, count() FROM orders FINAL GROUP BY state ORDER BY state").result_rows
            return [(state, count) for state, count in found]


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Tick both stores in turns with the same events; then judge everything anew in the long one.

    Every kind of finding is on and found, and stages warn by odds. Raises RuntimeError where one is missing.
    """
    orders, rounds = (500, 7) if quick else (10_000, 9)
    book = everything_on()
    short, long = (Place(folder, name, book, CONFIGURED) for name in ("short", "long"))
    try:
        short.fill(orders, 1)
        long.fill(orders, 10)
        if missing := KINDS - long.kinds():
            raise RuntimeError(f"no finding of these kinds: {', '.join(sorted(missing))}")
        took: dict[str, list[Took]] = {"short": [], "long": []}
        for number in range(-1, rounds):
            now = NOW + timedelta(seconds=number + 2)
            for name, place in (("short", short), ("long", long)) if number % 2 else (("long", long), ("short", short)):
                place.insert(_news(number, now), now)
                cost = place.tick(now)
                if number >= 0:
                    took[name].append(cost)
        now = NOW + timedelta(seconds=rounds + 2)
        before = long.states()
        full = long.tick(now, everything=True)
        if before != long.states():
            raise RuntimeError(f"judging everything anew changed the answer: {before} to {long.states()}")
    finally:
        short.store.close()
        long.store.close()
    return _figures(took["short"], took["long"], full, orders)


def _figures(short: list[Took], long: list[Took], full: Took, orders: int) -> list[Figure]:
    pairs = [a.seconds / b.seconds for a, b in zip(long, short, strict=True)]
    cpu = [a.cpu_s / b.cpu_s for a, b in zip(long, short, strict=True)]
    once, often = (median_of([t.seconds for t in took]) * 1e3 for took in (short, long))
    often_cpu = median_of([t.cpu_s for t in long])
    touched = median_of([t.orders for t in short + long])
    size = f"{touched:.0f} orders judged; {orders:,} and {10 * orders:,} closed orders, {_OPEN + _ODD:,} open"
    aside = f"{full.orders:,} orders in {full.seconds:.1f} s"
    return [
        Figure(NAME, "tick, 1x history", f"{once:.0f} ms", note=size),
        Figure(NAME, "tick, 10x history", f"{often:.0f} ms", median_of(pairs), at_most=1.1, note=spread(pairs)),
        Figure(
            NAME, "the same, processor time", f"{often_cpu * 1e3:.0f} ms", median_of(cpu), at_most=1.1, note=spread(cpu)
        ),
        Figure(NAME, "tick over judging all", f"{often:.0f} ms", often / 1e3 / full.seconds, at_most=0.3, note=aside),
    ]


def open_orders() -> Iterator[Said]:
    """Orders of the last days that stand at any step before delivery."""
    rng = random.Random(2)
    for number in range(_OPEN):
        yield from events.order(rng, f"N{number:05d}", NOW - timedelta(hours=rng.randrange(2, 60)), rng.randrange(2, 8))


def _news(number: int, now: datetime) -> Iterator[Said]:
    """One more event on each of a thousand open orders, that leaves them open."""
    rng = random.Random(1000 + number)
    milestone = ("order_held", "hold_released")[number % 2]
    for chosen in rng.sample(range(_OPEN), _TOUCHED):
        name = f"N{chosen:05d}"
        yield events.event(
            rng, f"{name}/{milestone}{number}", milestone, "/erp/main", now, {"order_id": name, "company": "1000"}
        )


def _settle(client: Client) -> None:
    """Wait until the store has merged what the filling left."""
    end = time.monotonic() + 60
    while time.monotonic() < end and client.query("SELECT count() FROM system.merges").result_rows[0][0]:
        time.sleep(0.2)
