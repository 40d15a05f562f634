"""GET /v1/audit: who did what to the outside world, and whether the chain is whole."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tower.api.auth import Context, Viewer
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Json
from tower.store.audit import Audit

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


class AuditQuery(PageQuery):
    """Which rows, and whether to check the whole chain first."""

    actor: str | None = None
    act: str | None = None
    subject: Annotated[str | None, Field(description="An action_id, or action_id/item_id with what follows")] = None
    verify: bool = False


@router.get("/v1/audit", summary="Who did what, in one hash chain", responses=answers(_EXAMPLE, 400))
def list_audit(context: Context, _: Viewer, query: Annotated[AuditQuery, Query()]) -> Response:
    """List the audit, latest first; with verify=true every hash from the first row on is checked."""
    clauses: list[str] = []
    values: dict[str, Any] = {}
    for name in ("actor", "act"):
        if (value := getattr(query, name)) is not None:
            clauses.append(f"{name} = {{{name}:String}}")
            values[name] = value
    if query.subject is not None:
        clauses.append("startsWith(subject, {subject:String})")
        values["subject"] = query.subject
    rows, cursor = read_listing(context, "api_audit", query, clauses, values)
    for row in rows:
        row["detail"] = msgspec.json.decode(row["detail"])
    reply: dict[str, Any] = {"audit": rows, "next_cursor": cursor}
    if query.verify:
        broken = Audit(context.store).verify()
        reply["verified"] = {"ok": broken is None, "first_broken": broken}
    return Json(reply)
