"""GET /v1/alerts, /v1/notices and /v1/silences: who was told what and why, and what comes next."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tower.alerts.subscription import PREFIX
from tower.alerts.webhook import address_of
from tower.api.auth import Caller, Context
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.listing import PageQuery, read_listing
from tower.api.wire import Instant, Json, instant, money, records
from tower.model.problem import Problem
from tower.store.sql import load

router = APIRouter()
MAX_BREACHES = 500
AlertId = Annotated[str, Path(max_length=64)]
ALERT: dict[str, Any] = {
    "alert_id": "54a1dce3658e7879823419d2", "state": "open", "receiver": "on-call",
    "labels": {"stage": "ship-to-invoice"}, "priority": "P1",
    "value": "184200.00", "orders": 7, "breaches": 9, "open_breaches": 8,
    "opened_at": "2026-11-23T09:00:01.000Z", "told_at": "2026-11-23T09:00:01.000Z",
    "last_at": "2026-11-23T09:05:01.000Z", "reason": "more", "next_at": "2026-11-23T13:05:01.000Z",
    "next_reason": "repeat", "notices": 2, "escalated": 0,
    "acknowledged_by": "", "acknowledged_at": None, "note": "", "closed_at": None, "outcome": "",
    "updated_at": "2026-11-23T09:05:01.000Z",
}  # fmt: skip
_NOTICE: dict[str, Any] = {
    "notice_id": "3416a034651eafc1d4235940", "channel": "webhook", "alert_id": ALERT["alert_id"], "number": 2,
    "receiver": "on-call", "reason": "more", "priority": "P1", "at": "2026-11-23T09:05:01.000Z", "state": "sent",
    "attempts": 1, "next_at": None, "sent_at": "2026-11-23T09:05:01.120Z", "detail": "200",
    "title": "P1 ship-to-invoice: 8 open, 184,200 EUR at risk (further breaches)",
}  # fmt: skip
SILENCE: dict[str, Any] = {
    "silence_id": "0b7c", "matchers": {"system": "wms"}, "starts_at": "2026-11-23T09:00:00.000Z",
    "ends_at": "2026-11-23T11:00:00.000Z", "author": "ann", "comment": "planned move of the warehouse",
    "created_at": "2026-11-23T08:58:00.000Z", "state": "active",
}  # fmt: skip
_SCORE: dict[str, Any] = {
    "rule": "ship-to-invoice", "alerts": 40, "breaches": 212, "real": 31, "self_healed": 6, "feed": 2, "duplicate": 1,
    "precision": 0.775, "lead_s": 93600, "ack_s": 240, "acknowledged": 29, "over_s": 5400,
}  # fmt: skip
_MONTH = timedelta(days=28)


class AlertQuery(PageQuery):
    """Which alerts. Closed ones are left out unless `state` names them."""

    state: Annotated[str | None, Field(pattern="^(open|acknowledged|closed|all)$")] = None
    receiver: str | None = None
    priority: str | None = None
    stage: Annotated[str | None, Field(description="Alerts of this stage, by their labels")] = None
    order_id: Annotated[str | None, Field(description="Alerts that hold a breach of this order")] = None
    since: Annotated[Instant | None, Field(description="Opened at or after")] = None


_STATES = {
    None: "closed_at IS NULL",
    "open": "closed_at IS NULL AND acknowledged_by = ''",
    "acknowledged": "closed_at IS NULL AND acknowledged_by != ''",
    "closed": "closed_at IS NOT NULL",
    "all": "true",
}
_CLAUSES = {
    "receiver": "receiver = {receiver:String}",
    "priority": "priority = {priority:String}",
    "stage": "labels['stage'] = {stage:String}",
    "order_id": "alert_id IN (SELECT alert_id FROM alert_breaches WHERE order_id = {order_id:String})",
    "since": "opened_at >= {since:DateTime64(3, 'UTC')}",
}


_OF_ALL = f"NOT startsWith(receiver, '{PREFIX}')"  # a person's own are on the page of subscriptions


class NoticeQuery(PageQuery):
    """Which notices."""

    alert_id: str | None = None
    receiver: str | None = None
    channel: Annotated[str | None, Field(pattern="^(inbox|apprise|webhook)$")] = None
    state: Annotated[str | None, Field(pattern="^(due|sending|sent|failed|held)$")] = None
    since: Annotated[Instant | None, Field(description="Decided at or after")] = None


_NOTICE_CLAUSES = {
    "alert_id": "alert_id = {alert_id:String}",
    "receiver": "receiver = {receiver:String}",
    "channel": "channel = {channel:String}",
    "state": "state = {state:String}",
    "since": "at >= {since:DateTime64(3, 'UTC')}",
}


class SilenceQuery(PageQuery):
    """Which silences. Ended ones are left out unless `state` names them."""

    state: Annotated[str | None, Field(pattern="^(active|ahead|ended|all)$")] = None


@router.get(
    "/v1/alerts",
    summary="Alerts in business order",
    responses=answers({"alerts": [ALERT], "next_cursor": None, "receivers_off": []}, 400),
)
def list_alerts(context: Context, _: Caller, query: Annotated[AlertQuery, Query()]) -> Response:
    """List alerts: open ones first, of these what belongs to no order (feeds, targets), then by priority and value."""
    clauses = [_STATES[query.state], *([] if query.receiver else [_OF_ALL])]
    values: dict[str, Any] = {"priorities": [p.name for p in context.book().priorities]}
    for name, clause in _CLAUSES.items():
        if (value := getattr(query, name)) is not None:
            clauses.append(clause)
            values[name] = value
    rows, cursor = read_listing(context, "api_alerts", query, clauses, values)
    _count_waiting(context, rows)
    return Json({"alerts": rows, "next_cursor": cursor, "receivers_off": _receivers_off(context)})


class ScorecardQuery(BaseModel):
    """Alerts that closed in this time; the last 28 days where nothing is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: Annotated[Instant | None, Field(description="Closed at or after")] = None
    until: Annotated[Instant | None, Field(description="Closed before")] = None


