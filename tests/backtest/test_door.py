"""A backtest over the API: asked for, watched, refused and cancelled; and the versions of the rulebook."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from rules.model import Book
from tests.api.conftest import DoorsStub, EngineStub
from tests.backtest.conftest import CONNECTIONS, TEXT, Live, book
from tests.engine.world import NOW
from tower.api.app import create_app
from tower.api.context import ApiContext
from tower.backtest.run import Cancelled
from tower.model.progress import Progress
from tower.settings import Settings
from tower.store.client import Store
from tower.store.keys import Keys


class Door:
    """The application on the store of the backtests, with a key for each role."""

    def __init__(self, store: Store, folder: Path, read: Callable[[], Book] = book) -> None:
        keys = Keys(store)
        self.tokens = {role: keys.add(f"{role}-{folder.name}", [role]) for role in ("viewer", "operator")}
        self.app: FastAPI = create_app(
            ApiContext(
                settings=Settings(data_dir=folder, clickhouse=store.dsn), store=store, connections=CONNECTIONS,
                book=read, authenticate=keys.authenticate, progress=Progress(), engine_health=lambda _: EngineStub(),
                collector_stats=DoorsStub, clock=lambda: NOW,
            )
        )  # fmt: skip

    def call(self, method: str, path: str, role: str = "operator", **options: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            headers = {"Authorization": f"Bearer {self.tokens[role]}"}
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://tower") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(call())

    def backtest(self, **body: Any) -> httpx.Response:
        return self.call("POST", "/v1/rules/backtest", json=body)


@pytest.fixture(scope="module")
def door(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Door:
    return Door(live.store, tmp_path_factory.mktemp("door"))


def test_another_limit_is_tried_without_writing_a_book(door: Door) -> None:
    reply = door.backtest(new={"limits": {"invoice": "20h"}}, limit=3)
    run = reply.json()
    assert (reply.status_code, run["state"], run["asked_by"][:8]) == (200, "done", "operator")
    outcome = run["outcome"]
    assert outcome["limits_only"] and outcome["lost"] > 3 == len(outcome["orders"]) and outcome["gained"] == 0
    assert outcome["rules"][0]["rule"] == "invoice" and "." in outcome["rules"][0]["lost_value"]
    assert door.call("GET", f"/v1/rules/backtest/{run['id']}", "viewer").json() == run


def test_a_whole_book_is_tried_and_its_mistakes_are_told_by_line(door: Door) -> None:
    good = door.backtest(
        new={"files": {"b.yaml": TEXT.replace("id: pay, from", "id: paying, from")}}, since="2026-01-01"
    )
    assert {(r["rule"], r["kind"]) for r in good.json()["outcome"]["rules"] if r["gained"]} >= {("paying", "late")}
    bad = door.backtest(new={"files": {"b.yaml": TEXT.replace("within: 1h,", "within: soon,")}})
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_book")
    assert bad.json()["errors"][0]["name"] == "new.b.yaml" and bad.json()["errors"][0]["line"] > 1


@pytest.mark.parametrize(("body", "code"), [
    ({"new": {"limits": {"invoce": "4h"}}}, "unknown_stage"),
    ({"new": {"limits": {"invoice": "soon"}}}, "bad_limit"),
    ({"new": {"version": "ffffffff"}}, "unknown_version"),
    ({"new": {"version": ""}}, "unknown_version"),
    ({"new": {}, "since": "yesterday"}, "invalid"),
])  # fmt: skip
def test_what_cannot_be_tried_is_refused_in_words(door: Door, body: dict[str, Any], code: str) -> None:
    reply = door.backtest(**body)
    assert reply.status_code == 400
    assert code in (reply.json()["code"], "invalid")


def test_a_viewer_may_look_and_not_ask(door: Door) -> None:
    assert door.call("POST", "/v1/rules/backtest", "viewer", json={"new": {}}).status_code == 403
    assert door.call("GET", "/v1/rules/backtest/nothing", "viewer").status_code == 404


def test_one_runs_at_a_time_and_can_be_cancelled(door: Door) -> None:
    go_on = threading.Event()

    def long_work(tell: Any) -> Any:
        go_on.wait(20)
        tell("orders", 1, 2)
        raise AssertionError("not reached")

    run = door.app.state.backtests.start("ana", NOW, long_work)
    refused = door.backtest(new={})
    assert (refused.status_code, refused.json()["code"]) == (409, "backtest_running")
    assert run.id in refused.json()["detail"]
    door.call("DELETE", f"/v1/rules/backtest/{run.id}")
    go_on.set()
    assert run.ended.wait(20) and run.state == "cancelled"
    assert door.backtest(new={}).json()["outcome"]["rules"] == []
    with pytest.raises(Cancelled):
        run.tell("orders", 2, 2)


def test_versions_say_since_when_and_what_they_changed(door: Door, twin: Live) -> None:
    (only,) = door.call("GET", "/v1/rules/versions", "viewer", params={"text": "true"}).json()["versions"]
    assert only["in_force"] and only["cause"] == "first" and only["files"] == {"book.yaml": TEXT}
    twin.record(book())
    twin.record(book(("within: 1h,", "within: 2h,")))
    latest, before = Door(twin.store, door_folder(door)).call("GET", "/v1/rules").json()["versions"][:2]
    assert latest["changes"] == ["stage accept: limit was within 1h, is within 2h"]
    assert (latest["cause"], latest["until"], before["until"]) == ("book", None, latest["loaded_at"])


def door_folder(door: Door) -> Path:
    """Return a folder beside that of a door."""
    return Path(door.app.state.context.settings.data_dir).with_name("beside")
