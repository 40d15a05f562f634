"""GET /v1/quarantine: authentic messages that could not be used, each with its reason."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tower.api.auth import Context, Viewer
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Json

router = APIRouter()
_EXAMPLE = {
    "quarantine": [
        {
            "id": "1234567890123456789", "received_at": "2026-11-23T10:00:00.000Z", "connection": "wms-berlin",
            "source": "/wms/berlin", "event_id": "e-17", "type": "o2c.shiped", "reason": "unknown_milestone",
            "detail": "the rulebook has no milestone 'shiped'", "state": "open", "raw_id": "", "mapping": "",
            "note": "", "raw": "{}",
        }
    ],
    "next_cursor": None,
}  # fmt: skip


class QuarantineQuery(PageQuery):
    """Which messages; only those still open unless `state` says otherwise."""

    reason: str | None = None
    connection: str | None = None
    state: Annotated[str, Field(pattern="^(open|replayed|discarded|all)$")] = "open"


@router.get("/v1/quarantine", summary="Messages that could not be used", responses=answers(_EXAMPLE, 400))
def list_quarantine(context: Context, _: Viewer, query: Annotated[QuarantineQuery, Query()]) -> Response:
    """List quarantined messages, the latest first; ids are text because they do not fit a JSON number."""
    wanted = {"reason": query.reason, "connection": query.connection, "state": query.state}
    values: dict[str, Any] = {k: v for k, v in wanted.items() if v is not None and v != "all"}
    clauses = [f"{name} = {{{name}:String}}" for name in values]
    rows, cursor = read_listing(context, "api_quarantine", query, clauses, values)
    return Json({"quarantine": rows, "next_cursor": cursor})
