"""GET /v1/restated: what is said now about then against what was said then, and why it changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tower.api.auth import Caller, Context
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Instant, Json, instant

router = APIRouter()
_SAYS = ("state", "opened_at", "resolved_at", "book")
_CAUSE = ("event_id", "milestone", "source", "occurred_at", "received_at", "link")
_WORDS = {
    "new_book": "another rulebook came into force",
    "late_event": "an event was received after the fact",
    "late_link": "two objects were linked, or taken apart, after the fact",
    "late_feed": "the feed that it waited for was heard only then, or the tower did not run",
}
_EXAMPLE = {
    "restated": [
        {
            "breach_id": "5f0c", "order_id": "SO-1", "rule": "ship-to-invoice", "kind": "late",
            "object_type": "shipment", "object_id": "S1", "change": "retracted",
            "changed_at": "2026-11-23T12:00:00.000Z",
            "said": {"state": "open", "opened_at": "2026-11-23T09:00:00.000Z", "resolved_at": None, "book": "a1b2",
                     "at": "2026-11-23T09:00:01.000Z"},
            "says": {"state": "retracted", "opened_at": "2026-11-23T09:00:00.000Z", "resolved_at": None,
                     "book": "a1b2"},
            "reason": "late_event", "means": _WORDS["late_event"],
            "cause": {"event_id": "e-7", "milestone": "invoice_released", "source": "/erp/main",
                      "occurred_at": "2026-11-23T08:30:00.000Z", "received_at": "2026-11-23T11:59:59.000Z", "link": ""},
        }
    ],
    "since": "2026-11-16T10:00:00.000Z", "until": "2026-11-23T10:00:00.000Z", "next_cursor": None,
}  # fmt: skip


class RestatedQuery(PageQuery):
    """Which changes of verdicts."""

    since: Annotated[Instant | None, Field(description="Changed at or after; default a week before `until`")] = None
    until: Annotated[Instant | None, Field(description="Changed before; default now")] = None
    rule: str | None = None
    order_id: str | None = None
    change: Annotated[str | None, Field(pattern="^(retracted|found_late|returned|moved|reopened|ended_earlier)$")] = (
        None
    )
    min_s: Annotated[
        int, Field(ge=0, le=31_536_000, description="A verdict that came no later than this after the fact is no news")
    ] = 300


@router.get("/v1/restated", summary="Verdicts that changed after the fact", responses=answers(_EXAMPLE, 400))
def list_restated(context: Context, _: Caller, query: Annotated[RestatedQuery, Query()]) -> Response:
    """List verdicts that were retracted, found about the past, moved, reopened or ended earlier than said, with why."""
    until = query.until or context.clock()
    since = query.since or until - timedelta(days=7)
    clauses: list[str] = []
    values: dict[str, Any] = {"since": since, "until": until, "min_s": query.min_s}
    for name in ("rule", "order_id", "change"):
        if (value := getattr(query, name)) is not None:
            clauses.append(f"{name} = {{{name}:String}}")
            values[name] = value
    rows, cursor = read_listing(context, "api_restated", query, clauses, values)
    found = {"restated": [_shown(row) for row in rows], "since": instant(since), "until": instant(until)}
    return Json({**found, "next_cursor": cursor})


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    said = {name: row[f"said_{name}"] for name in (*_SAYS, "at")} if row["said_at"] else None
    names = ("breach_id", "order_id", "rule", "kind", "object_type", "object_id", "change")
    return {
        **{name: row[name] for name in names},
        "changed_at": row["updated_at"],
        "said": said,
        "says": {name: row[name] for name in _SAYS},
        "reason": row["reason"],
        "means": _WORDS[row["reason"]],
        "cause": {name: row[name] for name in _CAUSE},
    }
