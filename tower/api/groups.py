"""GET /v1/groups: stuck orders by stage, system and error, the unit in which problems are usually fixed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from tower.api.auth import Caller, Context
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.wire import Json, instant, records
from tower.store.sql import load

router = APIRouter()
MAX_GROUPS = 1000
_EXAMPLE = {
    "groups": [
        {
            "stage": "ship-to-invoice", "system": "erp", "error": "tax code missing", "count": 14,
            "value": "51230.00", "states": ["failing", "late"], "first_at": "2026-11-23T07:10:00.000Z",
            "last_at": "2026-11-23T09:40:00.000Z", "last_action_at": None, "last_outcome": None, "retryable": True,
        }
    ],
    "counts": "orders",
    "as_of": "2026-11-23T10:00:00.000Z",
}  # fmt: skip


@router.get("/v1/groups", summary="Stuck orders by stage, system and error", responses=answers(_EXAMPLE))
def list_groups(request: Request, context: Context, _: Caller) -> Response:
    """List groups of stuck orders by their worst clock, the most value at risk first. Counts are of orders."""
    now = context.clock()
    clicks = request.app.state.clicks.count
    key = ("groups", context.progress.judged, context.engine_health(now).last_tick_at, clicks)
    return Response(request.app.state.shared.get(key, lambda: _read(context, now)), media_type="application/json")


def _read(context: ApiContext, now: datetime) -> bytes:
    with context.store.reader() as client:
        found = client.query(load("api_groups"), parameters={"limit": MAX_GROUPS})
    book = context.book()
    groups: list[dict[str, Any]] = records(found.column_names, found.result_rows)
    for group in groups:
        group["value"] = group["value"] or "0.00"
        group["retryable"] = bool(group["stage"]) and book.action_for(group["stage"]) is not None
    return bytes(Json({"groups": groups, "counts": "orders", "as_of": instant(now)}).body)
