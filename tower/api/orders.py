"""GET /v1/orders: the board. One order on its own is tower/api/order.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from rules.compile.retry import cases_sql
from rules.compile.score import scored_sql
from tower.actions.tried import read_tried
from tower.api.auth import Caller, Context, Seen
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.examples import ORDERS
from tower.api.jeopardy_rows import failing_of, failing_since
from tower.api.order_query import OrderQuery, write_cursor
from tower.api.order_rows import COLUMNS, Page, live_columns
from tower.api.past import curves_of, look
from tower.api.single_flight import SingleFlight
from tower.api.wire import instant
from tower.model.scope import Scope
from tower.store.sql import load

router = APIRouter()
ARROW = "application/vnd.apache.arrow.stream"
BOARD_TTL_S = 1.0


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page ready to send."""

    etag: str
    body: bytes
    media_type: str


@router.get(
    "/v1/orders",
    summary="The board: orders with their worst clock",
    responses={**answers(ORDERS, 400, also=ARROW), 304: {"description": "Nothing but ages has changed"}},
)
def list_orders(
    request: Request,
    context: Context,
    _: Caller,
    scope: Seen,
    query: Annotated[OrderQuery, Query()],
    accept: Annotated[str, Header(include_in_schema=False)] = "",
    if_none_match: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Filter, sort and page the orders on the board; the same as an Arrow stream when asked for by Accept."""
    as_arrow = ARROW in accept
    cache: SingleFlight[Rendered] = request.app.state.board
    now = context.clock()
    health = context.engine_health(now)
    key = (query, scope, as_arrow, context.progress.judged, health.last_tick_at, request.app.state.clicks.count)
    page = cache.get(key, lambda: _render(context, query, now, scope, as_arrow=as_arrow))
    headers = {"ETag": page.etag, "Vary": "Accept, Authorization", "Cache-Control": "private, no-cache"}
    if page.etag in [tag.strip() for tag in if_none_match.split(",")] or if_none_match.strip() == "*":
        return Response(status_code=304, headers=headers)
    return Response(page.body, media_type=page.media_type, headers=headers)


def _render(context: ApiContext, query: OrderQuery, now: datetime, scope: Scope | None, *, as_arrow: bool) -> Rendered:
    page = read_page(context, query, now, scope)
    return Rendered(
        page.etag[:-1] + ('-a"' if as_arrow else '-j"'),
        page.arrow() if as_arrow else page.json(),
        ARROW if as_arrow else "application/json",
    )


def read_page(context: ApiContext, query: OrderQuery, now: datetime, scope: Scope | None = None) -> Page:
    """Return one page of the board as of the query's instants, within a scope."""
    wanted, values = query.clauses()
    if scope is not None:
        kept, limits = scope.clauses()
        wanted, values = wanted + kept, values | limits
    behind, cursor_values = query.after()
    key, _, direction = query.sort_key
    past = query.as_of is not None or query.known_at is not None
    with look(context, now, query.as_of, query.known_at) as seen:
        bound = {**values, **cursor_values, "limit": query.limit + 1}
        scored_at, orders = query.scored_at(seen.as_of), seen.orders
        if query.by_score:
            orders = scored_sql(seen.book, orders, "\n    AND ".join(wanted))
            bound |= {"score_now": scored_at, "score_curves_at": min(scored_at, seen.known_at)}
        text = load("api_orders").replace("$orders", orders).replace("$where", "\n    AND ".join(wanted + behind))
        text = text.replace("$key", key).replace("$direction", direction)
        text = text.replace("$cases", cases_sql(seen.book, ""))
        found = seen.client.query(text, parameters=bound)
        total_sql = load("api_orders_total").replace("$orders", seen.orders)
        total_sql = total_sql.replace("$where", "\n    AND ".join(wanted))
        total, value_total = seen.client.query(total_sql, parameters=values).result_rows[0]
        rows = found.result_rows[: query.limit]
        if not rows:
            return Page({name: [] for name in COLUMNS}, int(total), value_total, seen.as_of, None)
        stored: dict[str, Any] = {n: [row[i] for row in rows] for i, n in enumerate(found.column_names)}
        retries, tried = read_tried(seen.client, stored["order_no"], stored["clock_object"])
        curves = curves_of(seen, context.store)
        failing = failing_since(seen.client, seen.breaches, failing_of(stored["order_no"], stored["clock_verdict"]))
    columns = live_columns(stored, seen.book, seen.as_of, retries, tried, curves, failing)
    if past:
        columns["retryable"] = [False] * len(rows)  # the past cannot be retried
    more = len(found.result_rows) > query.limit
    last = stored["sort_key"][-1] + (f"@{instant(scored_at)}" if query.by_score else "")
    cursor = write_cursor(query.sort, last, stored["order_id"][-1]) if more else None
    return Page(columns, int(total), value_total, seen.as_of, cursor)
