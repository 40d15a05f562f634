"""/v1/actions: what is to be done about stuck orders, and what became of it. Nothing is sent from here."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, NoReturn

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from tower.actions.cancel import cancel
from tower.actions.intake import Intake, Wish
from tower.api.auth import Context, Operator, Viewer
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.examples import ACTION, REPLY
from tower.api.listing import PageQuery, read_listing
from tower.api.order_query import MAX_LIMIT, OrderFilter
from tower.api.wire import Instant, Json, records
from tower.model.problem import Problem
from tower.store.sql import load

router = APIRouter()
MAX_ORDERS = MAX_LIMIT
ActionId = Annotated[str, Path(max_length=64)]


class Wanted(BaseModel):
    """An order as the caller saw it. Without a version it is taken as it is now."""

    model_config = ConfigDict(extra="forbid")

    order_id: Annotated[str, Field(min_length=1, max_length=1000)]
    version: Annotated[str | None, Field(max_length=200)] = None


class NewAction(BaseModel):
    """What to do, about which orders: a list of them, or a filter that is turned into a list at once."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "kind": "retry",
                "orders": [{"order_id": "SO-1", "version": "9f86d081884c7d65"}],
                "stage": "ship-to-invoice",
                "reason": "tax code added",
            }
        },
    )

    kind: Annotated[str, Field(pattern="^[a-z][a-z_-]{0,31}$")] = "retry"
    orders: Annotated[list[Wanted] | None, Field(max_length=MAX_ORDERS)] = None
    filter: Annotated[OrderFilter | None, Field(description="The filters of GET /v1/orders")] = None
    stage: Annotated[str, Field(max_length=200, description="Absent: the stage each order is stuck in")] = ""
    reason: Annotated[str, Field(max_length=2000)] = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> NewAction:
        if (self.orders is None) == (self.filter is None):
            raise ValueError("name either orders or a filter")
        return self


class ActionQuery(PageQuery):
    """Which actions."""

    kind: str | None = None
    requested_by: str | None = None
    since: Annotated[Instant | None, Field(description="Asked for at or after")] = None
    order_id: str | None = None


