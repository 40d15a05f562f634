"""/v1/actions: what is to be done about stuck orders, and what became of it. Nothing is sent from here."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from tower.actions.batch import LEAST_VERIFIED
from tower.actions.intake import Intake, Wish
from tower.actions.steps import Said, take_step
from tower.api.auth import Caller, Context, Seen
from tower.api.batch_view import batch_of, progress_of, select_orders, targets_told
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.examples import ACTION, REPLY
from tower.api.listing import PageQuery, read_listing
from tower.api.order_query import MAX_LIMIT, OrderFilter
from tower.api.wire import Instant, Json, records
from tower.model.principal import Principal
from tower.model.problem import Problem
from tower.model.scope import Scope
from tower.store.sql import load

router = APIRouter()
MAX_ORDERS = MAX_LIMIT
ActionId = Annotated[str, Path(max_length=64)]
_MOVED = {**ACTION, "moved": 1}


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
    reason: Annotated[
        str, Field(max_length=2000, description="Must be given for R2, R3, hold, note, escalate and reopen")
    ] = ""
    assignee: Annotated[str, Field(max_length=100, description="Of kind assign; absent: whoever asks")] = ""
    ramp: Annotated[
        list[Annotated[int, Field(ge=1, le=MAX_ORDERS)]] | None,
        Field(min_length=1, max_length=50, description="Sizes of the waves, the last one repeats"),
    ] = None
    least_verified: Annotated[
        float, Field(ge=0, le=1, description="Share of a wave that must be verified before the next one goes")
    ] = LEAST_VERIFIED

    @model_validator(mode="after")
    def _one_of_two(self) -> NewAction:
        if (self.orders is None) == (self.filter is None):
            raise ValueError("name either orders or a filter")
        return self


class Reason(BaseModel):
    """Why somebody takes a step."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "the tax service is back"}})

    reason: Annotated[str, Field(max_length=2000)] = ""


Why = Annotated[Reason | None, Body()]


class ActionQuery(PageQuery):
    """Which actions."""

    kind: str | None = None
    requested_by: str | None = None
    since: Annotated[Instant | None, Field(description="Asked for at or after")] = None
    order_id: str | None = None
    state: Annotated[
        str | None, Field(pattern="^(requested|running|paused|stopped|cancelled|done)$", description="Of the batch")
    ] = None


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
    actor: Caller,
    scope: Seen,
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
    intake = Intake(context.store, context.book(), actor.name, context.clock(), scope)
    body = msgspec.json.encode(wish.model_dump(mode="json"), order="deterministic")
    request_hash = hashlib.sha256(body).hexdigest()
    if not query.dry_run and (earlier := intake.repeated(key, request_hash)) is not None:
        return _accepted(earlier)
    chosen_by = wish.filter.model_dump_json(exclude_none=True) if wish.filter is not None else ""
    frozen = Wish(
        wish.kind, _frozen(context, wish, scope), wish.stage, wish.reason, chosen_by, tuple(wish.ramp or ()),
        wish.least_verified, assignee=wish.assignee,
    )  # fmt: skip
    if query.dry_run:
        shown = intake.preview(frozen, key)
        shown["batch"]["targets"] = targets_told(context, shown["batch"]["targets"], scope)
        return Json(shown, status_code=202)
    reply = intake.request(frozen, key, request_hash)
    request.app.state.clicks.add()
    context.progress.ring()
    return _accepted(reply)


@router.get(
    "/v1/actions", summary="What was asked for", responses=answers({"actions": [ACTION], "next_cursor": None}, 400)
)
def list_actions(context: Context, caller: Caller, scope: Seen, query: Annotated[ActionQuery, Query()]) -> Response:
    """List actions, the latest first, with their items counted by state."""
    clauses: list[str] = []
    values: dict[str, Any] = {}
    for name, clause in {
        "kind": "kind = {kind:String}",
        "requested_by": "requested_by = {requested_by:String}",
        "state": "state = {state:String}",
        "since": "requested_at >= {since:DateTime64(3, 'UTC')}",
        "order_id": "action_id IN (SELECT action_id FROM action_items WHERE order_id = {order_id:String})",
    }.items():
        if (value := getattr(query, name)) is not None:
            clauses.append(clause)
            values[name] = value
    if scope is not None:
        clauses.append("requested_by = {own:String}")
        values["own"] = caller.name
    rows, cursor = read_listing(context, "api_actions", query, clauses, values)
    return Json({"actions": [_with_progress(row) for row in rows], "next_cursor": cursor})


