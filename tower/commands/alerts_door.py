"""What people do about alerts: acknowledge, silence, take back. The audit has each act before it happens."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response
from starlette.routing import BaseRoute

from rules.match import OF_BREACHES, holds, parse_when
from rules.model import When
from tower.alerts.rows import facts_of
from tower.api.alerts import SILENCE, AlertId, alert_row
from tower.api.auth import Caller
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.wire import Instant, Json, instant, money
from tower.commands.replay_door import Record, entry
from tower.model.problem import Problem
from tower.store.sql import load

MOST_CAUGHT = 200
_ONE = "SELECT matchers, starts_at, ends_at, author, comment FROM silences FINAL WHERE silence_id = {id:String}"
_CATCHES = {"breaches": 3, "alerts": 1, "orders": ["SO-1"], "order_count": 1, "value": "1234.50"}
_LONGEST = timedelta(days=366)
SilenceId = Annotated[str, Path(max_length=64)]


class Ack(BaseModel):
    """Take an alert on, or give it back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"note": "calling the warehouse"}})

    acknowledged: bool = True
    note: Annotated[str, Field(max_length=2000)] = ""


class Said(BaseModel):
    """What became of an alert."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"outcome": "self_healed"}})

    outcome: Annotated[str, Field(pattern="^(real|self_healed|feed|duplicate)$")]
    note: Annotated[str, Field(max_length=2000)] = ""


class NewSilence(BaseModel):
    """What to hear nothing of, until when and why. matchers: in the words of a route's `when`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"matchers": {"system": "wms"}, "ends_at": "2026-11-23T11:00:00Z", "comment": "planned move"}
        },
    )

    matchers: Annotated[dict[str, Any], Field(min_length=1, max_length=20)]
    starts_at: Annotated[Instant | None, Field(description="Absent: from now on")] = None
    ends_at: Instant
    comment: Annotated[str, Field(min_length=3, max_length=2000)]

    @model_validator(mode="after")
    def _in_order(self) -> NewSilence:
        if self.starts_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("ends_at lies before starts_at")
        return self


