"""The fake tower's alerts: a late feed, one that is open and one that is over, which acts change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.dashboards.fake_held import iso


@dataclass
class Alerts:
    """What people are told; `done` is what was asked for: who, act, what."""

    now: Callable[[], datetime]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: list[tuple[str, str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        at = self.now()
        for alert_id, more in {
            "feed": {"labels": {"kind": "feed_late", "connection": "wms-berlin"}, "priority": "", "orders": 12},
            "late": {"labels": {"stage": "ship-to-invoice", "system": "erp"}, "priority": "P1", "orders": 3},
            "over": {"closed_at": iso(at), "state": "closed", "outcome": "self_healed", "next_at": None},
        }.items():
            self.rows[alert_id] = {
                "alert_id": alert_id, "state": "open", "receiver": "on-call", "labels": {"stage": "ship-to-invoice"},
                "priority": "P2", "value": "184200.00", "orders": 1, "breaches": 3, "open_breaches": 3,
                "opened_at": iso(at - timedelta(minutes=9)), "told_at": iso(at - timedelta(minutes=8)), "reason": "more",
                "next_at": iso(at + timedelta(hours=2)), "next_reason": "repeat", "notices": 2, "acknowledged_by": "",
                "note": "", "closed_at": None, "outcome": "", **more,
            }  # fmt: skip

    def listed(self, request: Request, _: Any) -> Response:
        closed = request.query_params.get("state") == "closed"
        rows = [r for r in self.rows.values() if (r["closed_at"] is not None) == closed]
        return JSONResponse(
            {
                "alerts": rows,
                "next_cursor": None,
                "receivers_off": [] if closed else [{"receiver": "pager", "detail": "410"}],
            }
        )

    def one(self, request: Request, _: Any) -> Response:
        row = self.rows.get(request.path_params["id"])
        if row is None:
            return JSONResponse({"title": "Not Found", "detail": "there is no such alert", "code": "not_found"}, 404)
        member = {
            "breach_id": "b1", "order_id": "SO-100001", "rule": "ship-to-invoice", "kind": "late", "state": "open",
            "opened_at": row["opened_at"], "over_at": None, "told": 1, "quiet": 0, "held_by": "", "priority": "P1",
            "value": "1200.00", "error": "tax code <missing>", "object_id": "S1",
        }  # fmt: skip
        held = {**member, "breach_id": "b2", "order_id": "SO-100002", "told": 0, "held_by": "silence s1", "error": ""}
        sent = {"at": row["told_at"], "reason": "new", "receiver": "on-call", "channel": "webhook", "state": "sent",
                "attempts": 2, "title": "P1 late", "detail": "204"}  # fmt: skip
        return JSONResponse({**row, "members": [member, held], "behind": [held], "sent": [sent]})

    async def ack(self, request: Request, known: Any) -> Response:
        body = await request.json()
        row = self.rows[request.path_params["id"]]
        row |= {"acknowledged_by": known[0] if body["acknowledged"] else "", "note": body["note"]}
        self.done.append((known[0], "ack", body))
        return JSONResponse({"alert_id": row["alert_id"]})

    async def silence(self, request: Request, known: Any) -> Response:
        body = await request.json()
        if request.query_params.get("dry_run") != "true":
            self.done.append((known[0], "silence", body))
        catches = {"breaches": 3, "alerts": 1, "orders": ["SO-100001"], "order_count": 1, "value": "1200.00"}
        return JSONResponse({**body, "catches": catches}, 201)

    def scorecard(self, _request: Request, _known: Any) -> Response:
        rule = {"rule": "ship-to-invoice", "alerts": 4, "breaches": 9, "real": 3, "self_healed": 1, "feed": 0, "duplicate": 0,
                "precision": 0.75, "lead_s": 93600, "ack_s": 240, "acknowledged": 3, "over_s": 5400}  # fmt: skip
        return JSONResponse({"rules": [rule]})
