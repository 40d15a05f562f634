"""GET /v1/roi: figures for executives, each with formula, inputs, counts and the way down to its orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tower.api.auth import Caller, Context
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.examples import ROI
from tower.api.past import Look, look
from tower.api.wire import Instant, Json, instant, plain
from tower.model.problem import Problem
from tower.value import ledger
from tower.value.baseline import Baseline, against, read_baseline, restated, told_of
from tower.value.earned import earned
from tower.value.figure import as_json, refuse, shown
from tower.value.ground import Ground, Window
from tower.value.metrics import BY_ID, COLUMNS, FREED, freed
from tower.value.report import at_risk, course, figures_json, groups, tell

router = APIRouter()
TTL_S = 20.0
_USUAL_S = 28 * 86400
_LONGEST = timedelta(days=800)


class Moment(BaseModel):
    """Which window, and as of when."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    since: Annotated[
        Instant | None,
        Field(alias="from", description="Start of the window; default the book's baseline length before its end"),
    ] = None
    until: Annotated[Instant | None, Field(alias="to", description="End of the window, not in it; default now")] = None
    as_of: Annotated[Instant | None, Field(description="Judge with the facts up to this instant")] = None
    known_at: Annotated[Instant | None, Field(description="Use only what was known at this instant")] = None


class RoiQuery(Moment):
    """What to tell beside the figures."""

    by: Annotated[str, Field(pattern="^(stage|phase)$", description="What the groups are")] = "phase"
    restate: Annotated[bool, Field(description="Also say which figures of the baseline read differently today")] = False


class BehindQuery(Moment):
    """Which figure's orders."""

    metric: Annotated[str, Field(description="id of a figure", examples=["exceptions_per_1000"])]
    group: Annotated[str | None, Field(max_length=200, description="Only this stage or phase")] = None
    limit: Annotated[int, Field(ge=1, le=5000)] = 100
    cursor: Annotated[int, Field(ge=0, le=10_000_000, description="next_cursor of the page before")] = 0


def window_of(moment: Moment, now: datetime, usual_s: int | None) -> Window:
    """Return the window asked for; raises Problem 400 when it ends before it starts, or is overlong."""
    until = moment.until or moment.as_of or moment.known_at or now
    since = moment.since or until - timedelta(seconds=usual_s or _USUAL_S)
    if not timedelta(0) < until - since <= _LONGEST:
        raise Problem(400, "invalid_request", "`from` lies before `to`, and no more than 800 days before it")
    return Window(since, until)


@router.get("/v1/roi", summary="Figures for executives", responses=answers(ROI, 400))
def show_roi(request: Request, context: Context, _: Caller, query: Annotated[RoiQuery, Query()]) -> Response:
    """Show every figure of a window against the locked baseline, over time, and by stage or phase.

    A figure that cannot be told has value null and says why in `refused`. Money is in the reporting currency at the
    book's dated rates; what has no rate is counted in `not_priced` and not in the money.
    """
    return Response(request.app.state.roi.get(query, lambda: _read(context, query)), media_type="application/json")


def _read(context: ApiContext, query: RoiQuery) -> bytes:
    now = context.clock()
    with look(context, now, query.as_of, query.known_at) as seen:
        window = window_of(query, now, seen.book.value.baseline_s)
        baseline = read_baseline(seen.client, seen.known_at)
        widest = Window(min(window.since, baseline.since) if baseline else window.since, window.until)
        with ground_of(seen, context, widest) as ground:
            told = tell(ground, window)
            # Few acts ripen in a short window; unless one is asked for, what was won counts from the baseline on.
            since_live = baseline is not None and query.since is None and baseline.until < window.until
            acts = Window(baseline.until, window.until) if baseline is not None and since_live else window
            moved = ledger.realized_totals(seen.client, acts, seen.known_at)
            figures = figures_json(told)
            reply: dict[str, Any] = {
                "from": instant(window.since),
                "to": instant(window.until),
                "as_of": instant(seen.as_of),
                "known_at": instant(seen.known_at),
                "currency": seen.book.value.currency,
                "rate_date": rate_date(seen),
                "book": seen.book.hash,
                "baseline": baseline.json() if baseline else None,
                "figures": figures,
                "earned_from": instant(acts.since),
                "earned": [part.json() for part in earned(ground, acts)],
                "realized": [{name: shown(value) for name, value in row.items()} for row in moved],
                "at_risk": at_risk(ground, window),
                "trend": course(ground, widest),
                "labels": {s.id: s.label or s.id for s in seen.book.stages},
                "groups": groups(ground, window, query.by),
                "by": query.by,
            }
            if baseline is None:
                figures[FREED.id] = as_json(FREED, refuse("needs a baseline; an administrator locks one"))
            else:
                against(figures, baseline.told)
                then = told_of(baseline.told.get("unbilled_cash", {}))
                figures[FREED.id] = as_json(FREED, freed(then, told["unbilled_cash"]))
            if query.restate and baseline is not None:
                today = figures_json(tell(ground, baseline.window))
                reply["restated"] = restated(msgspec.json.decode(msgspec.json.encode(today)), baseline.told)
    return bytes(Json(reply).body)


