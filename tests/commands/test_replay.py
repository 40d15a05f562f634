"""A held message gets another try through the same door, once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collector.raw.again import Again
from tower.api import problems
from tower.api.context import ApiContext
from tower.commands.replay_door import replay_routes
from tower.model.principal import Principal
from tower.model.problem import Problem
from tower.store.audit import Entry
from tower.store.client import Store

RAW = json.dumps({"id": "e1", "type": "o2c.shiped"})
AGAIN = cast(Again, None)  # for native messages; these are events
RECORDED: list[Entry] = []
Answer = Callable[[bytes], dict[str, Any]]


def app_with(store: Store, answer: Answer) -> FastAPI:
    """Return an application with the replay routes and a door that answers as told."""
    app = FastAPI()
    problems.install(app)
    operator = Principal("anna", frozenset({"operator"}), frozenset({"*"}))
    unused: Any = None
    app.state.context = ApiContext(
        settings=unused,
        store=store,
        connections=unused,
        book=unused,
        authenticate=lambda header: operator if header == "Bearer k" else None,
        progress=unused,
        engine_health=unused,
        collector_stats=unused,
    )

    async def door(request: Request) -> Response:
        assert request.headers["Authorization"] == "Bearer k"
        return JSONResponse(answer(await request.body()))

    app.router.routes.extend(replay_routes(store, AGAIN, RECORDED.extend))
    app.add_api_route("/v1/events", door, methods=["POST"])
    return app


def post(app: FastAPI, path: str, body: dict[str, str] | None = None) -> httpx.Response:
    """Call the application as the operator."""

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://t") as client:
            return await client.post(path, headers={"Authorization": "Bearer k"}, json=body)

    return asyncio.run(call())


def hold(store: Store) -> int:
    """Put a message into quarantine and return its id."""
    row = {"event_id": "e1", "ev": 7, "quarantine": "unknown_milestone", "raw": RAW}
    with store.writer() as client:
        client.raw_insert("events", insert_block=json.dumps(row).encode(), fmt="JSONEachRow")
        return int(client.query("SELECT quarantine_id FROM quarantine").result_rows[0][0])


def state(store: Store) -> list[tuple[str, str]]:
    with store.reader() as client:
        return cast(list[tuple[str, str]], client.query("SELECT state, raw FROM quarantine FINAL").result_rows)


def test_what_the_door_takes_is_marked_and_not_taken_twice(store: Store) -> None:
    sent: list[bytes] = []

    def take(body: bytes) -> dict[str, Any]:
        sent.append(body)
        return {"accepted": 1, "duplicate": 0, "quarantined": 0, "rejected": []}

    number = hold(store)
    app = app_with(store, take)
    assert post(app, f"/v1/quarantine/{number}/replay").status_code == 200
    assert sent == [RAW.encode()]
    assert state(store) == [("replayed", RAW)]
    assert post(app, f"/v1/quarantine/{number}/replay").status_code == 409
    assert len(sent) == 1


def test_what_the_door_holds_again_stays_open(store: Store) -> None:
    number = hold(store)
    app = app_with(store, lambda _: {"accepted": 0, "duplicate": 0, "quarantined": 1, "rejected": []})
    assert post(app, f"/v1/quarantine/{number}/replay").json()["quarantined"] == 1
    assert state(store) == [("open", RAW)]


def test_a_message_may_be_let_go(store: Store) -> None:
    number = hold(store)
    app = app_with(store, lambda _: {})
    assert post(app, f"/v1/quarantine/{number}/discard", {"reason": "a test of theirs"}).status_code == 204
    assert state(store) == [("discarded", RAW)]
    with store.reader() as client:
        assert client.query("SELECT note FROM quarantine FINAL").result_rows == [("a test of theirs",)]
    last = RECORDED[-1]
    assert (last.actor, last.act, last.why) == ("anna", "discard", "a test of theirs")
    assert last.subject.startswith(f"quarantine/{number}@")


def test_a_message_may_be_let_go_without_a_word(store: Store) -> None:
    number = hold(store)
    assert post(app_with(store, lambda _: {}), f"/v1/quarantine/{number}/discard").status_code == 204


def test_an_event_has_no_dry_run(store: Store) -> None:
    number = hold(store)
    assert post(app_with(store, lambda _: {}), f"/v1/quarantine/{number}/dry-run").json()["code"] == "not_native"


def test_nothing_is_done_that_the_audit_does_not_know(store: Store) -> None:
    def silent(_: object) -> None:
        raise Problem(503, "not_audited", "no")

    app = app_with(store, lambda _: {})
    number = hold(store)
    app.router.routes[:0] = replay_routes(store, AGAIN, silent)
    for act in ("replay", "discard"):
        assert post(app, f"/v1/quarantine/{number}/{act}").status_code == 503
    assert state(store) == [("open", RAW)]


def test_an_unknown_message_is_not_found(store: Store) -> None:
    assert post(app_with(store, lambda _: {}), "/v1/quarantine/1/replay").status_code == 404


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_number_that_no_message_can_have_is_a_bad_request(store: Store, number: int) -> None:
    app = app_with(store, lambda _: {})
    for act in ("replay", "dry-run", "discard"):
        assert post(app, f"/v1/quarantine/{number}/{act}").status_code == 400