def alert_routes(context: ApiContext, record: Record) -> list[BaseRoute]:
    """Return the routes of acts on alerts and silences."""
    router = APIRouter(tags=["alerts"])

    @router.post(
        "/v1/alerts/{alert_id}/ack",
        summary="Take an alert on, or give it back",
        responses=answers({"alert_id": "54a1", "acknowledged_by": "ann"}, 404, 503),
    )
    def acknowledge(who: Caller, alert_id: AlertId, ack: Ack) -> Response:
        """Nobody further is told and nothing is repeated while it is acknowledged; new breaches still are."""
        alert_row(context, alert_id)
        at = context.clock()
        act = "acknowledge" if ack.acknowledged else "unacknowledge"
        record([entry(who.name, act, f"alert/{alert_id}", why=ack.note, alert_id=alert_id)])
        by = who.name if ack.acknowledged else ""
        with context.store.writer() as client:
            client.insert(
                "alert_acks", [[alert_id, by, at, ack.note, _revision()]],
                column_names=["alert_id", "by", "at", "note", "revision"],
            )  # fmt: skip
        context.progress.ring()
        return Json({"alert_id": alert_id, "acknowledged_by": by, "acknowledged_at": instant(at), "note": ack.note})

    @router.post(
        "/v1/silences",
        status_code=201,
        summary="Hear nothing of some breaches for a time",
        responses=answers({**SILENCE, "catches": _CATCHES}, 400, 503, status=201),
    )
    def silence(
        who: Caller,
        wish: NewSilence,
        dry_run: Annotated[bool, Query(description="Only say what it would catch now")] = False,
    ) -> Response:
        """Make a silence, or with dry_run only show what it would keep from being told now."""
        now = context.clock()
        starts = wish.starts_at or now
        when = _when(wish.matchers)
        if wish.ends_at <= max(starts, now):
            raise Problem(400, "bad_request", "ends_at has passed; name a later instant")
        if wish.ends_at - starts > _LONGEST:
            raise Problem(400, "bad_request", "a silence lasts a year at most; write a route instead")
        catches = caught(context, when)
        silence_id = "" if dry_run else uuid.uuid4().hex[:16]
        row = {
            "silence_id": silence_id, "matchers": wish.matchers, "starts_at": instant(starts),
            "ends_at": instant(wish.ends_at), "author": who.name, "comment": wish.comment,
            "created_at": instant(now), "catches": catches,
        }  # fmt: skip
        if dry_run:
            return Json({**row, "dry_run": True})
        record(
            [
                entry(
                    who.name,
                    "silence",
                    f"silence/{silence_id}",
                    why=wish.comment,
                    matchers=wish.matchers,
                    ends_at=row["ends_at"],
                )
            ]
        )
        _write(context, silence_id, wish.matchers, (starts, wish.ends_at), who.name, wish.comment, now)
        return Json(row, status_code=201)

    @router.delete(
        "/v1/silences/{silence_id}",
        summary="End a silence now",
        responses=answers({**SILENCE, "state": "ended"}, 404, 503),
    )
    def end(who: Caller, silence_id: SilenceId) -> Response:
        """End it; what it kept back is told at the next moment of its group."""
        now = context.clock()
        with context.store.reader() as client:
            rows = client.query(_ONE, parameters={"id": silence_id}).result_rows
        if not rows:
            raise Problem(404, "not_found", f"there is no silence {silence_id!r}")
        matchers, starts, ends, author, comment = rows[0]
        ends = min(ends, now)
        record([entry(who.name, "end_silence", f"silence/{silence_id}", silence_id=silence_id)])
        _write(context, silence_id, msgspec.json.decode(matchers), (min(starts, ends), ends), author, comment, now)
        return Json({"silence_id": silence_id, "ends_at": instant(ends), "state": "ended"})

    @router.post(
        "/v1/alerts/{alert_id}/outcome",
        summary="Say what became of an alert",
        responses=answers({"alert_id": "54a1", "outcome": "self_healed", "note": ""}, 404, 409, 503),
    )
    def set_outcome(who: Caller, alert_id: AlertId, said: Said) -> Response:
        """Correct the outcome that was worked out when the alert closed; the scorecard counts what people say."""
        if alert_row(context, alert_id)["closed_at"] is None:
            raise Problem(409, "not_closed", "the alert is still open; its outcome is known when it closes")
        at = context.clock()
        record([entry(who.name, "alert_outcome", f"alert/{alert_id}", why=said.note, outcome=said.outcome)])
        with context.store.writer() as client:
            client.insert(
                "alert_outcomes", [[alert_id, said.outcome, who.name, said.note, at, _revision()]],
                column_names=["alert_id", "outcome", "by", "note", "at", "revision"],
            )  # fmt: skip
        return Json({"alert_id": alert_id, "outcome": said.outcome, "note": said.note})

    return list(router.routes)


def _when(matchers: dict[str, Any]) -> When:
    wrong: list[dict[str, Any]] = []
    when = parse_when(
        matchers,
        lambda key, problem, hint: wrong.append({"field": f"matchers.{key}", "detail": f"{problem}. {hint}"}),
        OF_BREACHES,
    )
    if wrong:
        raise Problem(400, "bad_request", wrong[0]["detail"], errors=wrong)
    return when


def caught(context: ApiContext, when: When) -> dict[str, Any]:
    """Return what the matchers hold of now: counts, the money, and the orders one by one up to a bound."""
    with context.store.reader() as client:
        found = client.query(load("silence_catches"))
        rows = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
    hit = [(row, facts) for row in rows if holds(when, facts := facts_of(row["facts"]))]
    orders = {str(facts["order_id"]): facts["value"] for _, facts in hit if facts["order_id"]}
    return {
        "breaches": len(hit),
        "alerts": len({alert for row, _ in hit for alert in row["alert_ids"]}),
        "orders": sorted(orders)[:MOST_CAUGHT],
        "order_count": len(orders),
        "value": money(sum((v for v in orders.values() if v is not None and not isinstance(v, str)), start=Decimal(0))),
    }


def _write(
    context: ApiContext, silence_id: str, matchers: dict[str, Any], span: tuple[datetime, datetime], author: str,
    comment: str, now: datetime,
) -> None:  # fmt: skip
    row = [silence_id, msgspec.json.encode(matchers).decode(), *span, author, comment, now, _revision()]
    names = ["silence_id", "matchers", "starts_at", "ends_at", "author", "comment", "created_at", "revision"]
    with context.store.writer() as client:
        client.insert("silences", [row], column_names=names)
    context.progress.ring()


def _revision() -> int:
    return time.time_ns() // 1000
