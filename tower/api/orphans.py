"""GET /v1/orphans: what was heard and belongs to no order on the board, with its age, its value and who it may be."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from rules.compile.case import reporting_sql
from tower.api.auth import Caller, Context
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Json, instant

router = APIRouter()
_EXAMPLE = {
    "orphans": [
        {
            "object_type": "payment", "object_id": "remittance_no:BANK/PAY-9", "key": "remittance_no", "scope": "BANK",
            "number": "PAY-9", "events": 1, "first_at": "2026-11-23T09:00:00.000Z",
            "last_at": "2026-11-23T09:00:00.000Z", "age_s": 3600, "milestones": ["payment_received"],
            "sources": ["/bank/sepa"], "amount": "120.00", "currency": "EUR", "value": "120.00", "orders": [],
            "candidates": [],
        }
    ],
    "total": 1,
    "value_total": "120.00",
    "as_of": "2026-11-23T10:00:00.000Z",
    "next_cursor": None,
}  # fmt: skip

# `tracking_no:UPS/1Z`, in a scope of its connection `eu/tracking_no:UPS/1Z`; see docs/connections/correlation.md.
_NAMESPACED = re.compile(r"(?:[^:]*/)?(?P<key>[a-z][a-z0-9_]*):(?P<scope>[^/]*)/(?P<number>.+)", re.DOTALL)
# What each order sorts by, as text of equal length, falling.
_SORTS = {
    "-last_at": "leftPad(toString(toUnixTimestamp64Milli(ifNull(last_at, toDateTime64(0, 3, 'UTC')))), 24, '0')",
    "first_at": "leftPad(toString(10000000000000 - ifNull(toUnixTimestamp64Milli(first_at), 9999999999999)), 24, '0')",
    "-value": "leftPad(toString(toInt128(greatest(ifNull(value, 0), 0) * 100)), 40, '0')",
}


class OrphanQuery(PageQuery):
    """Which orphans, and in which order: the latest heard of, the oldest, or the most valuable first."""

    object_type: str | None = None
    key: Annotated[str | None, Field(description="Kind of number: tracking_no, customer_po ...")] = None
    q: Annotated[str | None, Field(max_length=400, description="Part of an id")] = None
    sort: Annotated[str, Field(pattern="^(-last_at|first_at|-value)$")] = "-last_at"


@router.get("/v1/orphans", summary="Objects that belong to no order yet", responses=answers(_EXAMPLE, 400))
def list_orphans(context: Context, _: Caller, query: Annotated[OrphanQuery, Query()]) -> Response:
    """List objects that no link has joined to an order on the board, orders that nothing has started among them.

    `orders` are such orders that it lies under; `candidates` what a number that is not unique may stand for.
    """
    now = context.clock()
    clauses = {
        "object_type": "object_type = {object_type:String}",
        "key": "match(object_id, concat('^(?:[^:]*/)?', {key:String}, ':[^/]*/'))",
        "q": "positionCaseInsensitiveUTF8(object_id, {q:String}) > 0",
    }
    values: dict[str, Any] = {name: value for name in clauses if (value := getattr(query, name)) is not None}
    if query.key is not None:
        values["key"] = re.escape(query.key)
    text = {
        "$filter": " AND ".join(clauses[name] for name in values) or "true",
        "$value": reporting_sql(context.book()),
        "$key": _SORTS[query.sort],
    }
    rows, cursor = read_listing(context, "api_orphans", query, [], values, text)
    totals = (rows[0]["total"], rows[0]["value_total"]) if rows else (0, None)
    for row in rows:
        del row["total"], row["value_total"]
        row |= {"key": "", "scope": "", "number": row["object_id"]}
        if found := _NAMESPACED.fullmatch(row["object_id"]):
            row |= found.groupdict()
        row["age_s"] = _age_s(row["first_at"], now.timestamp())
        row["candidates"] = [{"object_type": kind, "object_id": name} for kind, name in row["candidates"]]
    return Json(
        {"orphans": rows, "total": totals[0], "value_total": totals[1], "as_of": instant(now), "next_cursor": cursor}
    )


def _age_s(first_at: str | None, now: float) -> int | None:
    return None if first_at is None else max(0, int(now - datetime.fromisoformat(first_at).timestamp()))
