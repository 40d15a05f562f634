"""`POST /v1/roi/baseline`: an administrator locks the figures of a window as what later ones are compared with."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response
from starlette.routing import BaseRoute

from tower.api.auth import Caller
from tower.api.context import ApiContext
from tower.api.docs import problems
from tower.api.roi import Moment, figures_now
from tower.api.wire import Instant, Json
from tower.commands.replay_door import Record, entry
from tower.model.problem import Problem
from tower.value.baseline import Baseline, write_baseline

_EXAMPLE: JsonDict = {"from": "2026-09-28T00:00:00Z", "to": "2026-10-26T00:00:00Z", "reason": "go-live on 26 October"}


class BaselineOrder(BaseModel):
    """Which window. Without one, the book's baseline length up to now."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _EXAMPLE})
    since: Annotated[Instant | None, Field(alias="from")] = None
    until: Annotated[Instant | None, Field(alias="to")] = None
    reason: Annotated[str, Field(min_length=3, max_length=1000)]
    replace: Annotated[bool, Field(description="Another one is locked already and shall count no longer")] = False


def roi_routes(context: ApiContext, record: Record) -> list[BaseRoute]:
    """Return the route."""
    router = APIRouter(tags=["value"])

    @router.post("/v1/roi/baseline", summary="Lock a baseline", responses=problems(400, 409, 503))
    async def lock(who: Caller, order: BaselineOrder) -> Response:
        """Keep the figures of the window as they are known now, audited first. They are never reckoned again."""
        return Json(await asyncio.to_thread(_lock, context, record, who.name, order))

    return list(router.routes)


def _lock(context: ApiContext, record: Record, actor: str, order: BaselineOrder) -> dict[str, object]:
    now: datetime = context.clock()
    if order.until is not None and order.until > now:
        raise Problem(400, "invalid_request", "a baseline ends no later than now")
    window, figures, before = figures_now(context, Moment(since=order.since, until=order.until))
    if before is not None and not order.replace:
        when = f"{before.locked_at:%Y-%m-%d}"
        raise Problem(
            409, "baseline_locked", f"{before.locked_by} locked one on {when}; say replace to put this in its place"
        )
    if not figures["orders"]["value"]:
        raise Problem(409, "no_orders", "no order came in within this window, so there is nothing to compare with")
    book = context.book()
    baseline = Baseline(
        str(uuid.uuid4()), now, actor, order.reason, window.since, window.until, book.value.currency, book.hash,
        msgspec.json.encode(figures).decode(),
    )  # fmt: skip
    values = {name: figure["value"] for name, figure in figures.items()}
    replaces = before.baseline_id if before else ""
    record(
        [
            entry(
                actor, "lock_baseline", f"baseline/{baseline.baseline_id}", why=order.reason, replaces=replaces,
                since=window.since.isoformat(), until=window.until.isoformat(), book=book.hash, figures=values,
            )
        ]
    )  # fmt: skip
    write_baseline(context.store, baseline)
    return {**baseline.json(), "figures": figures}
