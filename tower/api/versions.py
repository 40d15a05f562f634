"""GET /v1/rules/versions: every rulebook that was in force, since when, and what it changed."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rules.diff import diff
from rules.errors import RulebookError
from rules.parse import parse_book
from tower.api.auth import Caller, Context
from tower.api.docs import answers
from tower.api.wire import Json, instant
from tower.store.client import Store
from tower.store.sql import load

router = APIRouter()
_EXAMPLE = {
    "versions": [
        {"hash": "d4e5f6", "loaded_at": "2026-11-23T10:00:00.000Z", "until": None, "in_force": True, "cause": "book",
         "changes": ["stage ship-to-invoice: limit was within 2h, is within 1h"]},
        {"hash": "a1b2c3", "loaded_at": "2026-11-02T06:00:00.000Z", "until": "2026-11-23T10:00:00.000Z",
         "in_force": False, "cause": "first", "changes": []},
    ]
}  # fmt: skip


class VersionQuery(BaseModel):
    """How many, and whether with their files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    text: Annotated[bool, Field(description="Also the YAML files")] = False


@router.get("/v1/rules/versions", summary="Rulebooks that were in force", responses=answers(_EXAMPLE, 400))
def list_versions(context: Context, _: Caller, query: Annotated[VersionQuery, Query()]) -> Response:
    """List versions, the latest first. cause: first, book (its text or dates), or connections (who has the word)."""
    return Json({"versions": versions_of(context.store, query.limit, text=query.text)})


def versions_of(store: Store, limit: int, *, text: bool = False) -> list[dict[str, Any]]:
    """Return versions as JSON, the latest first."""
    with store.reader() as client:
        rows = client.query(load("books_recent"), parameters={"limit": limit + 1}).result_rows
    found: list[dict[str, Any]] = []
    until: datetime | None = None
    for place, (book_hash, kinds, loaded_at, files) in enumerate(rows[:limit]):
        before = rows[place + 1] if place + 1 < len(rows) else None
        same = before is not None and before[0] == book_hash
        found.append(
            {
                "hash": book_hash, "loaded_at": instant(loaded_at), "until": instant(until), "in_force": place == 0,
                "cause": "first" if before is None else "connections" if same else "book",
                "changes": _connections(before[1], kinds)
                if before and same
                else _changes(before[3] if before else "", files, loaded_at),
                **({"files": json.loads(files)} if text else {}),
            }
        )  # fmt: skip
        until = loaded_at
    return found


def _connections(before: list[str], after: list[str]) -> list[str]:
    lines = [f"systems of kind {k} have no connection any more" for k in before if k not in after]
    return lines + [f"systems of kind {k} have a connection" for k in after if k not in before]


@lru_cache(maxsize=128)
def _changes(before: str, after: str, today: datetime) -> list[str]:
    """Return what a version changed; nothing for the first one, a sentence where it cannot be read any more."""
    if not before:
        return []
    try:
        old, new = parse_book(json.loads(before)), parse_book(json.loads(after))
    except RulebookError:
        return ["one of the two was written for another release and cannot be read any more"]
    return [d.text for d in diff(old, new, today)] or ["the dates that its calendars resolve to"]