def ground_of(seen: Look, context: ApiContext, widest: Window) -> Ground:
    """Return what figures are counted from, for a look at the orders."""
    return Ground(
        seen.client, seen.orders, seen.breaches, seen.book, context.connections.kinds, seen.as_of, seen.known_at, widest
    )


def rate_date(seen: Look) -> str | None:
    """Return the day from which the latest rate holds; None where the book has none."""
    return max((r.since for r in seen.book.value.rates), default=None)


def figures_now(context: ApiContext, moment: Moment) -> tuple[Window, dict[str, dict[str, Any]], Baseline | None]:
    """Return the figures of a window as they are known now, and the baseline that counts so far."""
    now = context.clock()
    with look(context, now, moment.as_of, moment.known_at) as seen:
        window = window_of(moment, now, seen.book.value.baseline_s)
        with ground_of(seen, context, window) as ground:
            return window, figures_json(tell(ground, window)), read_baseline(seen.client, now)


class LedgerQuery(BaseModel):
    """Which lines."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, Field(pattern="^(estimate|realized)$")] = "estimate"
    known_at: Annotated[Instant | None, Field(description="As it stood at this instant")] = None
    limit: Annotated[int, Field(ge=1, le=5000)] = 100


_LEDGER = {
    "lines": [{"computed_at": "2026-11-23T10:00:00.000Z", "kind": "estimate", "figure": "hours_saved",
               "since": "2026-10-26T10:00:00.000Z", "until": "2026-11-23T10:00:00.000Z", "stage": "all", "item_id": "",
               "order_id": "", "value": 310.2, "low": 220.9, "high": 402.7, "amount": None, "treated": 180,
               "matched": 171, "twins": 412, "reason": "", "currency": "EUR", "rate_date": "2026-01-01",
               "book": "a1b2"}],
    "kind": "estimate", "known_at": "2026-11-23T10:00:00.000Z",
}  # fmt: skip
_BEHIND = {
    "metric": "exceptions_per_1000", "label": "Exceptions per 1,000 orders", "from": "2026-10-26T10:00:00.000Z",
    "to": "2026-11-23T10:00:00.000Z", "as_of": "2026-11-23T10:00:00.000Z", "next_cursor": None,
    "columns": {"measure": "seconds until seen", "other": "seconds until resolved", "good": "resolved"},
    "orders": [{"order_id": "SO-1", "stage": "ship-to-invoice", "thing": "5f0c", "at": "2026-11-23T09:00:00.000Z",
                "measure": 1.0, "other": None, "good": False, "amount": "1234.50"}],
}  # fmt: skip


@router.get("/v1/roi/ledger", summary="What was earned, line by line", responses=answers(_LEDGER, 400))
def show_ledger(context: Context, _: Caller, query: Annotated[LedgerQuery, Query()]) -> Response:
    """List the ledger of estimates, or of what was realized, the latest first. It is only ever added to."""
    known_at = query.known_at or context.clock()
    with context.store.reader() as client:
        lines = ledger.read(client, query.kind, known_at, query.limit)
    return Json({"lines": plain(lines), "kind": query.kind, "known_at": instant(known_at)})


@router.get("/v1/roi/orders", summary="The orders behind a figure", responses=answers(_BEHIND, 400))
def show_behind(context: Context, _: Caller, query: Annotated[BehindQuery, Query()]) -> Response:
    """List the very rows that a figure adds up, the latest first; docs/value.md says what `measure` and `other` are."""
    metric = BY_ID.get(query.metric) or (FREED if query.metric == FREED.id else None)
    if metric is None:
        raise Problem(400, "unknown_metric", f"there is no figure {query.metric!r}; they are {', '.join(BY_ID)}")
    now = context.clock()
    with look(context, now, query.as_of, query.known_at) as seen:
        window = window_of(query, now, seen.book.value.baseline_s)
        with ground_of(seen, context, window) as ground:
            where, values = metric.where, {"limit": query.limit + 1, "after": query.cursor, "group": query.group or ""}
            if query.group is not None:
                where += f" AND {{group:String}} IN (stage, {ground.phase_sql()})"
            rows = ground.listed(metric.behind, window, where, values)
    more = len(rows) > query.limit
    return Json(
        {
            "metric": metric.id,
            "label": metric.label,
            "from": instant(window.since),
            "to": instant(window.until),
            "as_of": instant(seen.as_of),
            "columns": dict(zip(("measure", "other", "good"), COLUMNS[metric.behind], strict=True)),
            "orders": [plain({**row, "good": bool(row["good"])}) for row in rows[: query.limit]],
            "next_cursor": query.cursor + query.limit if more else None,
        }
    )
