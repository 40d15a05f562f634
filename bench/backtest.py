"""A changed limit over a year of orders: seconds, against what judging each of these orders by both books would take.

Two thousand real orders are taken in and judged by the engine; beside them lie as many stored verdicts as a large shop
has. Both ways must find the same on the real ones.
"""

from __future__ import annotations

import resource
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bench.board import SQL
from bench.events import NOW
from bench.figure import Figure
from bench.tick import CONNECTIONS, Place, open_orders
from rules.model import Budget
from rules.parse import SHIPPED, load_book
from tower.backtest.outcome import Outcome
from tower.backtest.run import backtest

NAME = "backtest"
_STAGE = "ship-to-invoice"
_REAL = 2000
_NUMBERED_FROM = 10_000_001  # behind the numbers of the real ones
_WINDOW = timedelta(days=400)


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Backtest one limit by stored clocks, then on the real orders in full."""
    orders = 100_000 if quick else 1_000_000
    place = Place(folder, "backtest")
    try:
        place.insert(open_orders(), NOW - timedelta(hours=1))
        place.tick(NOW)
        narrow, _ = _timed(place, exhaustive=False)
        full, full_cpu_s = _timed(place, exhaustive=True)
        if _found(narrow) != _found(full):
            raise RuntimeError(f"the two ways differ: {_found(narrow)} and {_found(full)}")
        _fill(place, orders)
        wide, cpu_s = _timed(place, exhaustive=False)
    finally:
        place.store.close()
    in_full_s = full_cpu_s / full.judged_orders * (orders + _REAL)
    found = f"{wide.total('gained'):,} gained, {wide.judged_orders} orders judged in full"
    return [
        Figure(NAME, f"a changed limit, {orders:,} orders", f"{wide.seconds:.1f} s, {cpu_s:.1f} s of CPU", note=found),
        Figure(
            NAME, "judging them all by both books", f"{in_full_s:.0f} s of CPU", cpu_s / in_full_s, at_most=0.1,
            note=f"from {full.judged_orders:,} orders in {full_cpu_s:.1f} s",
        ),
    ]  # fmt: skip


def _timed(place: Place, *, exhaustive: bool) -> tuple[Outcome, float]:
    """Return the outcome of halving one limit, and the CPU seconds it took."""
    old = load_book(SHIPPED)
    stages = tuple(replace(s, budget=Budget(within_s=3600)) if s.id == _STAGE else s for s in old.stages)
    new = replace(old, stages=stages, hash=f"{old.hash} with another limit")
    began = _cpu_s()
    outcome = backtest(place.store, CONNECTIONS, old, new, NOW - _WINDOW, NOW, exhaustive=exhaustive)
    return outcome, _cpu_s() - began


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _found(outcome: Outcome) -> list[tuple[object, ...]]:
    names = ("rule", "kind", "gained", "lost", "differently")
    return [tuple(row[n] for n in names) for row in outcome.rules if any(row[n] for n in names[2:])]


def _fill(place: Place, orders: int) -> None:
    text = (SQL / "orders.sql").read_text().replace("$which", "1")
    text = text.replace("number + 1 AS order_no", f"number + {_NUMBERED_FROM} AS order_no")
    text = text.replace("'bench' AS book", f"'{place.compiled.book.hash}' AS book")
    with place.store.writer() as client:
        client.command(text, parameters={"orders": orders, "now": NOW, "later": 0})