class NewActionQuery(BaseModel):
    """How to take the wish."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dry_run: Annotated[bool, Field(description="Show every request and write nothing")] = False


@router.post(
    "/v1/actions",
    status_code=202,
    summary="Ask for something to be done about orders",
    responses=answers(REPLY, 400, 422, status=202),
)
def request_action(
    request: Request,
    context: Context,
    actor: Operator,
    wish: NewAction,
    query: Annotated[NewActionQuery, Query()],
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> Response:
    """Store the wish; the engine acts. The same key and body get the same reply, the same key and another body 422.

    Each order gets one result: accepted, gone (closed, or no longer stuck there), running (under way already),
    not_retryable (the rulebook offers nothing, or its attempts are used up), stale (changed since it was seen).
    """
    if not query.dry_run and not (idempotency_key or "").strip():
        raise Problem(
            400, "idempotency_key_missing", "send an Idempotency-Key header: a new random text for each click"
        )
    key = (idempotency_key or "").strip()
    intake = Intake(context.store, context.book(), actor.name, context.clock())
    body = msgspec.json.encode(wish.model_dump(mode="json"), order="deterministic")
    request_hash = hashlib.sha256(body).hexdigest()
    if not query.dry_run and (earlier := intake.repeated(key, request_hash)) is not None:
        return _accepted(earlier)
    frozen = Wish(wish.kind, _frozen(context, wish), wish.stage, wish.reason)
    if query.dry_run:
        return Json(intake.preview(frozen, key), status_code=202)
    reply = intake.request(frozen, key, request_hash)
    request.app.state.clicks.add()
    context.progress.ring()
    return _accepted(reply)


@router.get(
    "/v1/actions", summary="What was asked for", responses=answers({"actions": [ACTION], "next_cursor": None}, 400)
)
def list_actions(context: Context, _: Viewer, query: Annotated[ActionQuery, Query()]) -> Response:
    """List actions, the latest first, with their items counted by state."""
    clauses: list[str] = []
    values: dict[str, Any] = {}
    for name, clause in {
        "kind": "kind = {kind:String}",
        "requested_by": "requested_by = {requested_by:String}",
        "since": "requested_at >= {since:DateTime64(3, 'UTC')}",
        "order_id": "action_id IN (SELECT action_id FROM action_items WHERE order_id = {order_id:String})",
    }.items():
        if (value := getattr(query, name)) is not None:
            clauses.append(clause)
            values[name] = value
    rows, cursor = read_listing(context, "api_actions", query, clauses, values)
    return Json({"actions": rows, "next_cursor": cursor})


@router.get("/v1/actions/{action_id}", summary="One action with its items", responses=answers(ACTION, 404))
def show_action(context: Context, _: Viewer, action_id: ActionId) -> Response:
    """Show every item: its state, attempts, instants, and what the target or the facts said."""
    return Json(_action(context, action_id))


@router.post("/v1/actions/{action_id}/cancel", summary="Take back what is not sent yet", responses=answers(ACTION, 404))
def cancel_action(request: Request, context: Context, actor: Operator, action_id: ActionId) -> Response:
    """Cancel the items that were not sent; what is on the wire runs to its end."""
    _action(context, action_id)
    cancelled = cancel(context.store, action_id, actor.name, context.clock())
    request.app.state.clicks.add()
    context.progress.ring()
    return Json({**_action(context, action_id), "cancelled": cancelled})


@router.post("/v1/actions/{action_id}/approve", summary="Not in this version", responses=answers(None, 404, 409))
def approve_action(context: Context, _: Operator, action_id: ActionId) -> Response:
    """Answer 409: no action waits for an approval in this version."""
    _no_such_step(context, action_id, "approve", "actions do not wait for an approval")


@router.post("/v1/actions/{action_id}/pause", summary="Not in this version", responses=answers(None, 404, 409))
def pause_action(context: Context, _: Operator, action_id: ActionId) -> Response:
    """Answer 409: an action cannot be paused in this version."""
    _no_such_step(context, action_id, "pause", "what is not sent yet can be cancelled")


@router.post("/v1/actions/{action_id}/resume", summary="Not in this version", responses=answers(None, 404, 409))
def resume_action(context: Context, _: Operator, action_id: ActionId) -> Response:
    """Answer 409: nothing can be paused, so nothing resumes."""
    _no_such_step(context, action_id, "resume", "ask again with a new Idempotency-Key")


def _no_such_step(context: ApiContext, action_id: str, step: str, instead: str) -> NoReturn:
    _action(context, action_id)
    raise Problem(409, "no_such_step", f"this version cannot {step} an action; {instead}")


def _accepted(reply: bytes) -> Response:
    return Response(reply, status_code=202, media_type="application/json")


def _frozen(context: ApiContext, wish: NewAction) -> tuple[tuple[str, str | None], ...]:
    """Return the orders meant: as listed, or those that the filter selects at this moment."""
    if wish.orders is not None:
        return tuple((w.order_id, w.version) for w in wish.orders)
    assert wish.filter is not None
    clauses, values = wish.filter.clauses()
    text = load("action_select").replace("$where", "\n    AND ".join(clauses))
    with context.store.reader() as client:
        rows = client.query(text, parameters={**values, "limit": MAX_ORDERS + 1}).result_rows
    if len(rows) > MAX_ORDERS:
        raise Problem(400, "too_many_orders", f"the filter selects more than {MAX_ORDERS} orders; narrow it")
    return tuple((order_id, version) for order_id, version in rows)


def _action(context: ApiContext, action_id: str) -> dict[str, Any]:
    values = {"action_id": action_id}
    head = load("api_actions").replace("$where", "action_id = {action_id:String}")
    with context.store.reader() as client:
        found = client.query(head, parameters={**values, "limit": 1})
        items = client.query(load("api_action_items"), parameters=values)
    if not found.result_rows:
        raise Problem(404, "not_found", f"there is no action {action_id!r}")
    action = records(found.column_names[:-2], [row[:-2] for row in found.result_rows])[0]
    return {**action, "items": records(items.column_names, items.result_rows)}
