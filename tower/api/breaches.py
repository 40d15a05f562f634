"""GET /v1/breaches: findings with their life."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tower.api.auth import Caller, Context
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Instant, Json

router = APIRouter()
_EXAMPLE = {
    "breaches": [
        {
            "breach_id": "5f0c", "order_id": "SO-1", "rule": "ship-to-invoice", "kind": "late",
            "object_type": "shipment", "object_id": "S1", "state": "open", "opened_at": "2026-11-23T09:00:00.000Z",
            "detected_at": "2026-11-23T09:00:01.000Z", "resolved_at": None, "retracted_at": None,
            "milestone": "invoice_released", "system": "erp", "error": "", "book": "a1b2",
            "updated_at": "2026-11-23T09:00:01.000Z",
        }
    ],
    "next_cursor": None,
}  # fmt: skip


class BreachQuery(PageQuery):
    """Which breaches. Retracted ones are left out unless `state` names them."""

    state: Annotated[str | None, Field(pattern="^(open|resolved|retracted|all)$")] = None
    rule: str | None = None
    kind: str | None = None
    order_id: str | None = None
    since: Annotated[Instant | None, Field(description="Opened at or after")] = None


_CLAUSES = {
    "rule": "rule = {rule:String}",
    "kind": "kind = {kind:String}",
    "order_id": "order_id = {order_id:String}",
    "since": "opened_at >= {since:DateTime64(3, 'UTC')}",
}


@router.get("/v1/breaches", summary="Findings with their life", responses=answers(_EXAMPLE, 400))
def list_breaches(context: Context, _: Caller, query: Annotated[BreachQuery, Query()]) -> Response:
    """List breaches, the latest opened first. A retraction means that the breach never was; it is shown on request."""
    clauses: list[str] = []
    values: dict[str, Any] = {}
    if query.state is None:
        clauses.append("state != 'retracted'")
    elif query.state != "all":
        clauses.append("state = {state:String}")
        values["state"] = query.state
    for name, clause in _CLAUSES.items():
        if (value := getattr(query, name)) is not None:
            clauses.append(clause)
            values[name] = value
    rows, cursor = read_listing(context, "api_breaches", query, clauses, values)
    return Json({"breaches": rows, "next_cursor": cursor})
