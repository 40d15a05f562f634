"""GET /v1/orders/{id}/why: the evidence of a verdict, the SQL that gave it and its parameters."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tower.api.auth import Caller, Context, Seen
from tower.api.docs import answers
from tower.api.examples import WHY
from tower.api.order import OrderId, check_scope, row_of
from tower.api.order_rows import used_seconds
from tower.api.past import Moment, book_then, look
from tower.api.rules import plain_finding, plain_stage
from tower.api.wire import Json, plain
from tower.engine.why import explain

router = APIRouter()


class WhyQuery(Moment):
    """Which rule, as of when."""

    rule: Annotated[str | None, Field(description="A stage or finding of the rulebook; absent: all of them")] = None


@router.get("/v1/orders/{order_id:path}/why", summary="Why the order is judged so", responses=answers(WHY, 400, 404))
def why(context: Context, _: Caller, scope: Seen, order_id: OrderId, query: Annotated[WhyQuery, Query()]) -> Response:
    """Show the promise, the events, calendar seconds and pauses behind a verdict, with the SQL and its parameters."""
    now = context.clock()
    known_at = query.known_at or now
    if scope is not None:
        with look(context, now, query.as_of, query.known_at, [order_id]) as seen:
            check_scope(scope, row_of(seen, order_id), order_id)
    book = book_then(context, query.known_at)
    found = explain(
        context.store,
        book,
        context.connections,
        order_id,
        query.rule,
        query.as_of or known_at,
        known_at,
        sees=None if scope is None else scope.connections,
    )
    for clock in found["clocks"]:
        if clock["used_s"] is None:
            clock["used_s"] = used_seconds(
                book, clock["calendar"], clock["started_at"], found["as_of"], clock["pauses"]
            )
    told = {c["rule"] for c in found["clocks"]} | {f["rule"] for f in found["findings"]} | {query.rule}
    found["rules"] = [plain_stage(s) for s in book.stages if s.id in told]
    found["rules"] += [plain_finding(f, context.connections.kinds) for f in book.findings if f.id in told]
    return Json(plain(found))
