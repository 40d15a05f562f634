"""What GET /v1/jeopardy says, made up: a stage with curves, one with too few cases, and predictions that came out."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def jeopardy(now: datetime) -> dict[str, Any]:
    """Return the answer."""
    bins = [
        {"from": n / 10, "to": (n + 1) / 10, "predictions": count, "predicted": n / 10 + 0.05, "breached": came}
        for n, count, came in ((0, 402, 0.04), (1, 120, 0.17), (2, 60, 0.22), (4, 31, 0.5), (6, 24, 0.66), (9, 3, 1.0))
    ]
    whole = {
        "rule": None, "settled": 640, "breached": 79, "waiting": 22, "gone": 9, "brier": 0.061, "brier_mean": 0.083,
        "brier_share": 0.118, "worst_gap": 0.05, "bins": bins,
    }  # fmt: skip

    def curve(rule: str, segment: str, cases: int, *, thin: bool = False) -> dict[str, Any]:
        return {
            "rule": rule, "segment": segment, "cases": cases, "ended": cases - 3, "thin": thin, "median_s": 2400,
            "p90_s": 6100, "p95_s": 7900, "budget_s": 7200, "outlasts_budget": 0.06, "points": [[0, 1.0], [2400, 0.5]],
        }  # fmt: skip

    return {
        "as_of": now.isoformat(), "built_at": now.isoformat(), "window_days": 365, "least_ended": 30,
        "curves": [
            curve("ship-to-invoice", "P1 / standard / BER1", 210), curve("invoice_released.failed", "", 44),
            curve("ship-to-invoice", "", 812), curve("capture-to-accept", "", 12, thin=True),
        ],
        "calibration": [whole, {**whole, "rule": "ship-to-invoice", "settled": 120}],
    }  # fmt: skip
