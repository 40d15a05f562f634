"""/v1/rules/backtest: what another rulebook would have said, asked for, watched and cancelled."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.responses import Response

from rules.duration import parse_duration
from tower.api.auth import Caller, Context
from tower.api.backtest_wire import outcome_json, read_since
from tower.api.book_choice import BookChoice, chosen
from tower.api.docs import answers
from tower.api.wire import Json, instant, parse_instant
from tower.backtest.run import backtest
from tower.backtest.runs import Run, Runs
from tower.model.problem import Problem

router = APIRouter()
RunId = Annotated[str, Path(max_length=64)]
_ROW = {
    "rule": "ship-to-invoice", "kind": "late", "gained": 12, "lost": 0, "differently": 40, "same": 0,
    "gained_orders": 11, "lost_orders": 0, "gained_value": "18230.00", "lost_value": "0.00", "earlier": 40, "later": 0,
    "lead_p50_s": -3600,
}  # fmt: skip
_EXAMPLE: dict[str, Any] = {
    "id": "9f86d081884c7d65", "state": "done", "doing": "orders", "done": 320, "of": 320, "error": "",
    "asked_by": "ana", "asked_at": "2026-11-23T10:00:00.000Z",
    "outcome": {
        "old": "a1b2c3", "new": "d4e5f6", "since": "2026-08-25T10:00:00.000Z", "until": "2026-11-23T10:00:00.000Z",
        "currency": "EUR", "gained": 12, "lost": 0, "differently": 40, "same": 0, "busiest_day": 9,
        "changed_rules": ["ship-to-invoice"], "judged_orders": 320, "limits_only": True, "seconds": 2.1,
        "rules": [_ROW],
        "notices": [{"day": "2026-11-20", "receiver": "finance-ops", "under_old": 4, "under_new": 9}],
        "days": [{"rule": "ship-to-invoice", "kind": "late", "day": "2026-11-20", "under_old": 4, "under_new": 9}],
        "orders": [
            {"order_id": "SO-1", "rule": "ship-to-invoice", "kind": "late", "object_type": "shipment",
             "object_id": "S1", "change": "gained", "old_opened_at": None, "old_resolved_at": None,
             "new_opened_at": "2026-11-20T09:00:00.000Z", "new_resolved_at": "2026-11-20T09:40:00.000Z",
             "value": "1234.50"}
        ],
    },
}  # fmt: skip


class NewBacktest(BaseModel):
    """Which books, and over which history."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"new": {"limits": {"ship-to-invoice": "1h"}}, "since": "90d"}}
    )

    old: BookChoice = BookChoice()
    new: BookChoice
    since: Annotated[str, Field(max_length=40, description="How far back: 90d, or an instant")] = "90d"
    limit: Annotated[int, Field(ge=0, le=5000, description="How many single verdicts to list")] = 500
    wait_s: Annotated[float, Field(ge=0, le=60, description="How long to wait for the outcome")] = 20

    @field_validator("since")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        try:
            parse_duration(value)
        except ValueError:
            parse_instant(f"{value}T00:00:00Z" if len(value) == 10 else value)
        return value


@router.post(
    "/v1/rules/backtest",
    summary="What another rulebook would have said",
    responses={**answers(_EXAMPLE, 400, 409), 202: {"description": "Still running: watch it under its id"}},
)
async def start_backtest(request: Request, context: Context, who: Caller, wanted: NewBacktest) -> Response:
    """Run two rulebooks over stored history and tell which verdicts one gives and the other does not."""
    now = context.clock()
    old, new = [await asyncio.to_thread(chosen, context, c, n) for c, n in ((wanted.old, "old"), (wanted.new, "new"))]
    since = read_since(wanted.since, now)
    runs: Runs = request.app.state.backtests
    work = partial(backtest, context.store, context.connections, old, new, since, now, limit=wanted.limit)
    run = runs.start(who.name, now, lambda told: work(progress=told))
    if run is None:
        other = runs.running()
        raise Problem(
            409,
            "backtest_running",
            f"one backtest runs at a time; wait for {other.id if other else 'it'}, or DELETE it",
        )
    await asyncio.to_thread(run.ended.wait, wanted.wait_s)
    return _answer(run, 202 if run.state == "running" else 200)


@router.get("/v1/rules/backtest/{id}", summary="How a backtest goes, or went", responses=answers(_EXAMPLE, 404))
def show_backtest(request: Request, _: Caller, id: RunId) -> Response:  # noqa: A002 - the name in the path
    """Show progress while it runs, the outcome afterwards. The last twenty are kept until the tower stops."""
    return _answer(_run(request, id))


@router.delete("/v1/rules/backtest/{id}", summary="Cancel a backtest", responses=answers(_EXAMPLE, 404))
def cancel_backtest(request: Request, _: Caller, id: RunId) -> Response:  # noqa: A002 - the name in the path
    """End a backtest after the slice at hand."""
    run = _run(request, id)
    run.unwanted.set()
    return _answer(run)


def _run(request: Request, run_id: str) -> Run:
    runs: Runs = request.app.state.backtests
    run = runs.get(run_id)
    if run is None:
        raise Problem(
            404, "not_found", f"there is no backtest {run_id!r}; the last twenty are kept until the tower stops"
        )
    return run


def _answer(run: Run, status: int = 200) -> Response:
    told = {
        "id": run.id, "state": run.state, "doing": run.doing, "done": run.done, "of": run.of, "error": run.error,
        "asked_by": run.asked_by, "asked_at": instant(run.asked_at),
        "outcome": outcome_json(run.outcome) if run.outcome is not None else None,
    }  # fmt: skip
    return Json(told, status_code=status)
