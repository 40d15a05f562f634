"""The fake tower's figures for executives, in the shape of GET /v1/roi."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
LIVE = NOW - timedelta(days=28)
MATCHED = {"acts": 180, "matched": 171, "orders": 168, "twin_orders": 412}


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _figure(label: str, value: Any, unit: str, better: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "unit": unit, "low": None, "high": None, "label": label, "better": better,
            "formula": f"how {label.lower()} is counted", "inputs": {}, "counts": {}, "behind": "exceptions", **more}  # fmt: skip


def roi(baseline: bool = True) -> dict[str, Any]:
    """Return an answer; without a baseline nothing is compared."""
    figures = {
        "orders": _figure("Orders", 9800, "orders", ""),
        "exceptions_per_1000": _figure(
            "Exceptions per 1,000 orders", 41.2, "per 1,000 orders", "less", counts={"exceptions": 404, "orders": 9800},
            inputs={"per_orders": 1000},
        ),
        "on_time": _figure("Orders on time", 0.958, "share", "more", counts={"promised": 9000, "kept": 8622}),
        "ship_to_invoice_p50": _figure(
            "Ship to invoice, median", 5400.0, "open seconds", "less", inputs={"calendar": "finance", "elapsed_s": 61200.0}
        ),
        "shipped_not_invoiced": _figure("Shipped, not invoiced at cut-off", "188000.00", "money", "less"),
        "fill_rate": _figure("Fill rate", None, "share", "more", refused="no order says how much was <b>ordered</b>"),
    }  # fmt: skip
    if baseline:
        for name, before, change in (
            ("exceptions_per_1000", 66.0, -0.376), ("on_time", 0.87, 0.088), ("ship_to_invoice_p50", 4500.0, 0.2),
        ):  # fmt: skip
            figures[name]["baseline"] = {"value": before, "counts": {}, "refused": None}
            figures[name]["change"] = {"value": change, "in": "points" if name == "on_time" else "parts"}
    won = {
        "hours_saved": _figure(
            "Hours won by acting", 310.2, "hours", "more", low=220.9, high=402.7, inputs={"horizon_s": 259200},
            counts=MATCHED,
        ),
        "moved_share": _figure("Share moved", 0.31, "share", "more", low=0.2, high=0.4, counts=MATCHED),
        "value_earned": _figure("Value moved that would not have", "188000.00", "money", "more", counts=MATCHED),
        "capital_saved": _figure("Cost of capital saved", "120.00", "money", "more", counts=MATCHED),
    }  # fmt: skip
    thin = {name: {**f, "value": None, "low": None, "high": None, "inputs": {}, "counts": {"acts": 3, "matched": 2, "twin_orders": 4},
                   "refused": "2 orders that were acted on found twins; 20 are needed"} for name, f in won.items()}  # fmt: skip
    start = LIVE - timedelta(days=28)
    trend = [
        {"at": _iso(start + i * timedelta(days=56) / 24), "exceptions_per_1000": 66.0 - i, "on_time": None if i == 3 else 0.87 + i / 300,
         "ship_to_invoice_p50": 4500.0 + 40 * i} for i in range(24)
    ]  # fmt: skip
    return {
        "from": _iso(LIVE), "to": _iso(NOW), "as_of": _iso(NOW), "known_at": _iso(NOW), "currency": "EUR",
        "rate_date": "2026-01-01", "book": "a1b2", "figures": figures, "by": "phase", "trend": trend, "labels": {"ship-to-invoice": "Invoice"},
        "baseline": {"baseline_id": "b", "since": _iso(start), "until": _iso(LIVE), "locked_at": _iso(LIVE), "locked_by": "admin",
                     "reason": "go-live", "currency": "EUR", "book": "a1b2"} if baseline else None,
        "earned": [{"stage": "all", "figures": won}, {"stage": "ship-to-invoice", "figures": thin}],
        "realized": [{"stage": "ship-to-invoice", "acts": 118.0, "amount": "402000.00", "not_priced": 2}],
        "at_risk": {"orders": 12, "value": "188000.00", "not_priced": 1,
                    "stages": [{"stage": "ship-to-invoice", "orders": 12, "value": "188000.00", "not_priced": 1}]},
        "groups": [{"group": "invoice", "exceptions": 40, "stages_in_time": 0.97, "time_p50": 1800.0, "time_p90": 7100.0,
                    "touches": 12, "value_found": "52000.00", "value_moved": None, "counts": {}}],
    }  # fmt: skip


BEHIND = {
    "metric": "exceptions_per_1000", "label": "Exceptions per 1,000 orders", "from": _iso(LIVE), "to": _iso(NOW), "as_of": _iso(NOW),
    "next_cursor": 50, "columns": {"measure": "seconds until seen", "other": "seconds until resolved", "good": "resolved"},
    "orders": [{"order_id": "SO-<i>7</i>", "stage": "ship-to-invoice", "thing": "b-1", "at": _iso(NOW), "measure": 1.0, "other": None,
                "good": False, "amount": "1234.50"}],
}  # fmt: skip
