"""GET /v1/feeds: how fresh each connection is, and whether it brings what it should."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tower.api.auth import Caller, Context, Seen
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.feed_rows import feed_rows, unconfigured
from tower.api.past import book_then
from tower.api.wire import Instant, instant
from tower.model.connection import Connection, Limits
from tower.model.scope import Scope

router = APIRouter()
_EXAMPLE: dict[str, Any] = {
    "feeds": [
        {
            "connection": "wms-berlin", "kind": "wms", "state": "ok", "watermark": "2026-11-23T09:59:58.120Z",
            "last_seen_at": "2026-11-23T09:59:59.001Z", "expected": 410, "got": 396, "level": "ok", "gates": True,
            "reason": None, "late_since": None, "next_due_at": "2026-11-23T10:14:58.120Z", "lag_s": 1,
            "expects": "a message every 15m", "quiet_after_s": 900, "grace_s": None, "calendar": "warehouse",
            "zone": None, "company": None, "warehouse": "BER1", "partner": None, "expected_min": 320,
            "expected_max": 500, "expected_by": "history", "window_from": "2026-11-23T08:00:00.000Z",
            "window_to": "2026-11-23T09:00:00.000Z",
            "hours": [
                {"from": "2026-11-23T08:00:00.000Z", "open": True, "got": 396, "expected": 410, "min": 320, "max": 500}
            ],
            "runs": [], "events": 10422, "quarantined": 0,
            "gaps": {
                "numberings": 1, "missing": 2, "restarts": 0,
                "ranges": [{"sequence_of": "/wms/berlin", "from": "4097", "to": "4098", "missing": 2}],
            },
            "waiting": {"orders": 0, "unknown": 0, "value": "0.00"},
            "drift": {"new_fields": 1, "changed_types": 0, "unknown_codes": 0},
            "quota": {
                "per_second": 50, "per_day": 100000, "today": 10422, "throttled": 0, "unverified": 2, "duplicate": 17,
            },
        },
    ],
    "unconfigured": [],
    "as_of": "2026-11-23T10:00:00.000Z",
}  # fmt: skip


class FeedQuery(BaseModel):
    """As of when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    known_at: Annotated[Instant | None, Field(description="As it was known at this instant")] = None


@router.get("/v1/feeds", summary="How fresh each connection is", responses=answers(_EXAMPLE, 400))
def list_feeds(
    request: Request, context: Context, _: Caller, scope: Seen, query: Annotated[FeedQuery, Query()]
) -> Response:
    """List every configured connection: watermark, last message, what it brings against what it should, and gaps."""
    now = context.clock()
    key = ("feeds", scope, query.known_at, context.progress.judged, context.engine_health(now).last_tick_at)
    body = request.app.state.shared.get(key, lambda: _read(context, query, scope))
    return Response(body, media_type="application/json")


def _read(context: ApiContext, query: FeedQuery, scope: Scope | None) -> bytes:
    now = context.clock()
    book = book_then(context, query.known_at)
    with context.store.reader() as client:
        rows = feed_rows(client, book, context.connections, now, query.known_at)
    counts = context.stats().get("connections", {})
    for row in rows:
        row["quota"] = _quota(context.connections.named(row["connection"]), counts.get(row["connection"]))
    return msgspec.json.encode(
        {
            "feeds": rows if scope is None else [row for row in rows if row["connection"] in scope.connections],
            "unconfigured": unconfigured(book, context.connections) if scope is None else [],
            "as_of": instant(query.known_at or now),
        }
    )


def _quota(connection: Connection | None, counts: Any) -> dict[str, int | None]:
    """Return a connection's share and what it made of it: today as counted, the rest since the start."""
    limits = connection.limits if connection is not None else Limits()
    told: dict[str, int | None] = {n: getattr(counts, n, 0) for n in ("today", "throttled", "unverified", "duplicate")}
    if not (told["today"] or limits.per_day or limits.per_second):
        told["today"] = None  # events are counted for those that have a share
    return {"per_second": limits.per_second or None, "per_day": limits.per_day or None, **told}
