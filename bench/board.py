"""The board's queries against DuckDB on the same rows: the page of stuck orders, one stage, and the stage totals.

Both engines hold the same orders with their clocks, and each answer is compared before anything is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from clickhouse_connect.driver.client import Client

from bench.events import EVENTS_PER_ORDER, NOW
from bench.figure import Figure, percentile
from rules.compile.retry import cases_sql
from rules.parse import SHIPPED, load_book
from tower.api.order_query import OrderQuery
from tower.store.client import Store
from tower.store.migrate import migrate
from tower.store.sql import load

NAME = "board"
SQL = Path(__file__).parent / "sql"
_THREADS = 2
Answer = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a viewer asks, of the tower's store and of DuckDB. Answers are comparable."""

    name: str
    tower: Callable[[Client], Answer]
    duck: Callable[[duckdb.DuckDBPyConnection], Answer]


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Fill both engines at two sizes and ask each question in turns."""
    figures = []
    for events in (100_000, 1_000_000) if quick else (1_000_000, 10_000_000):
        figures += at_size(folder / str(events), events, 40 if quick else 60)
    return figures


def at_size(folder: Path, events: int, rounds: int) -> list[Figure]:
    """Compare and time each question over the orders of so many events. Raises RuntimeError when answers differ."""
    folder.mkdir(parents=True)
    store = Store(f"chdb://{folder.parent / 'store'}", database=f"board_{events}")
    duck = duckdb.connect(str(folder / "duck.db"), config={"threads": _THREADS})
    duck.execute("SET enable_progress_bar = false")
    figures = []
    try:
        migrate(store)
        _fill(store, events // EVENTS_PER_ORDER)
        _copy(store, duck, folder / "orders.parquet")
        with store.reader() as client:
            for question in _questions():
                mine, theirs = question.tower(client), question.duck(duck)
                if mine != theirs:
                    raise RuntimeError(f"{question.name}: the answers differ: {mine[:3]} and {theirs[:3]}")
                took: tuple[list[float], list[float]] = ([], [])
                for _ in range(rounds):
                    took[0].append(_timed(lambda q=question: q.tower(client)))  # type: ignore[misc]  # bound now on purpose
                    took[1].append(_timed(lambda q=question: q.duck(duck)))  # type: ignore[misc]  # bound now on purpose
                figures.append(_figure(f"{question.name}, {events / 1e6:g} M events", *took))
    finally:
        duck.close()
        store.close()
    return figures


def _figure(name: str, mine: list[float], theirs: list[float]) -> Figure:
    p95, duck_p95, p50, duck_p50 = (percentile(t, share) * 1e3 for share in (0.95, 0.5) for t in (mine, theirs))
    note = f"DuckDB p95 {duck_p95:.1f}; p50 {p50:.1f} and {duck_p50:.1f}, ratio {p50 / duck_p50:.2f}; aim <= 1.5"
    return Figure(NAME, name, f"p95 {p95:.1f} ms", p95 / duck_p95, at_most=2.5, note=note)


def _timed(ask: Callable[[], Answer]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _fill(store: Store, orders: int) -> None:
    """Write the orders, then the open ones once more, as later ticks do."""
    text = (SQL / "orders.sql").read_text()
    with store.writer() as client:
        for later, which in ((0, "1"), (1, "closed_at IS NULL")):
            parameters = {"orders": orders, "now": NOW, "later": later}
            client.command(text.replace("$which", which), parameters=parameters)
        end = time.monotonic() + 120
        while time.monotonic() < end and client.query("SELECT count() FROM system.merges").result_rows[0][0]:
            time.sleep(0.2)


def _copy(store: Store, duck: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Give DuckDB the same rows, in the same order; instants without a zone, which costs it less to hand out."""
    with store.reader() as client:
        client.command(f"INSERT INTO FUNCTION file('{file}', Parquet) SELECT * FROM orders FINAL ORDER BY order_no")
    described = duck.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
    plain = ", ".join(f'"{name}"::{kind.replace(" WITH TIME ZONE", "")} AS "{name}"' for name, kind, *_ in described)
    duck.execute(f"CREATE TABLE orders AS SELECT {plain} FROM '{file}'")
    file.unlink()


def _page(query: OrderQuery, duck_where: str) -> tuple[Callable[[Client], Answer], Callable[[Any], Answer]]:
    """Return the first page of the board with its totals, as the API asks for it, and DuckDB's way."""

    cases = cases_sql(load_book(SHIPPED), "")

    def tower(client: Client) -> Answer:
        wanted, values = query.clauses()
        key, _, direction = query.sort_key
        where = "\n    AND ".join(wanted)
        page, total = (
            load(name).replace("$orders", "orders FINAL").replace("$where", where)
            for name in ("api_orders", "api_orders_total")
        )
        page = page.replace("$key", key).replace("$direction", direction).replace("$cases", cases)
        found = client.query(page, parameters={**values, "limit": query.limit + 1})
        at = found.column_names.index("order_id")
        worst = found.column_names.index("clock_verdict")
        return [(r[at], r[worst]) for r in found.result_rows] + [
            (count, value) for count, value in client.query(total, parameters=values).result_rows
        ]

    page_text = (
        (SQL / "duck_orders.sql").read_text().replace("$where", duck_where).replace("$limit", str(query.limit + 1))
    )
    total_text = f"SELECT count(*), sum(value_at_risk) FROM orders WHERE {duck_where}"

    def duck(connection: duckdb.DuckDBPyConnection) -> Answer:
        found = connection.execute(page_text)
        names = [d[0] for d in found.description or ()]
        at, worst = names.index("order_id"), names.index("clock_verdict")
        return [(r[at], r[worst]) for r in found.fetchall()] + connection.execute(total_text).fetchall()

    return tower, duck


def _questions() -> list[Question]:
    stuck = OrderQuery(state="stuck", system="erp,wms", priority="P1,P2", min_value=Decimal(1000), limit=200)
    stage = OrderQuery(stage="ship-to-invoice", state="late", limit=200)
    on = "on_board = 1 AND closed_at IS NULL"
    stuck_duck = (
        f"{on} AND state IN ('failing', 'late', 'diverging') AND system IN ('erp', 'wms') "
        "AND priority IN ('P1', 'P2') AND reporting_amount >= 1000"
    )
    stage_duck = (
        f'{on} AND list_contains(list_transform(list_zip("clocks.rule", "clocks.verdict"), '
        "lambda x: x[1] = 'ship-to-invoice' AND x[2] = 'late'), true)"
    )
    totals = (SQL / "duck_stages.sql").read_text()

    def duck_totals(connection: duckdb.DuckDBPyConnection) -> Answer:
        return [row[:8] for row in connection.execute(totals, {"now": NOW.replace(tzinfo=None)}).fetchall()]

    return [
        Question("stuck, 4 filters, top 200", *_page(stuck, stuck_duck)),
        Question("one stage, late, top 200", *_page(stage, stage_duck)),
        Question("stage totals", _totals, duck_totals),
    ]


def _totals(client: Client) -> Answer:
    found = client.query(load("api_stages").replace("$orders", "orders FINAL"), parameters={"now": NOW})
    at = [
        found.column_names.index(name)
        for name in ("rule", "running", "late", "at_risk", "orders", "value", "p50_age_s", "p90_age_s")
    ]
    return sorted(tuple(row[i] for i in at) for row in found.result_rows)
