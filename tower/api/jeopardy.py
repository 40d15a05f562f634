"""GET /v1/jeopardy: what the odds rest on, and whether they have been right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from rules.model import Book
from rules.odds import FALLBACK_SHARE, LEAST_ENDED, Curve
from tower.api.auth import Caller, Context
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.jeopardy_rows import curves_at
from tower.api.wire import instant
from tower.engine.curves import WINDOW
from tower.store.sql import load

router = APIRouter()
LEAST_IN_BIN = 20  # predictions that a tenth needs before its gap counts
_EXAMPLE: dict[str, Any] = {
    "as_of": "2026-11-23T10:00:00.000Z", "built_at": "2026-11-23T09:58:00.000Z", "window_days": 365, "least_ended": 30,
    "curves": [
        {
            "rule": "ship-to-invoice", "segment": "", "cases": 2210, "ended": 2154, "thin": False, "median_s": 2400,
            "p90_s": 6100, "p95_s": 7900, "budget_s": 7200, "outlasts_budget": 0.06,
            "points": [[0, 1.0], [600, 0.91], [2400, 0.5]],
        }
    ],
    "calibration": [
        {
            "rule": None, "settled": 640, "breached": 51, "waiting": 22, "gone": 9, "brier": 0.061, "brier_mean": 0.073,
            "brier_share": 0.118, "worst_gap": 0.031,
            "bins": [{"from": 0.0, "to": 0.1, "predictions": 402, "predicted": 0.041, "breached": 0.037}],
        }
    ],
}  # fmt: skip
_POINTS = 60


@router.get("/v1/jeopardy", summary="What odds rest on, and whether they were right", responses=answers(_EXAMPLE))
def show_jeopardy(request: Request, context: Context, _: Caller) -> Response:
    """Show the survival curves in force and how the predictions of the last year came out, by stage and together."""
    now = context.clock()
    key = ("jeopardy", context.progress.judged, context.engine_health(now).last_tick_at)
    body = request.app.state.shared.get(key, lambda: _read(context, now))
    return Response(body, media_type="application/json")


def _read(context: ApiContext, now: datetime) -> bytes:
    book = context.book()
    parameters = {"since": now - WINDOW, "share": float(FALLBACK_SHARE)}
    with context.store.reader() as client:
        curves = curves_at(client, context.store, now)
        counted = list(client.query(load("api_jeopardy"), parameters=parameters).named_results())
        told = client.query(load("api_predictions"), parameters=parameters).result_rows
    waiting = {rule: (open_, gone) for rule, open_, gone in told}
    rules = sorted({row["rule"] for row in counted} | set(waiting))
    every = (sum(w for w, _ in waiting.values()), sum(g for _, g in waiting.values()))
    calibration = [calibration_of(None, counted, every)]
    calibration += [calibration_of(r, [c for c in counted if c["rule"] == r], waiting.get(r, (0, 0))) for r in rules]
    return msgspec.json.encode(
        {
            "as_of": instant(now),
            "built_at": instant(curves.built_at),
            "window_days": WINDOW.days,
            "least_ended": LEAST_ENDED,
            "curves": [curve_row(c, book) for c in curves.by_key.values()],
            "calibration": calibration,
        }
    )


def curve_row(curve: Curve, book: Book) -> dict[str, Any]:
    """Return one curve in short: medians in open seconds, and at most 60 of its points."""
    stage = book.stage(curve.rule)
    budget_s = stage.budget.within_s if stage is not None else None
    every = max(1, -(-len(curve.at_ms) // _POINTS))
    chosen = list(zip(curve.at_ms, curve.alive, strict=True))
    return {
        "rule": curve.rule,
        "segment": curve.segment,
        "cases": curve.cases,
        "ended": curve.ended,
        "thin": curve.thin,
        "median_s": _reached(curve, 0.5),
        "p90_s": _reached(curve, 0.1),
        "p95_s": _reached(curve, 0.05),
        "budget_s": budget_s,
        "outlasts_budget": None if budget_s is None else round(curve.outlasts(budget_s * 1000), 4),
        "points": [[ms // 1000, round(share, 4)] for ms, share in [(0, 1.0), *chosen[::every], *chosen[-1:]]],
    }


def _reached(curve: Curve, share: float) -> int | None:
    return next((ms // 1000 for ms, alive in zip(curve.at_ms, curve.alive, strict=True) if alive <= share), None)


def calibration_of(rule: str | None, counted: Sequence[dict[str, Any]], waiting: tuple[int, int]) -> dict[str, Any]:
    """Return how the predictions of a stage came out, None for all stages together.

    counted: rows of api_jeopardy.sql. Brier scores are mean squared errors, less is better: of the odds, of always
    saying the stage's own rate, and of expecting a breach from 75 % of the time on.
    """
    settled = sum(c["predictions"] for c in counted)
    breached = sum(c["breached"] for c in counted)
    bins = []
    for tenth in range(10):
        rows = [c for c in counted if c["tenth"] == tenth]
        n = sum(c["predictions"] for c in rows)
        if n:
            predicted, seen = (sum(c[name] for c in rows) / n for name in ("predicted", "breached"))
            bins.append(
                {
                    "from": tenth / 10, "to": (tenth + 1) / 10, "predictions": n, "predicted": round(predicted, 4),
                    "breached": round(seen, 4),
                }
            )  # fmt: skip
    by_rule: dict[str, tuple[int, int]] = {}
    for c in counted:
        n, bad = by_rule.get(c["rule"], (0, 0))
        by_rule[c["rule"]] = n + c["predictions"], bad + c["breached"]
    spread = sum(bad * (n - bad) / n for n, bad in by_rule.values())

    def mean(total: float) -> float | None:
        return round(total / settled, 4) if settled else None

    gaps = [abs(b["predicted"] - b["breached"]) for b in bins if b["predictions"] >= LEAST_IN_BIN]
    return {
        "rule": rule,
        "settled": settled,
        "breached": breached,
        "waiting": waiting[0],
        "gone": waiting[1],
        "brier": mean(sum(c["squared_odds"] for c in counted)),
        "brier_mean": mean(spread),
        "brier_share": mean(sum(c["squared_share"] for c in counted)),
        "worst_gap": round(max(gaps), 4) if gaps else None,
        "bins": bins,
    }
