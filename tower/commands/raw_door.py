"""`/v1/raw`: kept native messages for operators. A body is shown only after the audit knows who asked for it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response
from starlette.routing import BaseRoute

from collector.contracts.drift import Drift
from collector.raw.again import Again, Reread
from tower.api.auth import Caller
from tower.api.docs import problems
from tower.api.wire import Json
from tower.commands.raw_wire import message_json, outcome_json
from tower.commands.replay_door import Record, entry
from tower.model.problem import Problem

_MOST = 1000


class ReplayOrder(BaseModel):
    """Which messages to read again: some by id, those behind an order, or all of a connection."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"connection": "shop-eu", "reason": "the mapping was mended"}}
    )
    raw_ids: Annotated[list[str], Field(max_length=_MOST)] = Field(default_factory=list)
    connection: str = ""
    order_id: Annotated[str, Field(max_length=1000)] = ""
    reason: Annotated[str, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def _one_of_them(self) -> ReplayOrder:
        if sum(map(bool, (self.raw_ids, self.connection, self.order_id))) != 1:
            raise ValueError("name raw_ids, an order_id or a connection, one of them")
        return self


class Acceptance(BaseModel):
    """What has drifted and is right so."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"connection": "shop-eu"}})
    connection: Annotated[str, Field(min_length=1)]
    topic: str = ""
    reason: Annotated[str, Field(max_length=1000)] = ""


def raw_routes(again: Again, drift: Drift, record: Record) -> list[BaseRoute]:
    """Return the routes."""
    router = APIRouter(tags=["raw"])

    @router.get("/v1/raw/{raw_id}", summary="One kept message as it arrived", responses=problems(404, 409))
    def show(who: Caller, raw_id: str) -> Response:
        """Show headers, query and body, secrets hidden. The reading is audited before it is answered."""
        message, body = again.kept(raw_id)
        record([entry(who.name, "read_raw", f"raw/{raw_id}", connection=message.connection)])
        return Json(message_json(message, body))

    @router.post(
        "/v1/raw/{raw_id}/dry-run", summary="Look what a kept message would become", responses=problems(404, 409)
    )
    def dry_run(who: Caller, raw_id: str) -> Response:
        """Read the message with the mappings on disk and show the events it would make. Nothing is changed."""
        record([entry(who.name, "dry_run", f"raw/{raw_id}")])
        return Json({"raw_id": raw_id, "documents": [outcome_json(o) for o in again.preview(raw_id)]})

    @router.post(
        "/v1/raw/replay", summary="Read kept messages again and let that count", responses=problems(404, 409, 503)
    )
    async def replay(who: Caller, order: ReplayOrder) -> Response:
        """Read messages with the mappings on disk: what differs supersedes. Of a whole connection, what is no longer
        said is withdrawn, too. Answers when everything is stored; a long reading goes on if nobody waits for it.
        """
        ids = order.raw_ids
        if order.order_id:
            ids = await asyncio.to_thread(again.of_order, order.order_id)
            if not ids:
                raise Problem(404, "not_found", f"no message is kept that {order.order_id!r} came from")
        what = f"connection/{order.connection}" if order.connection else f"raw/{ids[0]}"
        if order.order_id:
            what = f"order/{order.order_id}"
        noted = entry(who.name, "replay_raw", what, why=order.reason, raw_ids=ids)
        await asyncio.to_thread(record, [noted])
        if order.connection:
            return _told(await asyncio.to_thread(again.replay_connection, order.connection))
        return _told(await asyncio.to_thread(again.replay, ids))

    @router.post(
        "/v1/drift/accept", summary="Take what has drifted as it is from now on", responses=problems(404, 409, 503)
    )
    def accept(who: Caller, what: Acceptance) -> Response:
        """Accept all changes of a connection, or of one kind of its messages."""
        subject = f"connection/{what.connection}" + (f"/{what.topic}" if what.topic else "")
        record([entry(who.name, "accept_drift", subject, why=what.reason)])
        return Json({"accepted": drift.accept(what.connection, what.topic)})

    return list(router.routes)


def _told(done: Reread) -> Response:
    return Json({name: getattr(done, name) for name in Reread.__slots__})