@router.get("/v1/actions/{action_id}", summary="One action with its items", responses=answers(ACTION, 404))
def show_action(context: Context, caller: Caller, scope: Seen, action_id: ActionId) -> Response:
    """Show every item: its state, attempts, instants, and what the target or the facts said."""
    return Json(_action(context, action_id, caller, scope))


@router.post("/v1/actions/{action_id}/approve", summary="Give the second yes", responses=answers(_MOVED, 404, 409, 503))
def approve_action(
    request: Request, context: Context, actor: Caller, scope: Seen, action_id: ActionId, why: Why = None
) -> Response:
    """Let an action of class R3 go. Whoever asked for it cannot approve it (403 `second_person`)."""
    return _step(request, context, actor, scope, action_id, "approve", why)


@router.post(
    "/v1/actions/{action_id}/pause", summary="Send nothing more for now", responses=answers(_MOVED, 404, 409, 503)
)
def pause_action(
    request: Request, context: Context, actor: Caller, scope: Seen, action_id: ActionId, why: Why = None
) -> Response:
    """Hold what is not sent yet; what is on the wire runs to its end and is verified."""
    return _step(request, context, actor, scope, action_id, "pause", why)


@router.post("/v1/actions/{action_id}/resume", summary="Go on", responses=answers(_MOVED, 404, 409, 503))
def resume_action(
    request: Request, context: Context, actor: Caller, scope: Seen, action_id: ActionId, why: Why = None
) -> Response:
    """Go on with a paused action; with a reason also with one that stopped: its waves so far count no more."""
    return _step(request, context, actor, scope, action_id, "resume", why)


@router.post(
    "/v1/actions/{action_id}/cancel", summary="Take back what is not sent yet", responses=answers(_MOVED, 404, 409, 503)
)
def cancel_action(
    request: Request, context: Context, actor: Caller, scope: Seen, action_id: ActionId, why: Why = None
) -> Response:
    """Cancel the items that were not sent; what is on the wire runs to its end."""
    return _step(request, context, actor, scope, action_id, "cancel", why)


def _step(
    request: Request, context: ApiContext, actor: Principal, scope: Scope | None, action_id: str, step: str,
    why: Reason | None,
) -> Response:  # fmt: skip
    action = _action(context, action_id, actor, scope)
    said = Said(step, actor.name, why.reason if why else "", context.clock())
    count = take_step(context.store, context.record, action_id, action["requested_by"], said)
    request.app.state.clicks.add()
    context.progress.ring()
    done = {"cancelled": count} if step == "cancel" else {"moved": count}
    return Json({**_action(context, action_id, actor, scope), **done})


def _accepted(reply: bytes) -> Response:
    return Response(reply, status_code=202, media_type="application/json")


def _frozen(context: ApiContext, wish: NewAction, scope: Scope | None) -> tuple[tuple[str, str | None], ...]:
    """Return the orders meant: as listed, or those that the filter selects at this moment."""
    if wish.orders is not None:
        return tuple((w.order_id, w.version) for w in wish.orders)
    assert wish.filter is not None
    rows = select_orders(context, wish.filter, scope)
    if len(rows) > MAX_ORDERS:
        raise Problem(400, "too_many_orders", f"the filter selects more than {MAX_ORDERS} orders; narrow it")
    return tuple(rows)


def _action(context: ApiContext, action_id: str, caller: Principal, scope: Scope | None) -> dict[str, Any]:
    """Return an action with its items. Raises Problem 404; for a caller with a scope only its own actions exist."""
    values = {"action_id": action_id}
    head = load("api_actions").replace("$where", "action_id = {action_id:String}")
    with context.store.reader() as client:
        found = client.query(head, parameters={**values, "limit": 1})
        items = client.query(load("api_action_items"), parameters=values)
    heads = records(found.column_names[:-2], [row[:-2] for row in found.result_rows])
    if not heads or (scope is not None and heads[0]["requested_by"] != caller.name):
        raise Problem(404, "not_found", f"there is no action {action_id!r}")
    return {
        **_with_progress(heads[0]),
        **batch_of(context, action_id, scope),
        "items": records(items.column_names, items.result_rows),
    }


def _with_progress(action: dict[str, Any]) -> dict[str, Any]:
    return {**action, "progress": progress_of(action["counts"] or {})}
