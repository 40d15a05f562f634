"""The fake tower's subscriptions: one of each state, which acts change; `done` is what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.dashboards.fake_held import iso

TEMPLATES = [
    {"name": "high-value", "label": "Orders above 100,000 EUR that are stuck", "when": {}, "above": "100000", "currency": "EUR",
     "states": ["failing", "late", "diverging"], "deliver": "at_once"},
    {"name": "strategic-daily", "label": "Orders of strategic customers, once a day", "when": {"customer_tier": "strategic"},
     "above": "", "currency": "", "states": [], "deliver": "daily"},
]  # fmt: skip
WISH = {"label": "", "when": {}, "above": "", "currency": "", "states": [], "channel": "inbox", "address": "",
        "deliver": "at_once", "daily_at": "07:30", "quiet": {}, "zone": "Europe/Berlin"}  # fmt: skip


@dataclass
class Subscriptions:
    now: Callable[[], datetime]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: list[tuple[str, str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.put("s1", "ana", label="Late orders of <ACME>", when={"customer_id": ["ACME", "Umbra Optics"], "stage": "ship-to-invoice"},
                 states=["late"], quiet={"mon-fri": ["22:00-07:00"]}, told=3, told_at=iso(self.now() - timedelta(hours=2)))  # fmt: skip
        self.put("s2", "ana", label="DHL by mail", when={"partner": "DHL"}, channel="mailto", address="ana@example.com",
                 deliver="daily", state="waiting")  # fmt: skip

    def put(self, subscription_id: str, owner: str, **more: Any) -> dict[str, Any]:
        at = iso(self.now() - timedelta(days=2))
        row = {"subscription_id": subscription_id, "owner": owner, **WISH, "state": "active", "created_at": at,
               "confirmed_at": None, "ended_at": None, "ended_by": "", "told": 0, "told_at": None, **more}  # fmt: skip
        self.rows[subscription_id] = row
        return row

    def listed(self, _request: Request, _known: Any) -> Response:
        live = [r for r in self.rows.values() if r["state"] != "ended"]
        return JSONResponse(
            {"subscriptions": live, "allow": ["inbox", "mailto"], "currency": "EUR", "templates": TEMPLATES}
        )

    async def create(self, request: Request, known: Any) -> Response:
        body = await request.json()
        self.done.append((known[0], "create", body))
        state = "active" if body["channel"] == "inbox" else "waiting"
        return JSONResponse(self.put(f"n{len(self.rows)}", known[0], **body, state=state), 201)

    async def one(self, request: Request, known: Any) -> Response:
        row = self.rows.get(request.path_params["id"])
        if row is None:
            return JSONResponse({"title": "Not Found", "detail": "there is none", "code": "not_found"}, 404)
        if request.method == "PUT":
            body = await request.json()
            self.done.append((known[0], "change", body))
            row |= body
        if request.method == "DELETE":
            self.done.append((known[0], "end", row["subscription_id"]))
            row |= {"state": "ended", "ended_by": known[0]}
        sent = {"at": iso(self.now() - timedelta(hours=2)), "reason": "new", "channel": "inbox", "state": "sent", "detail": "",
                "title": "P1 ship-to-invoice: 2 open, 184,200 EUR at risk (first notice)"}  # fmt: skip
        return JSONResponse({**row, "sent": [sent] * row["told"]})

    async def preview(self, request: Request, _known: Any) -> Response:
        body = await request.json()
        if body["above"] and not body["above"].replace(".", "").isdigit():
            return JSONResponse(
                {"title": "Bad Request", "detail": f"above: {body['above']!r} is no amount above 0", "code": "x"}, 400
            )
        latest = [
            {"at": iso(self.now() - timedelta(hours=7 * n)), "reason": "new", "orders": ["SO-1"], "held": n == 3,
             "title": f"P{n} ship-to-invoice erp: {n} open, {n}84,200 EUR at risk (first notice)"}
            for n in (1, 2, 3)
        ]  # fmt: skip
        days = [{"day": "2026-11-20", "notices": 3}, {"day": "2026-11-21", "notices": 1}]
        return JSONResponse(
            {"notices": 4, "held_back": 1, "orders": 9, "per_day": days, "latest": latest, "whole": True}
        )

    async def letter(self, request: Request) -> Response:
        purpose, token = request.url.path.rpartition("/")[2], request.query_params.get("token", "")
        if not token:
            return JSONResponse({"title": "Bad Request", "detail": "token: missing", "code": "invalid_request"}, 400)
        self.done.append(("link", f"{request.method} {purpose}", token))
        button = '<form method="post"><button>Yes</button></form>' if request.method == "GET" else "Done"
        return HTMLResponse(f"<h1>{purpose}</h1>{button}", 200 if token != "old" else 400)

    def routes(self, guarded: Callable[..., Any]) -> list[Route]:
        path = "/v1/subscriptions"
        return [
            Route(path, guarded(self.listed)),
            Route(path, guarded(self.create), methods=["POST"]),
            Route(f"{path}/preview", guarded(self.preview), methods=["POST"]),
            *(Route(f"{path}/{name}", self.letter, methods=["GET", "POST"]) for name in ("confirm", "unsubscribe")),
            Route(f"{path}/{{id}}", guarded(self.one), methods=["GET", "PUT", "DELETE"]),
        ]
