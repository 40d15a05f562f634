"""GET /v1/raw: the native messages that were kept, without their bodies."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tower.api.auth import Caller, Context, Seen
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Instant, Json

router = APIRouter()
_EXAMPLE = {
    "raw": [
        {
            "raw_id": "019ca8f0c8408bd6e5c3f0a1d2b4e7f9", "connection": "shop-eu",
            "received_at": "2026-11-23T10:00:00.000Z", "method": "POST", "size": 7647, "sha256": "9f86d0...",
            "event_id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", "topic": "orders/create", "scheme": "shopify",
            "outcome": "mapped", "mapping": "shopify.order@1:e0882d9b", "events": 1, "quarantined": 0, "has_body": True,
        }
    ],
    "next_cursor": None,
}  # fmt: skip


class RawQuery(PageQuery):
    """Which messages. `outcome` is what their first reading made of them; `since` and `until` are of their arrival."""

    connection: str | None = None
    topic: str | None = None
    outcome: Annotated[str | None, Field(pattern="^(mapped|partly|quarantined|ignored)$")] = None
    since: Instant | None = None
    until: Instant | None = None


@router.get("/v1/raw", summary="Native messages that were kept", responses=answers(_EXAMPLE, 400))
def list_raw(context: Context, _: Caller, scope: Seen, query: Annotated[RawQuery, Query()]) -> Response:
    """List kept messages, the latest first; bodies are shown one at a time and for operators only."""
    wanted = {"connection": query.connection, "topic": query.topic, "outcome": query.outcome}
    values: dict[str, Any] = {k: v for k, v in wanted.items() if v is not None}
    clauses = [f"{name} = {{{name}:String}}" for name in values]
    for name, sign, at in (("since", ">=", query.since), ("until", "<", query.until)):
        if at is not None:
            # Ids begin with the instant of arrival, which is what the table is sorted by.
            values[name] = f"{int(at.timestamp() * 1000):012x}"
            clauses.append(f"raw_id {sign} {{{name}:String}}")
    if scope is not None:
        clauses.append("connection IN {of_connections:Array(String)}")
        values["of_connections"] = sorted(scope.connections)
    rows, cursor = read_listing(context, "api_raw", query, clauses, values)
    for row in rows:
        row["has_body"] = bool(row["has_body"])
    return Json({"raw": rows, "next_cursor": cursor})
