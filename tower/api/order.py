"""GET /v1/orders/{id}: one order with everything known about it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from rules.compile.authority import authority_sql
from rules.compile.retry import cases_sql
from tower.actions.tried import read_tried
from tower.api.auth import Caller, Context, Seen
from tower.api.docs import answers
from tower.api.examples import ORDER
from tower.api.jeopardy_rows import failing_since
from tower.api.order_parts import Predicted, clocks_of, events_of, findings_of, milestones_of, names_of, objects_of
from tower.api.order_rows import COLUMNS, live_columns, terms_of
from tower.api.order_traces import read_traces
from tower.api.order_tree import order_tree
from tower.api.past import Look, Moment, curves_of, look
from tower.api.wire import Json, instant, plain, records
from tower.model.problem import Problem
from tower.model.scope import Scope
from tower.store.sql import load

router = APIRouter()
MAX_EVENTS = 2000
_ENDS = ("child", "parent")
_ATTRIBUTES = (
    "amount", "currency", "reporting_amount", "quantity", "customer_id", "customer_tier", "channel", "order_type",
    "company", "warehouse", "partner", "promised_at", "requested_at",
)  # fmt: skip


# has() finds the granule by its index; a shipment may have a name that reads the same.
_GOES_BY = (
    "has(names.name_id, {order_id:String})"
    " AND has(arrayZip(names.object_type, names.name_id), ('order', {order_id:String}))"
)
OrderId = Annotated[str, Path(max_length=1000)]


@router.get("/v1/orders/{order_id:path}", summary="One order with everything known", responses=answers(ORDER, 400, 404))
def show_order(
    context: Context, caller: Caller, scope: Seen, order_id: OrderId, query: Annotated[Moment, Query()]
) -> Response:
    """Show the order's row, objects, links, milestones with echoes, clocks, findings, traces, logs and actions."""
    now = context.clock()
    with look(context, now, query.as_of, query.known_at, [order_id]) as seen:
        row = row_of(seen, order_id)
        check_scope(scope, row, order_id)
        order_id = row["order_id"]
        book = seen.book
        values: dict[str, Any] = {
            "order_no": row["order_no"],
            "order_id": order_id,
            "as_of": seen.as_of,
            "known_at": seen.known_at,
        }
        authority = authority_sql(book, context.connections.kinds, "facts.milestone", "o", "sipHash64(base.1, base.2)")
        facts_sql = load("api_facts").replace("$authority", authority).replace("$orders", seen.orders)
        named = {
            "milestones": list(book.milestones) or [""],
            "types": [m.object for m in book.milestones.values()] or [""],
        }
        with order_tree(seen.client, seen.orders, values):
            links = _rows(seen, load("api_objects"), values)
            facts = _rows(seen, facts_sql, {**values, **named})
        clocks = _rows(seen, load("api_order_clocks").replace("$orders", seen.orders), values)
        findings = _rows(seen, load("api_findings").replace("$breaches", seen.breaches), values)
        trace_ids = sorted({f["trace_id"] for f in facts if f["trace_id"]})
        named_as = {("order", order_id), *((link[f"{end}_type"], link[f"{end}_id"]) for link in links for end in _ENDS)}
        # One trace may serve many orders, so a scope cannot be kept within it.
        telemetry: dict[str, Any] = {"traces": [], "logs": []}
        if scope is None:
            telemetry = read_traces(seen.client, named_as, trace_ids, seen.as_of, context.settings.trace_url)
        actions = seen.client.query(load("api_order_actions"), parameters=values)
        alerts = seen.client.query(load("api_order_alerts"), parameters=values)
        # A caller with a scope reads its own words alone: what colleagues say among themselves is not for a partner.
        own = {"names": [order_id, *names_of(links)], "only": caller.name if scope is not None else ""}
        by_hand = _rows(seen, load("api_order_hand"), {**values, **own})
        retries, tried = read_tried(seen.client, [row["order_no"]], [row["clock_object"]])
        curves = curves_of(seen, context.store)
        failing = failing_since(seen.client, seen.breaches, [row["order_no"]])
    stored = {name: [value] for name, value in row.items()}
    columns = live_columns(stored, book, seen.as_of, retries, tried, curves, failing)
    if query.past:
        columns["retryable"] = [False]
    told = clocks_of(clocks, book, seen.as_of, Predicted(row, curves, failing))
    if scope is not None:
        for clock in told:  # odds are read off everybody's orders; how many those are is not for a part of them
            clock |= dict.fromkeys(("odds_from", "self_heal_from"))
    return Json(
        {
            **{name: plain(columns[name][0]) for name in COLUMNS},
            "as_of": instant(seen.as_of),
            "score_terms": terms_of(stored, book, columns["odds"], seen.as_of)[0],
            "attributes": {name: plain(row[name]) for name in _ATTRIBUTES},
            "objects": objects_of(order_id, links),
            "links": plain(links),
            "names": names_of(links),
            "milestones": milestones_of(facts),
            "events": events_of(facts)[:MAX_EVENTS],
            "clocks": told,
            "findings": findings_of(findings),
            **telemetry,
            "alerts": records(alerts.column_names, alerts.result_rows),
            "actions": records(actions.column_names, actions.result_rows),
            "by_hand": [{**plain(word), "undo": bool(word["undo"])} for word in by_hand],
        }
    )


def check_scope(scope: Scope | None, order: dict[str, Any], order_id: str) -> None:
    """Raise Problem 404 for an order that the caller may not see: that it exists is no business of theirs."""
    if scope is not None and not scope.holds(order):
        raise _unheard(order_id)


def _unheard(order_id: str) -> Problem:
    return Problem(
        404, "not_found", f"no order {order_id!r} has been heard of; ids are written as the source sent them"
    )


def row_of(seen: Look, order_id: str) -> dict[str, Any]:
    """Return the order of an id, or the one that the id is a further name of."""
    text = load("api_orders").replace("$orders", seen.orders)
    text = text.replace("$where", f"order_id = {{order_id:String}} OR ({_GOES_BY})")
    text = text.replace("$key", "on_board").replace("$direction", "DESC")
    text = text.replace("$cases", cases_sql(seen.book, ""))
    rows = _rows(seen, text, {"order_id": order_id, "limit": 1})
    if not rows:
        raise _unheard(order_id)
    return rows[0]


def _rows(seen: Look, text: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    found = seen.client.query(text, parameters=values)
    return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
