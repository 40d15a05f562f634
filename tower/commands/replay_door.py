"""`/v1/quarantine/{id}/replay`, `/dry-run` and `/discard`: give a held message another try, look first, or let it go.

An event goes through the public door again with the caller's own key, so the same checks hold as for any sender; a
native message is read again from what was kept of it. The audit knows of each before it happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import httpx
import msgspec
from fastapi import APIRouter, Body, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.routing import BaseRoute

from collector.raw.again import Again
from tower.api.auth import Caller
from tower.api.docs import problems
from tower.api.wire import Json
from tower.commands.raw_wire import outcome_json
from tower.model.problem import Problem
from tower.store.audit import Entry
from tower.store.client import Store
from tower.store.sql import load

Record = Callable[[Sequence[Entry]], None]
QuarantineId = Annotated[int, Path(ge=0, lt=2**64)]


class Reason(BaseModel):
    """Why a message is let go."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "a test of the shop's"}})
    reason: Annotated[str, Field(max_length=1000)] = ""


def replay_routes(store: Store, again: Again, record: Record) -> list[BaseRoute]:
    """Return the routes."""
    router = APIRouter(tags=["quarantine"])

    @router.post(
        "/v1/quarantine/{quarantine_id}/replay",
        summary="Give a held message another try",
        responses=problems(404, 409, 503),
    )
    async def replay(request: Request, who: Caller, quarantine_id: QuarantineId) -> Response:
        """Answer what the door answers; the message counts as replayed once it is taken without a complaint."""
        text, raw_id = await asyncio.to_thread(_held, store, quarantine_id)
        await asyncio.to_thread(record, [entry(who.name, "replay", f"quarantine/{quarantine_id}", raw_id=raw_id)])
        if raw_id:
            return Json(await asyncio.to_thread(_reread, again, raw_id))
        reply = await send_again(request, text)
        if taken(reply):
            await asyncio.to_thread(mark, store, quarantine_id, "replayed")
        return Response(reply.content, reply.status_code, media_type=reply.headers.get("Content-Type"))

    @router.post(
        "/v1/quarantine/{quarantine_id}/dry-run",
        summary="Look what a held native message would become",
        responses=problems(404, 409),
    )
    def dry_run(who: Caller, quarantine_id: QuarantineId) -> Response:
        """Read the message with the mappings on disk and show the events it would make. Nothing is changed."""
        _, raw_id = _held(store, quarantine_id)
        if not raw_id:
            raise Problem(409, "not_native", f"message {quarantine_id} is an event of the tower's own form; replay it")
        record([entry(who.name, "dry_run", f"quarantine/{quarantine_id}", raw_id=raw_id)])
        return Json({"raw_id": raw_id, "documents": [outcome_json(o) for o in again.preview(raw_id)]})

    @router.post(
        "/v1/quarantine/{quarantine_id}/discard",
        status_code=204,
        summary="Let a held message go",
        responses=problems(404, 409),
    )
    def discard(who: Caller, quarantine_id: QuarantineId, why: Annotated[Reason | None, Body()] = None) -> None:
        """Keep the row with the reason, but show it no longer among the open ones."""
        _held(store, quarantine_id, body=False)
        reason = why.reason if why is not None else ""
        record([entry(who.name, "discard", f"quarantine/{quarantine_id}", why=reason)])
        mark(store, quarantine_id, "discarded", reason)

    return list(router.routes)


def entry(actor: str, act: str, subject: str, *, why: str = "", **detail: object) -> Entry:
    """Return the audit entry of an act of a person at this moment; each act is one of its own."""
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    return Entry(actor, act, f"{subject}@{at}", why, {k: v for k, v in detail.items() if v})


def _reread(again: Again, raw_id: str) -> dict[str, object]:
    """Read a kept message again and answer in the words of the events door."""
    done = again.replay([raw_id])
    if done.unreadable:
        raise Problem(409, "body_gone", f"the body of message {raw_id} was emptied; it can only be discarded")
    return {
        "accepted": done.new + done.changed,
        "duplicate": done.unchanged,
        "quarantined": done.quarantined,
        "rejected": [],
    }


def _held(store: Store, quarantine_id: int, *, body: bool = True) -> tuple[str, str]:
    """Return text and raw id of an open message. Raises Problem."""
    with store.reader() as client:
        rows = client.query(load("quarantine_held"), parameters={"id": quarantine_id}).result_rows
    if not rows:
        raise Problem(404, "not_found", f"there is no message {quarantine_id} in quarantine")
    state, text, raw_id = rows[0]
    if state != "open":
        raise Problem(409, "not_open", f"message {quarantine_id} was {state} already")
    if body and not text and not raw_id:
        raise Problem(409, "body_gone", f"the body of message {quarantine_id} was emptied; it can only be discarded")
    return str(text), str(raw_id)


async def send_again(request: Request, text: str) -> httpx.Response:
    """Send an event through the public door with the key of the request and return the door's answer."""
    headers = {"Authorization": request.headers["Authorization"], "Content-Type": "application/cloudevents+json"}
    transport = httpx.ASGITransport(app=request.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
        return await client.post("/v1/events", content=text, headers=headers)


def taken(reply: httpx.Response) -> bool:
    """Return whether the door took the one event it was sent."""
    counts = msgspec.json.decode(reply.content) if reply.is_success else {}
    return bool(counts.get("accepted") or counts.get("duplicate"))


def mark(store: Store, quarantine_id: int, state: str, note: str = "") -> None:
    """Give a held message another state."""
    with store.writer() as client:
        client.command(load("quarantine_mark"), parameters={"id": quarantine_id, "state": state, "note": note})
