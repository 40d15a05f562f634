"""GET /v1/orders: the board. One order on its own is tower/api/order.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from clickhouse_connect.driver.client import Client
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from rules.model import Book
from tower.actions.tried import read_tried
from tower.api.auth import Context, Viewer
from tower.api.context import ApiContext
from tower.api.docs import problems
from tower.api.examples import ORDERS
from tower.api.order_query import OrderQuery, moments, write_cursor
from tower.api.order_rows import Page, live_columns
from tower.api.single_flight import SingleFlight
from tower.engine.replay import judged
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
    responses={
        200: {"content": {"application/json": {"example": ORDERS}, ARROW: {}}},
        304: {},
        **problems(400, 401, 403),
    },
)
def list_orders(
    request: Request,
    context: Context,
    _: Viewer,
    query: Annotated[OrderQuery, Query()],
    accept: Annotated[str, Header(include_in_schema=False)] = "",
    if_none_match: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Filter, sort and page the orders on the board; the same as an Arrow stream when asked for by Accept."""
    as_arrow = ARROW in accept
    cache: SingleFlight[Rendered] = request.app.state.board
    now = context.clock()
    health = context.engine_health(now)
    key = (query, as_arrow, context.progress.judged, health.last_tick_at, request.app.state.clicks.count)
    page = cache.get(key, lambda: _render(context, query, now, as_arrow=as_arrow))
    headers = {"ETag": page.etag, "Vary": "Accept, Authorization", "Cache-Control": "private, no-cache"}
    if page.etag in [tag.strip() for tag in if_none_match.split(",")] or if_none_match.strip() == "*":
        return Response(status_code=304, headers=headers)
    return Response(page.body, media_type=page.media_type, headers=headers)


def _render(context: ApiContext, query: OrderQuery, now: datetime, *, as_arrow: bool) -> Rendered:
    page = read_page(context, query, now)
    return Rendered(
        page.etag[:-1] + ('-a"' if as_arrow else '-j"'),
        page.arrow() if as_arrow else page.json(),
        ARROW if as_arrow else "application/json",
    )


def read_page(context: ApiContext, query: OrderQuery, now: datetime) -> Page:
    """Return one page of the board as of the query's instants."""
    as_of, _ = moments(query, now)
    wanted, values = query.clauses()
    behind, cursor_values = query.after()
    key, _, direction = query.sort_key
    with judged_orders(context, query, now) as (client, table, book):
        text = load("api_orders").replace("$orders", table).replace("$where", "\n    AND ".join(wanted + behind))
        text = text.replace("$key", key).replace("$direction", direction)
        found = client.query(text, parameters={**values, **cursor_values, "limit": query.limit + 1})
        total_sql = load("api_orders_total").replace("$orders", table).replace("$where", "\n    AND ".join(wanted))
        total, value_total = client.query(total_sql, parameters=values).result_rows[0]
    rows = found.result_rows[: query.limit]
    names = found.column_names
    stored: dict[str, Any] = {n: [row[i] for row in rows] for i, n in enumerate(names)}
    retries, tried = read_tried(client, stored["order_no"], stored["clock_object"])
    columns = live_columns(stored, book, as_of, retries, tried)
    if query.as_of is not None or query.known_at is not None:
        columns["retryable"] = [False] * len(rows)  # the past cannot be retried
    more = len(found.result_rows) > query.limit
    cursor = write_cursor(query.sort, stored["sort_key"][-1], stored["order_id"][-1]) if more else None
    return Page(columns, int(total), value_total, as_of, cursor)


@contextmanager
def judged_orders(
    context: ApiContext, query: OrderQuery, now: datetime, order_ids: list[str] | None = None
) -> Iterator[tuple[Client, str, Book]]:
    """Hold a client, the table of the orders as of the query's instants, and the book they were judged by."""
    if query.as_of is None and query.known_at is None:
        with context.store.reader() as client:
            yield client, "orders FINAL", context.book()
        return
    as_of, known_at = moments(query, now)
    book = context.book_for(known_at)
    with judged(
        context.store, lambda _: book, context.connections, as_of=as_of, known_at=known_at, order_ids=order_ids
    ) as client:
        yield client, "judged_orders", book
