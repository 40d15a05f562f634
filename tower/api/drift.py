"""GET /v1/drift: what messages look like that they did not before."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from tower.api.auth import Caller, Context
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Json

router = APIRouter()
_EXAMPLE = {
    "drift": [
        {
            "connection": "shop-eu", "topic": "orders/create", "change": "type_change", "path": "$.total_price",
            "value": "number", "was": "text", "first_at": "2026-11-23T10:00:00.000Z",
            "last_at": "2026-11-23T10:05:00.000Z", "messages": 12, "raw_id": "019ca8f0c8408bd6e5c3f0a1d2b4e7f9",
        }
    ],
    "next_cursor": None,
}  # fmt: skip


class DriftQuery(PageQuery):
    """Of which connection."""

    connection: str | None = None


@router.get("/v1/drift", summary="New fields, changed types and unknown codes", responses=answers(_EXAMPLE, 400))
def list_drift(context: Context, _: Caller, query: Annotated[DriftQuery, Query()]) -> Response:
    """List changes that nobody has accepted, the latest first. `messages` counts the looked-at ones that show it."""
    values: dict[str, Any] = {"connection": query.connection} if query.connection is not None else {}
    clauses = [f"{name} = {{{name}:String}}" for name in values]
    rows, cursor = read_listing(context, "api_drift", query, clauses, values)
    return Json({"drift": rows, "next_cursor": cursor})
