"""`POST /v1/quarantine/{id}/replay` and `/discard`: give a held message another try, or let it go.

A replay goes through the public door with the caller's own key, so the same checks hold as for any sender.
"""

from __future__ import annotations

import asyncio

import httpx
import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from tower.api.auth import Operator
from tower.model.problem import Problem
from tower.store.client import Store
from tower.store.sql import load


def replay_routes(store: Store) -> list[BaseRoute]:
    """Return the routes."""
    router = APIRouter(tags=["quarantine"])

    @router.post("/v1/quarantine/{quarantine_id}/replay", summary="Send a held message through the door again")
    async def replay(request: Request, _: Operator, quarantine_id: int) -> Response:
        """Answer what the door answered; the message counts as replayed once the door takes it without a complaint."""
        raw = await asyncio.to_thread(_held, store, quarantine_id)
        headers = {"Authorization": request.headers["Authorization"], "Content-Type": "application/cloudevents+json"}
        transport = httpx.ASGITransport(app=request.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            reply = await client.post("/v1/events", content=raw, headers=headers)
        counts = msgspec.json.decode(reply.content) if reply.is_success else {}
        if counts.get("accepted") or counts.get("duplicate"):
            await asyncio.to_thread(_mark, store, quarantine_id, "replayed")
        return Response(reply.content, reply.status_code, media_type=reply.headers.get("Content-Type"))

    @router.post("/v1/quarantine/{quarantine_id}/discard", status_code=204, summary="Let a held message go")
    def discard(_: Operator, quarantine_id: int) -> None:
        """Keep the row, but show it no longer among the open ones."""
        _held(store, quarantine_id, body=False)
        _mark(store, quarantine_id, "discarded")

    return list(router.routes)


def _held(store: Store, quarantine_id: int, *, body: bool = True) -> str:
    with store.reader() as client:
        rows = client.query(load("quarantine_held"), parameters={"id": quarantine_id}).result_rows
    if not rows:
        raise Problem(404, "not_found", f"there is no message {quarantine_id} in quarantine")
    state, raw = rows[0]
    if state != "open":
        raise Problem(409, "not_open", f"message {quarantine_id} was {state} already")
    if body and not raw:
        raise Problem(409, "body_gone", f"the body of message {quarantine_id} was emptied; it can only be discarded")
    return str(raw)


def _mark(store: Store, quarantine_id: int, state: str) -> None:
    with store.writer() as client:
        client.command(load("quarantine_mark"), parameters={"id": quarantine_id, "state": state})
