"""GET /v1/groups: stuck orders by stage, system and error, the unit in which problems are usually fixed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tower.api.auth import Caller, Context
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.past import Moment, look
from tower.api.wire import Json, instant, records
from tower.store.sql import load

router = APIRouter()
MAX_GROUPS = 1000
_DAYS = 30  # outcomes are counted over so many
_TOO_OFTEN = 3  # of the last five
_EXAMPLE = {
    "groups": [
        {
            "stage": "ship-to-invoice", "system": "erp", "error": "tax code missing", "count": 14,
            "value": "51230.00", "states": ["failing", "late"], "first_at": "2026-11-23T07:10:00.000Z",
            "last_at": "2026-11-23T09:40:00.000Z", "last_action_at": None, "last_outcome": None,
            "outcomes": {"no_effect": 3, "verified": 2}, "retryable": True,
            "advice": "3 of the last 5 retries on this error had no effect: do not repeat, correct the cause first",
        }
    ],
    "counts": "orders",
    "as_of": "2026-11-23T10:00:00.000Z",
}  # fmt: skip


@router.get("/v1/groups", summary="Stuck orders by stage, system and error", responses=answers(_EXAMPLE, 400))
def list_groups(request: Request, context: Context, _: Caller, query: Annotated[Moment, Query()]) -> Response:
    """List groups of stuck orders by their worst clock, the most value at risk first. Counts are of orders.

    outcomes counts how acts on such an error ended in 30 days; advice says when the last five speak against another.
    """
    now = context.clock()
    clicks = request.app.state.clicks.count
    key = ("groups", query, context.progress.judged, context.engine_health(now).last_tick_at, clicks)
    return Response(
        request.app.state.shared.get(key, lambda: _read(context, now, query)), media_type="application/json"
    )


def _read(context: ApiContext, moment: datetime, query: Moment) -> bytes:
    with look(context, moment, query.as_of, query.known_at) as seen:
        text = load("api_groups").replace("$orders", seen.orders)
        since = seen.as_of - timedelta(days=_DAYS)
        found = seen.client.query(text, parameters={"limit": MAX_GROUPS, "now": seen.as_of, "since": since})
        book, now = seen.book, seen.as_of
    groups: list[dict[str, Any]] = records(found.column_names, found.result_rows)
    for group in groups:
        group["value"] = group["value"] or "0.00"
        group["advice"] = advice(group.pop("latest") or [])
        group["outcomes"] = {state: count for state, count in sorted((group["outcomes"] or {}).items()) if count}
        group["retryable"] = not query.past and bool(group["stage"]) and book.action_for(group["stage"]) is not None
    return bytes(Json({"groups": groups, "counts": "orders", "as_of": instant(now)}).body)


def advice(latest: Sequence[str]) -> str:
    """Return what the last ends of acts on an error, the latest first, say about one more; '' when nothing."""
    harm = [state for state in latest if state in ("duplicated", "regressed")]
    if harm:
        did = "did its work twice" if harm[0] == "duplicated" else "broke what had been reached"
        return f"one of the last {len(latest)} retries on this error {did}: do not repeat, look at that order first"
    for state, did in (("no_effect", "had no effect"), ("failed", "were refused"), ("expired", "got no answer")):
        if (count := latest.count(state)) >= _TOO_OFTEN:
            return (
                f"{count} of the last {len(latest)} retries on this error {did}: do not repeat, correct the cause first"
            )
    return ""
