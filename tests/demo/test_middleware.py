"""The simulated middleware over HTTP: what it sends, whom it lets in, and how it bears a tower that is busy."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta

import httpx

from tower.demo.middleware import MiddlewareConfig, Retries, create_middleware
from tower.demo.scenario import Message, World
from tower.demo.sender import Sender

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeTower:
    """Takes events as the tower would, after a number of refusals; keeps what it took."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.events: list[dict[str, object]] = []
        self.kinds: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.refusals:
            self.refusals -= 1
            return httpx.Response(503, headers={"Retry-After": "0"})
        body = request.content
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        kind = request.headers["Content-Type"]
        self.kinds.add(kind)
        if kind == "application/x-ndjson":
            self.events += [json.loads(line) for line in body.splitlines()]
        elif kind == "application/cloudevents+json":
            self.events.append(json.loads(body))
        else:
            self.events += json.loads(body)
        return httpx.Response(200, json={})


def send(tower: FakeTower, messages: list[Message], rounds: int = 1) -> Sender:
    """Send the messages and return the sender."""

    async def run() -> Sender:
        async with httpx.AsyncClient(transport=httpx.MockTransport(tower), base_url="http://tower") as client:
            sender = Sender(client)
            sender.put(messages)
            for _ in range(rounds):
                await sender.drain()
            return sender

    return asyncio.run(run())


def history() -> list[Message]:
    world = World(7, NOW)
    world.open(NOW - timedelta(seconds=200))
    return world.advance(NOW + timedelta(seconds=40))


def test_everything_is_sent_once_and_the_bank_sends_files() -> None:
    tower, said = FakeTower(), history()
    sender = send(tower, said)
    assert sender.waiting == 0
    assert len(tower.events) == len(said)
    assert {"application/x-ndjson", "application/cloudevents-batch+json"} <= tower.kinds


def test_a_single_message_goes_as_one_event() -> None:
    tower = FakeTower()
    send(tower, history()[:1])
    assert tower.kinds == {"application/cloudevents+json"}


def test_a_busy_tower_gets_the_same_messages_again_and_none_is_lost() -> None:
    tower, said = FakeTower(refusals=3), history()
    sender = send(tower, said, rounds=4)
    assert sender.waiting == 0
    assert [e["id"] for e in tower.events if e["source"] != "/bank/statements"] == [
        m.event["id"] for m in said if m.connection != "bank"
    ]


def test_the_retry_door_wants_its_token_and_a_key() -> None:
    app = create_middleware(MiddlewareConfig("http://127.0.0.1:9", "t", "s3cret"), lambda: NOW)

    async def ask(headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://middleware") as client:
            return await client.post("/retry/SO-1", headers=headers)

    good = {"Authorization": "Bearer s3cret"}
    assert asyncio.run(ask({})).status_code == 401
    assert asyncio.run(ask(good)).status_code == 400
    answer = asyncio.run(ask({**good, "Idempotency-Key": "k"}))
    assert (answer.status_code, answer.json()["result"]) == (200, "nothing_to_do")


def test_a_feed_can_be_stopped_and_started() -> None:
    """A stopped system works on and is heard of again with everything it held back."""
    clock = [NOW]
    app = create_middleware(MiddlewareConfig("http://127.0.0.1:9", "t", "s3cret"), lambda: clock[0])

    async def ask(*paths: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://middleware") as client:
            return [await (client.get(p) if p == "/feeds" else client.post(p)) for p in paths]

    stopped, listed = asyncio.run(ask("/feeds/wms-berlin/stop", "/feeds"))
    assert stopped.json() == {"connection": "wms-berlin", "speaks": False}
    assert [f for f in listed.json()["feeds"] if not f["speaks"]] == [
        {"connection": "wms-berlin", "speaks": False, "held": 0}
    ]
    started, again, unknown = asyncio.run(
        ask("/feeds/wms-berlin/start", "/feeds/wms-berlin/start", "/feeds/wms-paris/stop")
    )
    assert started.json() == again.json() == {"connection": "wms-berlin", "speaks": True, "sent": 0}
    assert unknown.status_code == 404 and "wms-berlin" in unknown.json()["error"]


def test_what_a_stopped_feed_holds_back_is_told_when_it_speaks_again() -> None:
    whole, cut = World(7, NOW), World(7, NOW)
    for world in (whole, cut):
        world.open(NOW - timedelta(seconds=60))
    later, end = NOW + timedelta(seconds=40), NOW + timedelta(seconds=60)
    cut.stop("wms-berlin")
    silent = cut.advance(later)
    assert not [m for m in silent if m.connection == "wms-berlin"]
    held = cut.held("wms-berlin")
    assert held is not None and cut.speak("wms-berlin", later) == held > 10
    spoken = cut.advance(end)
    assert {m.at for m in spoken[:held]} == {later}, "first of all what it held back"

    def said(messages: list[Message]) -> list[str]:
        return sorted(str(m.event["id"]) for m in messages if not m.event["type"].endswith("heartbeat"))

    assert said(silent + spoken) == said(whole.advance(end))


def test_a_broken_system_answers_no_retry_until_it_is_mended() -> None:
    """A 503 is not remembered: the same key works once the system answers again."""
    world = World(7, NOW)
    world.open(NOW - timedelta(minutes=5))
    world.advance(NOW)
    order, system = next((order, world._standing[keys[0]].connection) for order, keys in world._unwell.items() if keys)
    retries = Retries(world)
    world.break_system(system)
    assert retries.ask(order, "k", NOW).status == 503
    world.mend_system(system)
    mended = retries.ask(order, "k", NOW)
    assert mended.status in (200, 202, 422)
    world.break_system(system)
    assert retries.ask(order, "k", NOW) == mended


def test_what_comes_to_a_broken_system_fails_until_it_is_mended() -> None:
    """Whatever was wrong with an order before; what it left behind a retry repairs."""
    world = World(7, NOW)
    world.open(NOW)
    world.break_system("erp")
    during = world.advance(NOW + timedelta(seconds=60))
    said = [m.event for m in during if m.connection == "erp" and m.event["type"] != "o2c.heartbeat"]
    assert said and all(e["type"].endswith(".failed") for e in said)
    down = [e["data"]["order_id"] for e in said if e["data"]["error"] == "ERP does not answer"]
    assert down
    world.mend_system("erp")
    now = NOW + timedelta(seconds=61)
    assert world.retry(down[0], now).result == "repaired"
    after = [m.event for m in world.advance(now + timedelta(seconds=5))]
    assert any(e["type"] == "o2c.order_accepted" and e["data"]["order_id"] == down[0] for e in after)
