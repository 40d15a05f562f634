"""Whether the process lives and may be sent traffic. The only endpoints without a key."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from tower.api.auth import Context
from tower.api.docs import problems
from tower.api.wire import Json, instant
from tower.model.problem import Problem

router = APIRouter()
_EXAMPLE = {"status": "ok", "last_tick_at": "2026-11-23T10:00:00.000Z", "tick_s": 0.21, "rulebook": None}


@router.get(
    "/healthz",
    summary="Alive: the engine ticks",
    responses={200: {"content": {"application/json": {"example": _EXAMPLE}}}, **problems(503)},
)
def healthz(context: Context) -> Response:
    """Answer 503 once five ticks were missed, with the reason."""
    now = context.clock()
    health = context.engine_health(now)
    if not health.ok:
        raise Problem(503, "engine_silent", f"the engine stands still: {health.detail}", retry_after_s=5)
    return Json(
        {
            "status": "ok",
            "last_tick_at": instant(health.last_tick_at),
            "tick_s": health.tick_s,
            "rulebook": health.book_error or None,  # what is wrong with a new one; the last good one is in force
        }
    )


@router.get(
    "/readyz",
    summary="Ready: doors and store take work",
    responses={200: {"content": {"application/json": {"example": {"status": "ready"}}}}, **problems(503)},
)
def readyz(context: Context) -> Response:
    """Answer 503 while the doors would refuse or the store does not answer, with the reason."""
    stats = context.collector_stats()
    if not stats.ready:
        raise Problem(503, "not_ready", stats.reason or "the doors do not take events yet", retry_after_s=5)
    with context.store.reader() as client:
        client.query("SELECT 1")
    return Json({"status": "ready"})
