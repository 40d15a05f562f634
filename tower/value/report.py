"""All figures of a window together, how they went over time, and by stage or phase."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tower.value.figure import Sums, Told, as_json, shown
from tower.value.ground import Ground, Totals, Window
from tower.value.metrics import METRICS, STAGED, UNITS

BUCKETS = 24
# What is drawn over time. What is true at a cut-off has no course within a window.
TRENDS = ("orders", "exceptions_per_1000", "on_time", "ship_to_invoice_p50", "stages_in_time", "touches_per_100",
          "value_found", "value_moved")  # fmt: skip
_GROUPED = ("exceptions", "stages_in_time", "time_p50", "time_p90", "touches", "value_found", "value_moved")


def terms_of(ground: Ground) -> dict[str, Any]:
    """Return what the book says that sums are worth."""
    value = ground.book.value
    return {
        "currency": value.currency, "minutes_per_touch": value.minutes_per_touch, "calendar": value.calendar,
        "cost_per_touch": value.cost_per_touch, "cost_of_capital": value.cost_of_capital,
        "escalates": "escalate" in str(ground.book.routes),
        "meanings": frozenset(m for m in value.means if ground.has(m)),
    }  # fmt: skip


def tell(ground: Ground, window: Window) -> dict[str, Told]:
    """Return every figure of a window by id."""
    totals = {name: ground.total(name, window) for name in UNITS}
    sums = Sums(totals, window.seconds, terms_of(ground))
    return {m.id: m.reckon(sums) for m in METRICS}


def figures_json(told: Mapping[str, Told]) -> dict[str, dict[str, Any]]:
    """Return the figures as the API tells them."""
    return {m.id: as_json(m, told[m.id]) for m in METRICS}


def course(ground: Ground, window: Window) -> list[dict[str, Any]]:
    """Return the drawn figures in equal parts of a window, oldest first; a part without a figure says null."""
    width = window.seconds / BUCKETS
    since_ms, width_ms = int(window.since.timestamp() * 1000), max(1, int(width * 1000))
    bucket = f"toString(least(intDiv(toUnixTimestamp64Milli(at) - {since_ms}, {width_ms}), {BUCKETS - 1}))"
    drawn = [m for m in METRICS if m.id in TRENDS]
    needed = sorted({"started", *(m.behind for m in drawn)})
    parts = {name: ground.totals(name, window, bucket) for name in needed}
    rows: list[dict[str, Any]] = []
    for i in range(BUCKETS):
        sums = Sums({n: parts[n].get(str(i), Totals()) for n in needed}, width, terms_of(ground))
        at = window.since + timedelta(milliseconds=i * width_ms)
        rows.append({"at": shown(at), **{m.id: shown(m.reckon(sums).value) for m in drawn}})
    return rows


def groups(ground: Ground, window: Window, by: str) -> list[dict[str, Any]]:
    """Return what can be told by stage, or by phase of the book, in the order of the book."""
    bucket = "stage" if by == "stage" else ground.phase_sql()
    parts = {name: ground.totals(name, window, bucket) for name in STAGED}
    known = [s.id for s in ground.book.stages] if by == "stage" else [p.name for p in ground.book.value.phases]
    names = [*known, *sorted({n for p in parts.values() for n in p} - set(known) - {""})]
    return [_group(name, {units: parts[units].get(name, Totals()) for units in STAGED}) for name in names]


def _group(name: str, parts: Mapping[str, Totals]) -> dict[str, Any]:
    clocks, found, acted = parts["clocks"], parts["exceptions"], parts["acted"]
    values: tuple[Any, ...] = (
        found.units, clocks.good / clocks.units if clocks.units else None, clocks.measure_p50, clocks.measure_p90,
        parts["touched"].things, found.amount_sum, acted.good_amount,
    )  # fmt: skip
    counts = {
        "ended": clocks.units, "in_time": clocks.good, "orders_with_exceptions": found.orders,
        "verified_acts": acted.good, "not_priced": found.unpriced_units,
    }  # fmt: skip
    return {"group": name, **dict(zip(_GROUPED, map(shown, values), strict=True)), "counts": counts}


def at_risk(ground: Ground, window: Window) -> dict[str, Any]:
    """Return what is stuck as of the moment, in all and by stage, the most money first."""
    total = ground.total("stuck", window)
    stages = [
        {"stage": name, "orders": t.units, "value": shown(t.amount_sum), "not_priced": t.unpriced_units}
        for name, t in ground.totals("stuck", window, "stage").items()
    ]
    stages.sort(key=lambda s: (-float(s["value"] or 0), s["stage"]))
    return {
        "orders": total.units, "value": shown(total.amount_sum or Decimal(0)), "not_priced": total.unpriced_units,
        "stages": stages,
    }  # fmt: skip
