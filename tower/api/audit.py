"""GET /v1/audit: who did what to the outside world, and whether the chain is whole."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from tower.api.auth import Caller, Context
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Instant, Json
from tower.model.problem import Problem
from tower.store.audit import Audit
from tower.store.audit_file import export

router = APIRouter()
_EXAMPLE = {
    "audit": [
        {
            "seq": 1, "at": "2026-11-23T10:00:00.000Z", "actor": "ana", "act": "retry", "subject": "4be1/9cc2#1",
            "why": "", "detail": {"order_id": "SO-1"}, "previous": "", "hash": "9f86d081884c7d65...",
        }
    ],
    "next_cursor": None,
    "verified": {"ok": True, "first_broken": None},
}  # fmt: skip


_CLAUSES = {
    "actor": "actor = {actor:String}",
    "act": "act = {act:String}",
    "order_id": "JSONExtractString(detail, 'order_id') = {order_id:String}",
    "subject": "startsWith(subject, {subject:String})",
    "from_": "at >= {from_:DateTime64(3, 'UTC')}",
    "to": "at < {to:DateTime64(3, 'UTC')}",
}
_MEDIA = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


class AuditQuery(PageQuery):
    """Which rows, and whether to check the whole chain first."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    actor: str | None = None
    act: str | None = None
    order_id: str | None = None
    from_: Annotated[Instant | None, Field(alias="from", description="Written at or after")] = None
    to: Annotated[Instant | None, Field(description="Written before")] = None
    format: Annotated[str, Field(pattern="^(json|csv|ndjson)$", description="csv, ndjson: a file, see below")] = "json"
    subject: Annotated[str | None, Field(description="An action_id, or action_id/item_id with what follows")] = None
    verify: bool = False


_ANSWERS = answers(_EXAMPLE, 400)
_ANSWERS[200]["content"] |= {"text/csv": {}, "application/x-ndjson": {}}


@router.get("/v1/audit", summary="Who did what, in one hash chain", responses=_ANSWERS)
def list_audit(context: Context, _: Caller, query: Annotated[AuditQuery, Query()]) -> Response:
    """List the audit, latest first; with verify=true every hash from the first row on is checked.

    As csv or ndjson: a file of all rows of the time in their order, with the hashes that prove it alone.
    """
    if query.format != "json":
        return _file(context, query)
    clauses: list[str] = []
    values: dict[str, Any] = {}
    for name, clause in _CLAUSES.items():
        if (value := getattr(query, name)) is not None:
            clauses.append(clause)
            values[name] = value
    rows, cursor = read_listing(context, "api_audit", query, clauses, values)
    for row in rows:
        row["detail"] = msgspec.json.decode(row["detail"])
    reply: dict[str, Any] = {"audit": rows, "next_cursor": cursor}
    if query.verify:
        broken = Audit(context.store).verify()
        reply["verified"] = {"ok": broken is None, "first_broken": broken}
    return Json(reply)


def _file(context: ApiContext, query: AuditQuery) -> Response:
    """Return a stretch of the chain; one with rows left out could not be told from one that somebody shortened."""
    if any(getattr(query, name) is not None for name in ("actor", "act", "order_id", "subject", "cursor")):
        raise Problem(400, "whole_stretches", "a file holds every row of a time: choose by from and to alone")
    lines = export(Audit(context.store), query.from_, query.to, query.format)
    name = f"audit-{context.clock():%Y%m%dT%H%M%SZ}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type=_MEDIA[query.format], headers=headers)
