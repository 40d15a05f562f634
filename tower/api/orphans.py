"""GET /v1/orphans: objects that belong to no order yet."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from tower.api.auth import Context, Viewer
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Json

router = APIRouter()
_EXAMPLE = {
    "orphans": [
        {
            "object_type": "payment", "object_id": "PAY-9", "events": 1, "first_at": "2026-11-23T09:00:00.000Z",
            "last_at": "2026-11-23T09:00:00.000Z", "milestones": ["payment_received"], "sources": ["/bank/sepa"],
        }
    ],
    "next_cursor": None,
}  # fmt: skip


class OrphanQuery(PageQuery):
    """Which orphans."""

    object_type: str | None = None


@router.get("/v1/orphans", summary="Objects that belong to no order yet", responses=answers(_EXAMPLE, 400))
def list_orphans(context: Context, _: Viewer, query: Annotated[OrphanQuery, Query()]) -> Response:
    """List objects that no link has joined to an order, the latest heard of first."""
    clauses: list[str] = []
    values: dict[str, Any] = {}
    if query.object_type is not None:
        clauses, values = ["object_type = {object_type:String}"], {"object_type": query.object_type}
    rows, cursor = read_listing(context, "api_orphans", query, clauses, values)
    return Json({"orphans": rows, "next_cursor": cursor})
