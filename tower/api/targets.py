"""/v1/targets: where actions go, how each target is, and whether the tower lets calls through to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from rules.model import Target
from tower.actions.breaker import CLOSED, COLUMNS, TargetState
from tower.api.auth import Caller, Context
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.wire import Json, instant, records
from tower.model.problem import Problem
from tower.store.sql import load

router = APIRouter()
_ANSWERS = 5
_EXAMPLE = {
    "targets": [
        {
            "name": "middleware", "kind": "http", "url": "http://127.0.0.1:9000", "auth": "bearer", "timeout_s": 10.0,
            "actions": ["retry-invoice"], "health": "failing",
            "said": "503 Service Unavailable", "well_at": "2026-11-23T09:41:07.120Z",
            "failed_at": "2026-11-23T09:59:31.004Z", "unreached_since": None,
            "breaker": {"state": "open", "failures": 5, "opens_at": 5, "opened_at": "2026-11-23T09:59:31.004Z",
                        "retry_at": "2026-11-23T10:00:01.004Z"},
            "limits": [{"calls": 500, "seconds": 3600, "used": 37}], "waiting": 12, "probe": "/healthz",
            "answers": [{"at": "2026-11-23T09:59:30.991Z", "verdict": "unknown", "status": 503, "took_ms": 13,
                         "said": "503 Service Unavailable"}],
        }
    ],
    "as_of": "2026-11-23T10:00:00.000Z",
}  # fmt: skip


@router.get("/v1/targets", summary="Where actions go, and how it is there", responses=answers(_EXAMPLE))
def list_targets(context: Context, _: Caller) -> Response:
    """List the targets of the rulebook with breaker, limits, last answers and the actions that use them.

    health is well, failing (its last call failed), unreachable (no call got through), or unknown (never called).
    waiting counts items that are due there. Never a secret or its name.
    """
    now = context.clock()
    book = context.book()
    windows = sorted({limit.seconds for t in book.targets.values() for limit in t.limits})
    parameters = {"now": now, "windows": windows, "answers": _ANSWERS, "since": now - timedelta(days=1)}
    with context.store.reader() as client:
        states = client.query(load("target_states").replace("$columns", ", ".join(COLUMNS))).result_rows
        calls = client.query(load("api_target_calls"), parameters=parameters)
        rows = client.query(load("api_target_waiting"), parameters={"now": now}).result_rows
    waiting = {str(row[0]): int(row[1]) for row in rows}
    known = {row[0]: TargetState(*row) for row in states}
    lately = {r["target"]: r for r in (dict(zip(calls.column_names, row, strict=True)) for row in calls.result_rows)}
    actions = {name: [a.id for a in book.actions if a.target == name] for name in book.targets}
    targets = [
        {
            **_promise(t),
            "actions": actions[t.name],
            **_state(t, known.get(t.name) or TargetState(t.name)),
            **_calls(t, lately.get(t.name, {}), windows),
            "waiting": waiting.get(t.name, 0),
        }
        for t in book.targets.values()
    ]
    return Json({"targets": targets, "as_of": instant(now)})


@router.post(
    "/v1/targets/{name}/probe",
    status_code=202,
    summary="Ask a target whether it is well",
    responses=answers({"target": "middleware", "asked_at": "2026-11-23T10:00:00.000Z"}, 404, status=202),
)
def probe_target(
    request: Request, context: Context, actor: Caller, name: Annotated[str, Path(max_length=80)]
) -> Response:
    """Store the wish; the engine asks with the target's probe, or a HEAD of its address, which has no effect there.

    The answer shows in GET /v1/targets. An answer of a target that was left alone lets calls through again.
    """
    if name not in context.book().targets:
        raise Problem(404, "not_found", f"the rulebook has no target {name!r}")
    now = context.clock()
    _ask(context, name, now, actor.name)
    request.app.state.clicks.add()
    context.progress.ring()
    return Json({"target": name, "asked_at": instant(now)}, status_code=202)


def _ask(context: ApiContext, name: str, now: datetime, actor: str) -> None:
    with context.store.writer() as client:
        client.insert("target_probes", [[name, now, actor]], column_names=["target", "asked_at", "asked_by"])


def _promise(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "kind": target.kind,
        "url": target.url,
        "auth": target.way_in or None,
        "timeout_s": target.timeout_s,
        "probe": target.probe,
    }


def _state(target: Target, known: TargetState) -> dict[str, Any]:
    return {
        "health": _health(known),
        "said": known.said,
        "well_at": instant(known.well_at),
        "failed_at": instant(known.failed_at),
        "unreached_since": instant(known.unreached_since),
        "breaker": {
            "state": known.state,
            "failures": known.failures,
            "opens_at": target.breaker.failures,
            "opened_at": instant(known.opened_at),
            "retry_at": instant(known.retry_at),
        },
    }


def _health(known: TargetState) -> str:
    if known.unreached_since is not None:
        return "unreachable"
    if known.state != CLOSED or known.failures:
        return "failing"
    return "well" if known.well_at is not None else "unknown"


def _calls(target: Target, lately: dict[str, Any], windows: list[int]) -> dict[str, Any]:
    used = dict(zip(windows, lately.get("used") or [0] * len(windows), strict=True))
    names = ("at", "verdict", "status", "took_ms", "said")
    return {
        "limits": [{"calls": x.calls, "seconds": x.seconds, "used": used[x.seconds]} for x in target.limits],
        "answers": records(names, lately.get("answers") or []),
    }
