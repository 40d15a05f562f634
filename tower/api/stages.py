"""GET /v1/stages: each promise of the book with what runs, what is stuck and how old it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from rules.compile.authority import configured
from rules.model import Book, Stage
from tower.api.auth import Caller, Context
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.past import Moment, look
from tower.api.wire import Json, instant, money
from tower.store.sql import load

router = APIRouter()
BUCKETS = ("<1h", "1–4h", "4–8h", "8–24h", "1–2d", ">2d")
_COUNTS = ("running", "paused", "on_track", "at_risk", "late", "unknown", "failing", "diverging", "orders")
_EXAMPLE = {
    "stages": [
        {
            "id": "ship-to-invoice", "label": "Ship to invoice", "from": "shipment_confirmed", "to": "invoice_released",
            "per": "shipment", "calendar": "finance", "owner": "finance-ops", "runbook": "", "severity": "critical",
            "system": "erp", "within_s": 7200, "running": 120, "paused": 0, "on_track": 100, "at_risk": 8, "late": 10,
            "unknown": 0, "failing": 2, "diverging": 0, "orders": 97, "value": "188000.00", "p50_age_s": 1800,
            "p90_age_s": 9000, "completed_24h": 410,
            "age_buckets": [{"label": "<1h", "clocks": 2, "value": "1200.00", "orders": 2}],
        }
    ],
    "counts": "clocks",
    "flow_24h": [
        {"stage": "ship-to-invoice", "from": "shipment_confirmed", "to": "invoice_released", "entered": 430,
         "completed": 410, "completed_orders": 380, "stuck": 12, "stuck_orders": 11}
    ],
    "as_of": "2026-11-23T10:00:00.000Z",
}  # fmt: skip


@router.get("/v1/stages", summary="Each stage: running, stuck, ages, flow", responses=answers(_EXAMPLE, 400))
def list_stages(request: Request, context: Context, _: Caller, query: Annotated[Moment, Query()]) -> Response:
    """List every stage in process order. Counts are of clocks; `orders` and `value` are of orders, each taken once."""
    now = context.clock()
    key = ("stages", query, context.progress.judged, context.engine_health(now).last_tick_at)
    return Response(
        request.app.state.shared.get(key, lambda: _read(context, now, query)), media_type="application/json"
    )


def _read(context: ApiContext, moment: datetime, query: Moment) -> bytes:
    with look(context, moment, query.as_of, query.known_at) as seen:
        client, book, now = seen.client, seen.book, seen.as_of
        clocks = _by_rule(client.query(load("api_stages").replace("$orders", seen.orders), parameters={"now": now}))
        flow = _by_rule(client.query(load("api_flow").replace("$orders", seen.orders), parameters={"now": now}))
    kinds = context.connections.kinds
    reply = Json(
        {
            "stages": [
                {**_promise(s, book, kinds), **_state(clocks.get(s.id, {}), flow.get(s.id, {}))} for s in book.stages
            ],
            "counts": "clocks",
            "flow_24h": [
                {
                    "stage": s.id,
                    "from": s.start.milestone,
                    "to": s.end.milestone,
                    **{
                        name: flow.get(s.id, {}).get(name, 0)
                        for name in ("entered", "completed", "completed_orders", "stuck", "stuck_orders")
                    },
                }
                for s in book.stages
            ],
            "as_of": instant(now),
        }
    )
    return bytes(reply.body)


def _promise(stage: Stage, book: Book, kinds: frozenset[str] | None) -> dict[str, Any]:
    awaited = book.milestones.get(stage.end.milestone)
    authority = configured(awaited, kinds).authority if awaited else ()
    return {
        "id": stage.id,
        "label": stage.label or stage.id,
        "from": stage.start.milestone,
        "to": stage.end.milestone,
        "per": stage.per,
        "calendar": stage.calendar,
        "owner": stage.owner,
        "runbook": stage.runbook,
        "severity": stage.severity,
        "system": authority[0].kind if authority else "",
        "within_s": stage.budget.within_s,
    }


def _state(clocks: dict[str, Any], flow: dict[str, Any]) -> dict[str, Any]:
    nothing = [0] * len(BUCKETS)
    counts = clocks.get("bucket_clocks") or nothing
    orders = clocks.get("bucket_orders") or nothing
    values = clocks.get("bucket_values") or [None] * len(BUCKETS)
    return {
        **{name: clocks.get(name, 0) for name in _COUNTS},
        "value": money(clocks.get("value")) or "0.00",
        "p50_age_s": clocks.get("p50_age_s"),
        "p90_age_s": clocks.get("p90_age_s"),
        "completed_24h": flow.get("completed", 0),
        "age_buckets": [
            {"label": label, "clocks": count, "value": money(value) or "0.00", "orders": order_count}
            for label, count, value, order_count in zip(BUCKETS, counts, values, orders, strict=True)
        ],
    }


def _by_rule(found: Any) -> dict[str, dict[str, Any]]:
    rows = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
    return {row["rule"]: row for row in rows}
