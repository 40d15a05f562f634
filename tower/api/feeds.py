"""GET /v1/feeds: how fresh each connection is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from tower.api.auth import Context, Viewer
from tower.api.docs import answers
from tower.api.wire import Json, instant
from tower.engine.feeds import FeedState, feed_states

router = APIRouter()
_EXAMPLE = {
    "feeds": [
        {
            "connection": "wms-berlin", "kind": "wms", "state": "ok", "watermark": "2026-11-23T09:59:58.120Z",
            "last_seen_at": "2026-11-23T09:59:59.001Z", "expected": None, "got": None, "events": 10422, "gates": True,
        }
    ],
    "as_of": "2026-11-23T10:00:00.000Z",
}  # fmt: skip


@router.get("/v1/feeds", summary="How fresh each connection is", responses=answers(_EXAMPLE))
def list_feeds(context: Context, _: Viewer) -> Response:
    """List every configured connection: watermark, last message, and runs due and heard in the last 24 hours."""
    now = context.clock()
    with context.store.reader() as client:
        states = feed_states(client, context.book(), context.connections, now)
    return Json({"feeds": [_plain(s) for s in states], "as_of": instant(now)})


def _plain(feed: FeedState) -> dict[str, Any]:
    return {
        "connection": feed.connection,
        "kind": feed.kind,
        "state": feed.state,
        "watermark": instant(feed.watermark),
        "last_seen_at": instant(feed.last_seen_at),
        "expected": feed.expected,
        "got": feed.got,
        "events": feed.events,
        "gates": feed.gates,
    }
