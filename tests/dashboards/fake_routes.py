"""The fake tower's API: the same paths, shapes and refusals as the tower's."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.dashboards import fake_value
from tests.dashboards.fake_acts import act
from tests.dashboards.fake_feeds import feeds
from tests.dashboards.fake_jeopardy import jeopardy
from tests.dashboards.fake_order import order as find
from tests.dashboards.fake_rows import Rows
from tests.dashboards.fake_why import evidence
from tests.dashboards.fake_words import ARROW, COLUMNS, STAGES, TARGETS, iso, now


def with_curves(told: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with a curve for each stage that has none."""
    known = {c["rule"] for c in told["curves"]}
    more = [
        {**told["curves"][0], "rule": s[0], "segment": "", "median_s": s[6] // 5, "p90_s": s[6] * 6 // 10,
         "p95_s": s[6] * (7 + n % 5) // 10 // 60 * 60, "budget_s": s[6]}
        for n, s in enumerate(STAGES) if s[0] not in known
    ]  # fmt: skip
    return {**told, "curves": [*told["curves"], *more]}


def application(tower: Rows) -> Starlette:
    """Return the API over one tower."""

    def problem(status: int, detail: str) -> Response:
        return JSONResponse(
            {"status": status, "title": "", "code": "x", "detail": detail},
            status,
            media_type="application/problem+json",
        )

    def guarded(handler: Any, role: str = "viewer") -> Any:
        async def run(request: Request) -> Response:
            known = tower.keys.get(request.headers.get("authorization", "").removeprefix("Bearer "))
            if known is None:
                return problem(401, "send a live key as `Authorization: Bearer <token>`")
            if role == "operator" and not {"operator", "admin"} & set(known[1]):
                return problem(403, f"this needs the role {role}; the key {known[0]!r} does not have it")
            if request.url.path in tower.closed:
                return problem(403, f"the key {known[0]!r} sees orders and messages of its partner only")
            request.state.name = known[0]
            tower.settle()
            result = handler(request, known)
            return await result if hasattr(result, "__await__") else result

        return run

    def me(_: Request, known: Any) -> Response:
        return JSONResponse({"name": known[0], "roles": known[1]})

    def orders(request: Request, _: Any) -> Response:
        q = request.query_params
        with tower.lock:
            found = tower.select(q)
            rows = [tower.live(r) for r in found[: int(q.get("limit", 100))]]
        total = {
            "total": str(len(found)),
            "value_total": str(sum((r["value_at_risk"] for r in found), Decimal(0))),
            "as_of": iso(now()) or "",
            "next_cursor": "",
        }
        arrow = ARROW in request.headers.get("accept", "")
        steady = [[str(v) for k, v in r.items() if k not in ("age_s", "overdue_s", "used_s")] for r in rows]
        tag = 'W/"' + hashlib.sha256(json.dumps([steady, total["total"], arrow]).encode()).hexdigest()[:24] + '"'
        headers = {"ETag": tag, "Vary": "Accept, Authorization"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if arrow:
            schema = pa.schema(list(COLUMNS.items()), metadata=total)
            table = pa.Table.from_arrays(
                [pa.array([r[n] for r in rows], type=t) for n, t in COLUMNS.items()], schema=schema
            )
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, schema) as writer:
                writer.write_table(table)
            return Response(bytes(sink.getvalue()), media_type=ARROW, headers=headers)
        plain = [
            {k: iso(v) if isinstance(v, datetime) else str(v) if isinstance(v, Decimal) else v for k, v in r.items()}
            for r in rows
        ]
        return JSONResponse({"orders": plain, **total, "total": len(found)}, headers=headers)

    def order(request: Request, _: Any) -> Response:
        body = find(tower, request.path_params["id"])
        return JSONResponse(body) if body else problem(404, "there is no order with this id")

    def why(request: Request, _: Any) -> Response:
        body = find(tower, request.path_params["id"])
        rule = request.query_params.get("rule") or ""
        if body is None or rule not in {stage[0] for stage in STAGES}:
            return problem(404, "there is no order or rule of this id")
        stage = next(stage for stage in STAGES if stage[0] == rule)
        return JSONResponse(evidence({**body, "order_id": request.path_params["id"]}, rule, stage[:5], now()))

    async def post_action(request: Request, known: Any) -> Response:
        key = request.headers.get("idempotency-key", "")
        if not key:
            return problem(400, "send an Idempotency-Key")
        dry = request.query_params.get("dry_run") == "true"
        await asyncio.sleep(tower.slow_s)
        reply = act(tower, known[0], key, await request.json(), dry_run=dry)
        return JSONResponse(reply, 200 if dry else 202)

    def list_actions(request: Request, __: Any) -> Response:
        wanted = request.query_params.get("state")
        heads = [b for b in tower.batches.rows if wanted in (None, b["state"])]
        for action in tower.actions:
            counts: dict[str, int] = {}
            for item in action["items"]:
                counts[item["state"]] = counts.get(item["state"], 0) + 1
            heads.append({**{k: v for k, v in action.items() if k != "items"}, "counts": counts})
        return JSONResponse({"actions": heads, "next_cursor": None})

    def show_action(request: Request, _: Any) -> Response:
        batch = next((b for b in tower.batches.rows if b["action_id"] == request.path_params["id"]), None)
        if batch is not None:
            return JSONResponse(batch)
        action = next((a for a in tower.actions if a["action_id"] == request.path_params["id"]), None)
        if action is None:
            return problem(404, "there is no such action")
        return JSONResponse(
            {**action, "items": [{k: v for k, v in i.items() if not k.startswith("_")} for i in action["items"]]}
        )

    async def step(request: Request, known: Any) -> Response:
        reason = (await request.json())["reason"]
        moved = tower.batches.say(known[0], request.path_params["id"], request.path_params["step"], reason)
        return JSONResponse(moved) if moved else problem(404, "there is no such action")

    def audit(request: Request, _: Any) -> Response:
        if request.query_params.get("format") == "csv":
            return Response("seq,at,actor\n", media_type="text/csv")
        return JSONResponse(tower.batches.audit(request.query_params))

    def probe(request: Request, _: Any) -> Response:
        tower.probed.append(request.path_params["name"])
        return JSONResponse({"target": request.path_params["name"]}, 202)

    def held(request: Request, _: Any) -> Response:
        wanted = {k: request.query_params[k] for k in ("reason", "connection") if request.query_params.get(k)}
        rows = tower.held.open(**wanted)[: int(request.query_params.get("limit", 100))]
        return JSONResponse({"quarantine": rows, "next_cursor": None})

    def held_groups(request: Request, _: Any) -> Response:
        return JSONResponse(tower.held.groups(request.query_params.get("connection", "")))

    def held_one(request: Request, known: Any) -> Response:
        persons = request.query_params.get("persons") == "true"
        if persons and "operator" not in known[1]:
            return problem(403, "to see what tells of people the key needs the role operator")
        found = tower.held.one(known[0], request.path_params["id"], persons=persons)
        return JSONResponse(found) if found else problem(404, "there is no such message in quarantine")

    async def held_act(request: Request, known: Any) -> Response:
        body = await request.json()
        await asyncio.sleep(tower.slow_s)
        return JSONResponse(tower.held.act(known[0], request.path_params["act"], body["ids"], body["reason"]))

    def held_dry_run(request: Request, _: Any) -> Response:
        return JSONResponse(tower.held.dry_run(request.path_params["id"]))

    async def link(request: Request, _: Any) -> Response:
        body = await request.json()
        if body["to"].endswith("SO-NONE"):
            return problem(400, "no order of that name was heard of")
        tower.held.link(body)
        return JSONResponse({"event_id": "x"})

    def rules(_: Request, __: Any) -> Response:
        stages = [{"id": s[0], "label": s[1], "from": s[2], "to": s[3], "within_s": s[6]} for s in STAGES]
        changes = ["stage ship-to-invoice: limit was within 4h, is within 2h"]
        at = "2026-11-02T06:00:00.000Z"
        versions = [{"hash": "3f9a12c0", "loaded_at": at, "in_force": True, "cause": "book", "changes": changes}]
        milestones = [
            {"milestone": s[3], "object": "order", "means": "",
             "authority": [{"kind": k, "when": [], "connections": [f"{k}-main"]} for k in s[4]]}
            for s in STAGES
        ]  # fmt: skip
        acts = [
            {"id": "retry-any", "kind": "retry", "stage": "any", "target": "middleware"},
            {"id": "cancel-any", "kind": "cancel", "stage": "any", "target": "erp",
             "verify": {"milestone": "order_cancelled", "within_s": 300}},
        ]  # fmt: skip
        told = {"hash": "3f9a12c0", "currency": "EUR", "stages": stages, "versions": versions, "milestones": milestones}
        return JSONResponse({**told, "actions": acts})

    def stages(request: Request, _: Any) -> Response:
        tower.looked.append(dict(request.query_params))
        return JSONResponse(tower.stages())

    async def rules_test(_: Request, __: Any) -> Response:
        examples = [
            {"name": "goods at nine, no invoice by eleven", "ok": True, "detail": ""},
            {"name": "invoice in time", "ok": False, "detail": "expected late, found on_track"},
        ]
        return JSONResponse({"book": "3f9a12c0", "held": 1, "of": 2, "examples": examples})

    def rules_sql(request: Request, _: Any) -> Response:
        rule = request.query_params["rule"]
        return JSONResponse({"rule": rule, "steps": [{"table": "judged_runs", "sql": f"/* stage: {rule} */ SELECT 1"}]})

    async def backtest(request: Request, _: Any) -> Response:
        tower.asked.append(await request.json())
        rule = {"rule": STAGES[0][0], "kind": "late", "gained": 3, "lost": 0, "differently": 1, "same": 7,
                "gained_value": "1200.00", "lost_value": "0.00", "lead_p50_s": -3600}  # fmt: skip
        order = {"order_id": next(iter(tower.rows)), "rule": rule["rule"], "kind": "late", "object_id": "S1", "change": "gained",
                 "old_opened_at": None, "new_opened_at": "2026-11-20T09:00:00.000Z", "value": "400.00"}  # fmt: skip
        outcome = {"changed_rules": [rule["rule"]], "gained": 3, "lost": 0, "differently": 1, "busiest_day": 2, "seconds": 0.4,
                   "since": "2026-08-25T10:00:00.000Z", "rules": [rule], "orders": [order]}  # fmt: skip
        return JSONResponse({"id": "b1", "state": "done", "outcome": outcome, "error": ""})

    return Starlette(
        routes=[
            Route("/v1/me", guarded(me)),
            Route("/v1/orders", guarded(orders)),
            Route("/v1/orders/{id}", guarded(order)),
            Route("/v1/orders/{id}/why", guarded(why)),
            Route("/v1/feeds", guarded(lambda _r, _k: JSONResponse(tower.feeds or feeds(now())))),
            Route("/v1/roi", guarded(lambda _r, _k: JSONResponse(tower.roi))),
            Route("/v1/roi/orders", guarded(lambda _r, _k: JSONResponse(fake_value.BEHIND))),
            Route("/v1/quarantine", guarded(held)),
            Route("/v1/quarantine/groups", guarded(held_groups)),
            Route("/v1/quarantine/{id}/dry-run", guarded(held_dry_run, "operator"), methods=["POST"]),
            Route("/v1/quarantine/{act}", guarded(held_act, "operator"), methods=["POST"]),
            Route("/v1/quarantine/{id}", guarded(held_one)),
            Route("/v1/orphans", guarded(lambda r, _k: JSONResponse(tower.held.find_orphans(r.query_params)))),
            Route("/v1/links", guarded(link, "operator"), methods=["POST"]),
            Route("/v1/alerts", guarded(tower.alerts.listed)),
            Route("/v1/alerts/scorecard", guarded(tower.alerts.scorecard)),
            Route("/v1/alerts/{id}", guarded(tower.alerts.one)),
            Route("/v1/alerts/{id}/ack", guarded(tower.alerts.ack, "operator"), methods=["POST"]),
            Route("/v1/silences", guarded(tower.alerts.silence, "operator"), methods=["POST"]),
            *tower.subscriptions.routes(guarded),
            Route("/v1/jeopardy", guarded(lambda _r, _k: JSONResponse(with_curves(jeopardy(now()))))),
            Route("/v1/rules/backtest", guarded(backtest, "operator"), methods=["POST"]),
            Route("/v1/rules/test", guarded(rules_test, "operator"), methods=["POST"]),
            Route("/v1/rules/sql", guarded(rules_sql)),
            Route("/v1/stages", guarded(stages)),
            Route("/v1/groups", guarded(lambda _r, _k: JSONResponse(tower.groups()))),
            Route("/v1/actions", guarded(post_action, "operator"), methods=["POST"]),
            Route("/v1/actions", guarded(list_actions)),
            Route("/v1/actions/{id}", guarded(show_action)),
            Route("/v1/actions/{id}/{step}", guarded(step), methods=["POST"]),
            Route("/v1/audit", guarded(audit)),
            Route("/v1/targets", guarded(lambda _r, _k: JSONResponse({"targets": TARGETS}))),
            Route("/v1/targets/{name}/probe", guarded(probe), methods=["POST"]),
            Route("/v1/rules", guarded(rules)),
        ]
    )
