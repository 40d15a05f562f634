"""`POST /v1/links`: an operator ties two objects together, names them as one, or takes such a statement back."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response
from starlette.routing import BaseRoute

from collector.link_statement import LinkSaid
from tower.api.auth import Caller
from tower.api.docs import problems
from tower.api.wire import Json
from tower.commands.replay_door import Record, entry
from tower.model.problem import Problem
from tower.model.progress import Progress

_WAIT_S = 30.0
_EXAMPLE: JsonDict = {"from": "shipment:SH-1", "to": "order:SO-1", "retract": True, "reason": "picked for another"}
Say = Callable[[LinkSaid], int]


class LinkOrder(BaseModel):
    """What to state. Which object hangs from which follows from their types, except for two of one type."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _EXAMPLE})
    from_: Annotated[str, Field(alias="from", max_length=400, description="type:id")]
    to: Annotated[str, Field(max_length=400, description="type:id; for an alias the name it goes by")]
    relation: Annotated[str, Field(max_length=64, description="alias for two names of one object; else by type")] = ""
    retract: bool = False
    reason: Annotated[str, Field(min_length=3, max_length=1000)]


def link_routes(say: Say, progress: Progress, record: Record) -> list[BaseRoute]:
    """Return the route."""
    router = APIRouter(tags=["correlation"])

    @router.post("/v1/links", summary="Link two objects, or undo a link", responses=problems(404, 409, 503))
    async def link(who: Caller, order: LinkOrder) -> Response:
        """State a link before any system's word, audited first; answers once the orders it touches are judged anew."""
        said = LinkSaid(str(uuid.uuid4()), order.from_, order.to, order.relation, order.retract, order.reason)
        noted = entry(
            who.name, "unlink" if order.retract else "link", f"link/{said.id}", why=order.reason,
            child=order.from_, parent=order.to, relation=order.relation,
        )  # fmt: skip
        await asyncio.to_thread(record, [noted])
        position = await asyncio.to_thread(say, said)
        if not await asyncio.to_thread(progress.wait_judged, position, _WAIT_S):
            raise Problem(503, "not_judged_yet", "the statement is kept, but not judged yet", retry_after_s=2)
        return Json({"event_id": said.id})

    return list(router.routes)
