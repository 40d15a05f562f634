"""`/v1/quarantine` for one message with its body, and for acts on many at once.

Secrets are covered for everybody. What tells of people is covered, too, unless an operator asks to see it, which the
audit knows before it is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.routing import BaseRoute

from collector.raw.again import Again
from tower.api.auth import Caller
from tower.api.docs import problems
from tower.api.wire import Json, records
from tower.commands.raw_wire import body_json, message_json
from tower.commands.replay_door import QuarantineId, Record, entry, mark, send_again, taken
from tower.model.problem import Problem
from tower.store.client import Store
from tower.store.sql import load

MOST = 500
_NO_BODY = {"encoding": "utf-8", "body": "", "truncated": False}


class Chosen(BaseModel):
    """Some held messages by id, and why something is done with them."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"ids": ["1234567890123456789"], "reason": "a test of theirs"}}
    )
    ids: Annotated[list[Annotated[int, Field(ge=0, lt=2**64)]], Field(min_length=1, max_length=MOST)]
    reason: Annotated[str, Field(max_length=1000)] = ""


def quarantine_routes(store: Store, again: Again, record: Record) -> list[BaseRoute]:
    """Return the routes; those on many messages come before the ones on a single one, whose paths they would fit."""
    router = APIRouter(tags=["quarantine"])

    @router.get(
        "/v1/quarantine/{quarantine_id}",
        summary="One message that could not be used, as it arrived",
        responses=problems(404),
    )
    def show(
        who: Caller,
        quarantine_id: QuarantineId,
        persons: Annotated[bool, Query(description="Show what tells of people; needs the role operator")] = False,
    ) -> Response:
        """Show the message with its body: secrets covered, people only for an operator who asks, which is audited."""
        if persons and not who.can("operator"):
            raise Problem(403, "forbidden", "to see what tells of people the key needs the role operator")
        row = _one(store, quarantine_id)
        if persons:
            record([entry(who.name, "read_raw", f"quarantine/{quarantine_id}", raw_id=row["raw_id"])])
        return Json({**row, **_body(again, row, persons=persons), "persons": persons})

    @router.post(
        "/v1/quarantine/replay", summary="Give some held messages another try", responses=problems(404, 409, 503)
    )
    async def replay(request: Request, who: Caller, chosen: Chosen) -> Response:
        """Answer per message: taken, held (still of no use), gone (settled before, or unknown) or no_body."""
        rows = await asyncio.to_thread(_many, store, chosen.ids)
        open_ = {i: rows[i] for i in chosen.ids if i in rows and rows[i][0] == "open"}
        await asyncio.to_thread(record, _noted(who.name, "replay", open_, chosen.reason))
        results = dict.fromkeys(chosen.ids, "gone")
        results |= {i: "held" if raw_id or text else "no_body" for i, (_, text, raw_id, _) in open_.items()}
        for i, (_, text, raw_id, _) in open_.items():
            if not raw_id and text and taken(await send_again(request, text)):
                await asyncio.to_thread(mark, store, i, "replayed", chosen.reason)
                results[i] = "taken"
        native = {i: raw_id for i, (_, _, raw_id, _) in open_.items() if raw_id}
        if native:
            done = await asyncio.to_thread(again.replay, list(dict.fromkeys(native.values())))
            after = await asyncio.to_thread(_many, store, list(native))
            gone = "no_body" if done.unreadable else "held"
            results |= {i: gone if after[i][0] == "open" or after[i][3] else "taken" for i in native}
        return _items(results)

    @router.post("/v1/quarantine/discard", summary="Let some held messages go")
    def discard(who: Caller, chosen: Chosen) -> Response:
        """Keep their rows with the reason, but show them no longer among the open ones: discarded or gone each."""
        rows = _many(store, chosen.ids)
        open_ = {i: rows[i] for i in chosen.ids if i in rows and rows[i][0] == "open"}
        record(_noted(who.name, "discard", open_, chosen.reason))
        for i in open_:
            mark(store, i, "discarded", chosen.reason)
        return _items({i: "discarded" if i in open_ else "gone" for i in chosen.ids})

    return list(router.routes)


def _one(store: Store, quarantine_id: int) -> dict[str, Any]:
    with store.reader() as client:
        found = client.query(load("quarantine_one"), parameters={"id": quarantine_id})
    if not found.result_rows:
        raise Problem(404, "not_found", f"there is no message {quarantine_id} in quarantine")
    return records(found.column_names, found.result_rows)[0]


def _body(again: Again, row: dict[str, Any], *, persons: bool) -> dict[str, Any]:
    """Return headers, query and body of a message, as far as they are kept; takes `raw` out of its row."""
    text = str(row.pop("raw"))
    if not row["raw_id"]:
        return {"headers": {}, "query": {}, "has_body": bool(text), **body_json(text.encode(), persons=persons)}
    try:
        message, body = again.kept(row["raw_id"])
    except Problem as problem:
        if problem.code not in ("body_gone", "not_found", "body_sealed"):
            raise
        return {"headers": {}, "query": {}, "has_body": False, "why_no_body": problem.detail, **_NO_BODY}
    shown = message_json(message, body, persons=persons)
    return {"has_body": True, **{name: shown[name] for name in ("headers", "query", "encoding", "body", "truncated")}}


_Row = tuple[str, str, str, bool]  # state, text, raw id, whether a part of the same native message is still open


def _many(store: Store, ids: Iterable[int]) -> dict[int, _Row]:
    with store.reader() as client:
        rows = client.query(load("quarantine_many"), parameters={"ids": list(ids)}).result_rows
    return {int(i): (str(state), str(text), str(raw_id), bool(held)) for i, state, text, raw_id, held in rows}


def _noted(actor: str, act: str, rows: dict[int, _Row], why: str) -> list[Any]:
    return [entry(actor, act, f"quarantine/{i}", why=why, raw_id=row[2]) for i, row in rows.items()]


def _items(results: dict[int, str]) -> Response:
    return Json({"items": [{"id": str(i), "result": result} for i, result in results.items()]})
