"""GET /v1/quarantine: authentic messages that could not be used, each with its reason, and groups of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tower.api.auth import Caller, Context, Seen
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Json, instant, records
from tower.model.hide import hide_person, hide_secrets
from tower.store.sql import load

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


_GROUPS = {
    "groups": [
        {
            "reason": "mapping_failed", "connection": "shop-eu", "count": 17, "first_at": "2026-11-23T08:12:00.000Z",
            "last_at": "2026-11-23T09:58:00.000Z", "native": 17, "readable": 17, "types": ["orders/create"],
            "mappings": ["shopify.order@1:e0882d9b"], "sample_id": "1234567890123456789",
            "sample_detail": "order.yaml: emit[order_captured].amount: 'n/a' is no number",
        }
    ],
    "as_of": "2026-11-23T10:00:00.000Z",
}  # fmt: skip


class QuarantineQuery(PageQuery):
    """Which messages; only those still open unless `state` says otherwise."""

    reason: str | None = None
    connection: str | None = None
    state: Annotated[str, Field(pattern="^(open|replayed|discarded|all)$")] = "open"


@router.get("/v1/quarantine", summary="Messages that could not be used", responses=answers(_EXAMPLE, 400))
def list_quarantine(context: Context, _: Caller, scope: Seen, query: Annotated[QuarantineQuery, Query()]) -> Response:
    """List quarantined messages, the latest first; ids are text because they do not fit a JSON number.

    What `raw` tells of secrets and of people is covered; one message on its own can be asked for with people.
    """
    wanted = {"reason": query.reason, "connection": query.connection, "state": query.state}
    values: dict[str, Any] = {k: v for k, v in wanted.items() if v is not None and v != "all"}
    clauses = [f"{name} = {{{name}:String}}" for name in values]
    if scope is not None:
        clauses.append("connection IN {of_connections:Array(String)}")
        values["of_connections"] = sorted(scope.connections)
    rows, cursor = read_listing(context, "api_quarantine", query, clauses, values)
    for row in rows:
        row["raw"] = hide_person(hide_secrets(row["raw"]))
    return Json({"quarantine": rows, "next_cursor": cursor})


class GroupsQuery(BaseModel):
    """Which messages are grouped; only those still open unless `state` says otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connection: Annotated[str | None, Field(max_length=1000)] = None
    state: Annotated[str, Field(pattern="^(open|replayed|discarded|all)$")] = "open"


@router.get(
    "/v1/quarantine/groups", summary="Why messages could not be used, and how many", responses=answers(_GROUPS, 400)
)
def list_groups(context: Context, _: Caller, query: Annotated[GroupsQuery, Query()]) -> Response:
    """Count quarantined messages by reason and connection, the most first, each with its latest as a sample."""
    values = {} if query.state == "all" else {"state": query.state}
    if query.connection is not None:
        values["connection"] = query.connection
    clauses = " AND ".join(f"{name} = {{{name}:String}}" for name in values) or "true"
    with context.store.reader() as client:
        found = client.query(load("api_quarantine_groups").replace("$where", clauses), parameters=values)
    return Json({"groups": records(found.column_names, found.result_rows), "as_of": instant(context.clock())})
