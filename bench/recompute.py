"""A full recompute, of every clock and verdict from the stored facts, against DuckDB on the same rows.

Four stages (always open and by two calendars, per order, fulfillment and shipment) and two rules of the shipped book:
late, out_of_order, duplicate. The tower judges as it does after a change of its book, slice by slice; DuckDB runs the
same logic written for it (bench/sql/duck_recompute.sql) in one go. Both keep every clock and finding, and these are
compared row by row. A few thousand orders go through the engine; their facts and links are copied under other ids.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
from clickhouse_connect.driver.client import Client

from bench import events
from bench.events import NOW, Said
from bench.figure import Figure, median_of, spread
from bench.tick import CONNECTIONS, Place, open_orders
from rules.calendar import Calendar
from rules.compile import Compiled, compile_book
from rules.model import Book
from rules.parse import SHIPPED, load_book
from tower.engine import workspace
from tower.engine.books import record_calendars
from tower.engine.cycle import EVERYTHING_KNOWN, slice_orders
from tower.store.sql import load

NAME = "recompute"
STAGES = ("capture-to-accept", "pack-to-ship", "ship-to-invoice", "promise")
RULES = ("invoiced-unshipped", "billed-twice")
_SQL = Path(__file__).parent / "sql" / "duck_recompute.sql"
_THREADS = 2
_TABLES = ("case_facts", "case_links", "order_objects", "conflicts", "wide_objects")
# The answers, of the tower's tables and of DuckDB's: when each clock is due and how it stands, and each finding.
_CLOCKS = "SELECT rule, order_no, object, due_at, state FROM {}"
_FINDINGS = "SELECT rule, kind, order_no, object, opened_at, state FROM {}"


class Cost(NamedTuple):
    """Seconds, and processor seconds of all threads."""

    seconds: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The tower's store and DuckDB with the same facts."""

    client: Client
    compiled: Compiled
    duck: duckdb.DuckDBPyConnection


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Fill both engines with 10 M events (0.3 M) and recompute in turns. RuntimeError when the answers differ."""
    wanted, base, rounds = (300_000, 2_000, 3) if quick else (10_000_000, 8_000, 1)
    place = Place(folder / "store", "recompute")
    duck = duckdb.connect(str(folder / "duck.db"), config={"threads": _THREADS, "memory_limit": "4GB"})
    duck.execute("SET enable_progress_bar = false")
    duck.execute("SET preserve_insertion_order = false")
    try:
        place.insert(_mixed(base), NOW - timedelta(days=5))
        place.insert(open_orders(), NOW - timedelta(hours=1))
        place.tick(NOW)
        with place.store.writer() as client:
            copies = max(1, round(wanted / _events(client)))
            _copy(client, copies)
            book = _book()
            record_calendars(client, book)
            pair = Pair(client, compile_book(book, CONNECTIONS.kinds), duck)
            workspace.prepare(client, pair.compiled)
            client.command(f"SET max_threads = {_THREADS}")
            _hand_over(pair, folder)
            took = [(_tower(pair), _duck(pair)) for _ in range(rounds)]
            clocks, findings = _compare(pair, folder)
            count = _events(client)
    finally:
        duck.close()
        place.store.close()
    ratios = [mine.seconds / theirs.seconds for mine, theirs in took]
    cpu = median_of([mine.cpu_s / theirs.cpu_s for mine, theirs in took])
    mine, theirs = (median_of([pair[i].seconds for pair in took]) for i in (0, 1))
    size = f"{count / 1e6:.1f} M events, {clocks:,} clocks and {findings:,} findings, all equal"
    told = f"DuckDB {theirs:.1f} s; {spread(ratios)}; processor time {cpu:.2f}; {size}"
    return [Figure(NAME, "full recompute", f"{mine:.1f} s", median_of(ratios), at_most=0.7, note=told)]


def _book() -> Book:
    book = load_book(SHIPPED)
    stages = tuple(s for s in book.stages if s.id in STAGES)
    return replace(book, stages=stages, findings=tuple(r for r in book.findings if r.id in RULES))


def _mixed(orders: int) -> Iterator[Said]:
    """Closed orders; one in fifty has a shipment that is billed twice, as many more an invoice and no goods."""
    yield from events.orders(1, orders, "H", NOW - timedelta(days=20))
    rng = random.Random(3)
    for number in range(0, orders, 50):
        name, at = f"H{number:07d}", NOW - timedelta(days=19, minutes=rng.randrange(1440))
        data = {"shipment_id": f"{name}-S0", "invoice_id": f"{name}-I2", "company": "1000"}
        yield events.event(rng, f"{name}/again", "invoice_released", "/erp/main", at, data)
        early = {"order_id": f"E{number:07d}", "company": "1000"}
        yield events.event(rng, f"E{number}/0", "order_accepted", "/erp/main", at, early)
        yield events.event(
            rng, f"E{number}/1", "invoice_released", "/erp/main", at, {**early, "invoice_id": f"E{number}-I"}
        )


def _events(client: Client) -> int:
    """Return how many facts lie in the store; of each event about one."""
    return int(client.query("SELECT count() FROM case_facts").result_rows[0][0])


def _copy(client: Client, copies: int) -> None:
    """Store the correlated rows again so often, of orders, objects and events with ids of their own."""
    most = int(client.query("SELECT max(order_no) FROM order_objects").result_rows[0][0])
    for table in ("case_facts", "case_links", "order_objects"):
        shape = client.query(
            f"SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '{table}' "
            "AND default_kind != 'MATERIALIZED' ORDER BY position"
        ).result_rows
        columns = [name for (name,) in shape]
        for number in range(1, copies):
            values = ", ".join(_renamed(name, number, most) for name in columns)
            select = f"SELECT {values} FROM {table} WHERE order_no BETWEEN 1 AND {most}"
            client.command(f"INSERT INTO {table} ({', '.join(columns)}) {select}")


def _renamed(name: str, number: int, most: int) -> str:
    if name == "order_no":
        return f"order_no + {number * most}"
    if name in ("object", "child", "parent", "ev"):
        return f"sipHash64({name}, {number})"
    if name in ("object_id", "child_id", "parent_id", "order_id", "event_id"):
        return f"concat({name}, '.{number}')"
    return name


def _hand_over(pair: Pair, folder: Path) -> None:
    """Give DuckDB the same rows, what the book says of milestones, and the open spans of its calendars."""
    file = folder / "rows.parquet"
    for table in _TABLES:
        pair.client.command(f"INSERT INTO FUNCTION file('{file}', Parquet) SELECT * FROM {table}")
        described = pair.duck.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
        plain = ", ".join(
            f'"{name}"::{kind.replace(" WITH TIME ZONE", "")} AS "{name}"' for name, kind, *_ in described
        )
        pair.duck.execute(f"CREATE TABLE {table} AS SELECT {plain} FROM '{file}'")
        file.unlink()
    book = pair.compiled.book
    pair.duck.execute("CREATE TABLE milestones (milestone TEXT, type TEXT, authority TEXT)")
    own = [
        (m.name, m.object, next((a.kind for a in m.authority if not a.when.any_of), ""))
        for m in book.milestones.values()
    ]
    pair.duck.executemany("INSERT INTO milestones VALUES (?, ?, ?)", own)
    pair.duck.execute("CREATE TABLE asked (type TEXT, milestone TEXT)")
    asked = {(s.per, name) for s in book.stages for name in (s.start.milestone, s.end.milestone)}
    asked |= {
        ("shipment", "delivered"),
        ("order", "payment_applied"),
        ("payment", "payment_applied"),
        ("order", "shipment_confirmed"),
    }
    pair.duck.executemany("INSERT INTO asked VALUES (?, ?)", sorted(asked))
    pair.duck.execute("CREATE TABLE open_spans (calendar TEXT, opens BIGINT, closes BIGINT, before BIGINT)")
    for name in ("warehouse", "finance"):
        pair.duck.executemany("INSERT INTO open_spans VALUES (?, ?, ?, ?)", _spans(name, book.calendars[name]))


def _spans(name: str, calendar: Calendar) -> list[tuple[str, int, int, int]]:
    """Return the open spans of two years with the open ms before each."""
    spans, before, at = [], 0, NOW - timedelta(days=400)
    while at < NOW + timedelta(days=400):
        opens = calendar.next_open(at)
        at = calendar.next_close(opens)
        low, high = (int(t.timestamp() * 1000) for t in (opens, at))
        spans.append((name, low, high, before))
        before += high - low
    return spans


def _tower(pair: Pair) -> Cost:
    """Judge everything anew as the engine does."""
    client = pair.client
    began, cpu = time.perf_counter(), time.process_time()
    client.command("CREATE OR REPLACE TEMPORARY TABLE touched (order_no UInt64) ENGINE = Memory")
    client.command("INSERT INTO touched SELECT order_no FROM order_objects")
    kept = {"kept_clocks": _CLOCKS.format("judged_clocks"), "kept_findings": _FINDINGS.format("judged_findings")}
    for table, select in kept.items():
        client.command(f"CREATE OR REPLACE TABLE {table} ENGINE = MergeTree ORDER BY order_no EMPTY AS {select}")
    after, most = 0, slice_orders(client)
    while size := workspace.set_scope(client, load("engine_scope"), {"after": after, "size": most}):
        workspace.judge(client, pair.compiled, as_of=NOW, known_at=EVERYTHING_KNOWN, orders=size)
        for table, select in kept.items():
            client.command(f"INSERT INTO {table} {select}")
        after = int(client.query("SELECT max(order_no) FROM scope").result_rows[0][0])
    return Cost(time.perf_counter() - began, time.process_time() - cpu)


def _duck(pair: Pair) -> Cost:
    """Do it DuckDB's way."""
    now = f"TIMESTAMP '{NOW:%Y-%m-%d %H:%M:%S}'"
    began, cpu = time.perf_counter(), time.process_time()
    for statement in _SQL.read_text().replace("$now", now).split(";\n"):
        pair.duck.execute(statement)
    return Cost(time.perf_counter() - began, time.process_time() - cpu)


def _compare(pair: Pair, folder: Path) -> tuple[int, int]:
    """Return how many clocks and findings both have. Raises RuntimeError with the first differences."""
    counts = []
    for select, mine, theirs in ((_CLOCKS, "kept_clocks", "clocks"), (_FINDINGS, "kept_findings", "findings")):
        file = folder / f"{mine}.parquet"
        pair.client.command(f"INSERT INTO FUNCTION file('{file}', Parquet) SELECT * FROM {mine}")
        at = "due_at" if theirs == "clocks" else "opened_at"
        told = f"SELECT * REPLACE ({at}::TIMESTAMP AS {at}) FROM '{file}'"
        own = select.format(theirs)
        parts = (("tower", told, own), ("DuckDB", own, told))
        wanted = (f"(SELECT '{who}', * FROM (({one}) EXCEPT ALL ({other})) LIMIT 4)" for who, one, other in parts)
        differ = pair.duck.execute(" UNION ALL ".join(wanted)).fetchall()
        if differ:
            raise RuntimeError(f"{theirs}: the answers differ: {differ}")
        (row,) = pair.duck.execute(f"SELECT count(*) FROM {theirs}").fetchall()
        counts.append(int(row[0]))
    return counts[0], counts[1]