@router.get(
    "/v1/alerts/scorecard",
    summary="How well each rule alerts",
    responses=answers(
        {"rules": [_SCORE], "since": "2026-10-26T00:00:00.000Z", "until": "2026-11-23T00:00:00.000Z"}, 400
    ),
)
def scorecard(context: Context, _: Caller, query: Annotated[ScorecardQuery, Query()]) -> Response:
    """Show per rule what its alerts were good for, the share that was real, and how early they came.

    lead_s: median time from the first notice to the order's promise; ack_s and over_s: until somebody took it on, until
    it was over. null where there is nothing to take a median of.
    """
    until = query.until or context.clock()
    since = query.since or until - _MONTH
    with context.store.reader() as client:
        found = client.query(load("api_scorecard"), parameters={"since": since, "until": until})
    rows = records(found.column_names, found.result_rows)
    for row in rows:
        row["lead_s"] = row["lead_s"] if row.pop("promised") else None
        row["ack_s"] = row["ack_s"] if row["acknowledged"] else None
    return Json({"rules": rows, "since": instant(since), "until": instant(until)})


@router.get("/v1/alerts/{alert_id}", summary="One alert with its breaches and notices", responses=answers(ALERT, 404))
def show_alert(context: Context, _: Caller, alert_id: AlertId) -> Response:
    """Show what it is about: up to 500 breaches, what keeps one back, those it keeps back itself, and every notice."""
    row = alert_row(context, alert_id)
    with context.store.reader() as client:
        parameters = {"alert_id": alert_id, "limit": MAX_BREACHES}
        found = client.query(load("api_alert_breaches"), parameters=parameters)
        members = records(found.column_names, found.result_rows)
        own = [f"breach {m['breach_id']}" for m in members]
        behind = client.query(load("alert_behind"), parameters={"holders": own, "limit": MAX_BREACHES})
        silenced = records(behind.column_names, behind.result_rows)
    notices, _cursor = read_listing(
        context, "api_notices", NoticeQuery(limit=200), [_NOTICE_CLAUSES["alert_id"]], {"alert_id": alert_id}
    )
    return Json({**row, "members": members, "behind": silenced, "sent": notices})


@router.get(
    "/v1/notices",
    summary="Notices, the latest first",
    responses=answers({"notices": [_NOTICE], "next_cursor": None}, 400),
)
def list_notices(context: Context, _: Caller, query: Annotated[NoticeQuery, Query()]) -> Response:
    """List notices with the reason why each went out, how often it was tried, and what the other side said."""
    clauses: list[str] = []
    values: dict[str, Any] = {}
    for name, clause in _NOTICE_CLAUSES.items():
        if (value := getattr(query, name)) is not None:
            clauses.append(clause)
            values[name] = value
    rows, cursor = read_listing(context, "api_notices", query, clauses, values)
    return Json({"notices": rows, "next_cursor": cursor})


@router.get("/v1/silences", summary="Silences", responses=answers({"silences": [SILENCE], "next_cursor": None}, 400))
def list_silences(context: Context, _: Caller, query: Annotated[SilenceQuery, Query()]) -> Response:
    """List what people want to hear nothing of, until when and why."""
    values: dict[str, Any] = {"now": context.clock()}
    clauses = ["true"] if query.state == "all" else ["state = {state:String}"] if query.state else ["state != 'ended'"]
    values |= {"state": query.state} if query.state else {}
    rows, cursor = read_listing(context, "api_silences", query, clauses, values)
    silences = [{**row, "matchers": msgspec.json.decode(row["matchers"])} for row in rows]
    return Json({"silences": silences, "next_cursor": cursor})


def alert_row(context: ApiContext, alert_id: str) -> dict[str, Any]:
    """Return one alert as the list shows it; Problem 404 for an unknown one."""
    values = {"alert_id": alert_id, "priorities": [p.name for p in context.book().priorities]}
    rows, _ = read_listing(context, "api_alerts", PageQuery(limit=1), ["alert_id = {alert_id:String}"], values)
    if not rows:
        raise Problem(404, "not_found", f"there is no alert {alert_id!r}")
    _count_waiting(context, rows)
    return rows[0]


def _receivers_off(context: ApiContext) -> list[dict[str, Any]]:
    """Return the receivers of the book whose webhook wants no more notices, at the address that the book has."""
    with context.store.reader() as client:
        found = client.query("SELECT receiver, address, at, detail FROM receivers_off FINAL ORDER BY at DESC")
    receivers = context.book().receivers
    off = []
    for row in records(found.column_names, found.result_rows):
        receiver = receivers.get(row["receiver"])
        if receiver is not None and receiver.webhook is not None and address_of(receiver.webhook) == row.pop("address"):
            off.append(row)
    return off


def _count_waiting(context: ApiContext, rows: list[dict[str, Any]]) -> None:
    """Say of open alerts about a late feed how many orders wait for it, and their value at risk."""
    feeds = {
        row["labels"]["connection"]: row for row in rows if row["labels"].get("connection") and not row["closed_at"]
    }
    if not feeds:
        return
    with context.store.reader() as client:
        found = client.query(load("api_feed_waiting"), parameters={"connections": list(feeds)})
    for connection, orders, value in found.result_rows:
        feeds[connection] |= {"orders": orders, "value": money(value)}
