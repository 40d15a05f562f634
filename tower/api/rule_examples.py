"""POST /v1/rules/test: the examples that a rulebook carries, run beside the live store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from rules.model import Book
from tower.api.auth import Caller, Context
from tower.api.book_choice import BookChoice, chosen
from tower.api.context import ApiContext
from tower.api.docs import answers
from tower.api.wire import Json
from tower.engine.examples import ExampleResult, run_examples
from tower.model.problem import Problem
from tower.store.client import Store
from tower.store.migrate import migrate

router = APIRouter()
_RUNNING = threading.Lock()
_EXAMPLE: dict[str, Any] = {
    "book": "a1b2c3", "held": 11, "of": 12,
    "examples": [{"name": "invoice two hours after the goods", "ok": False, "detail": "state: late, found on_track"}],
}  # fmt: skip


class WantedTest(BaseModel):
    """Whose examples."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"book": {"version": "in-force"}}})

    book: BookChoice = BookChoice()


@router.post("/v1/rules/test", summary="Run the examples of a rulebook", responses=answers(_EXAMPLE, 400, 409))
async def test_rules(context: Context, _: Caller, wanted: WantedTest) -> Response:
    """Judge the given events of each example and tell whether what it expects came out; nothing live is touched.

    Takes some seconds, and one at a time. With `files` a book can be tried before it is put in force.
    """
    book = await asyncio.to_thread(chosen, context, wanted.book, "book")
    if not _RUNNING.acquire(blocking=False):
        raise Problem(409, "test_running", "examples are being run already; ask again in some seconds")
    try:
        found = await asyncio.to_thread(_run, context, book)
    finally:
        _RUNNING.release()
    told = [{"name": r.name, "ok": r.ok, "detail": r.detail} for r in found]
    return Json({"book": book.hash, "held": sum(r.ok for r in found), "of": len(found), "examples": told})


def _run(context: ApiContext, book: Book) -> list[ExampleResult]:
    with _emptied(context.store) as store:
        migrate(store)
        return run_examples(book, store)


@contextmanager
def _emptied(live: Store) -> Iterator[Store]:
    """Give an empty database of its own beside the live one; it is gone afterwards."""
    name = f"{live.database}_examples"
    drop = f"DROP DATABASE IF EXISTS `{name}` SYNC"
    with live.reader() as client:
        client.command(drop)  # what a run that was killed has left
        store = Store(live.dsn, name)
        try:
            yield store
        finally:
            store.close()
            client.command(drop)
