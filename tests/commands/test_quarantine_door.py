"""One held message with its body, and acts on many: what is covered, who may see more, and what each id is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from collector.collector import Collector
from tests.collector.conftest import make_desk  # noqa: F401  # fixtures of a running collector
from tests.collector.desk import BATCH, Client, Desk, event
from tests.collector.ingest.systems import SECRET, SECRETS, proof, system
from tower.api import problems
from tower.api.context import ApiContext
from tower.commands.quarantine_door import quarantine_routes
from tower.commands.replay_door import replay_routes
from tower.model.connections import Connections
from tower.model.hide import HIDDEN
from tower.model.principal import Principal
from tower.store.audit import Entry

OWN = Connections((system("own", proof("bearer"), "erp", mapping="own"),), configured=True)
PEOPLE = {
    "Bearer admin": Principal("ada", frozenset({"admin"})),
    "Bearer view": Principal("vic", frozenset({"viewer"})),
}
MAPPING = """
mapping: own.order
version: 1
status: confirmed
source: "a test"
decode: {format: json}
match: body.order
event_key: body.id
emit:
  - milestone: %s
    occurred_at: body.at
    objects: [{type: order, key: erp_order_no, expr: body.order}]
"""


class Door:
    """A collector with the quarantine's endpoints beside its doors."""

    def __init__(self, desk: Desk, mapping: Path) -> None:
        self.desk, self.file, self.audit = desk, mapping, list[Entry]()
        collector: Collector = desk.collector
        app = FastAPI()
        problems.install(app)
        unused: Any = None
        app.state.context = ApiContext(
            settings=unused, store=desk.store, connections=unused, book=unused,
            authenticate=lambda header: PEOPLE.get(header or ""), progress=unused, engine_health=unused,
            collector_stats=unused,
        )  # fmt: skip
        app.router.routes.extend(collector.routes())
        for routes in (quarantine_routes, replay_routes):
            app.router.routes.extend(routes(desk.store, collector.again, self.audit.extend))
        self.client = Client(app, {"Authorization": "Bearer admin"})

    def mend(self, milestone: str = "order_captured") -> None:
        self.file.write_text(MAPPING % milestone)

    def native(self, number: int) -> None:
        body = {
            "id": number,
            "order": f"SO-{number}",
            "at": "2026-03-01T10:00:00Z",
            "email": "a@b.example",
            "token": "t",
        }
        answer = self.desk.ingest("own", json.dumps(body).encode(), {"Authorization": f"Bearer {SECRET}"}, wait=True)
        assert answer.status_code in (200, 202)

    def own(self, *milestones: str) -> None:
        events = [event(n, type=f"o2c.{m}", data={"email": "a@b.example"}) for n, m in enumerate(milestones)]
        body = json.dumps(events).encode()
        assert self.desk.post(body, BATCH, wait=True).json()["quarantined"] == len(milestones)

    def held(self) -> dict[str, str]:
        """Return id -> event id or topic of what is open, by id."""
        rows = self.desk.rows("toString(quarantine_id), event_id", "quarantine FINAL", "state = 'open'")
        return {str(i): str(e) for i, e in rows}

    def get(self, path: str, key: str = "Bearer admin") -> httpx.Response:
        return self.client.request("GET", path, headers={"Authorization": key})

    def post(self, path: str, body: Any, key: str = "Bearer admin") -> httpx.Response:
        return self.client.request("POST", path, json=body, headers={"Authorization": key})

    def results(self, path: str, ids: list[str], **more: str) -> dict[str, str]:
        reply = self.post(path, {"ids": ids, **more})
        assert reply.status_code == 200, reply.text
        return {i["id"]: i["result"] for i in reply.json()["items"]}


@pytest.fixture
def door(make_desk: Callable[..., Desk], tmp_path: Path) -> Iterator[Door]:  # noqa: F811  # the imported fixture is asked for
    file = tmp_path / "mappings" / "own" / "order.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(MAPPING % "order_shipped")  # which no rulebook knows
    made = Door(make_desk(connections=OWN, secrets=SECRETS, mappings=tmp_path / "mappings"), file)
    yield made
    made.client.close()


def test_a_native_message_is_shown_with_its_body_and_people_only_to_an_operator_who_asks(door: Door) -> None:
    door.native(1)
    (number,) = door.held()
    seen = door.get(f"/v1/quarantine/{number}", "Bearer view").json()
    assert (seen["reason"], seen["has_body"], seen["persons"]) == ("unknown_milestone", True, False)
    shown = json.loads(seen["body"])
    assert (shown["order"], shown["email"], shown["token"]) == ("SO-1", HIDDEN, HIDDEN)
    assert door.audit == []
    assert door.get(f"/v1/quarantine/{number}?persons=true", "Bearer view").status_code == 403
    more = json.loads(door.get(f"/v1/quarantine/{number}?persons=true").json()["body"])
    assert (more["email"], more["token"]) == ("a@b.example", HIDDEN)
    assert [(e.actor, e.act) for e in door.audit] == [("ada", "read_raw")]


def test_an_event_of_the_towers_own_form_is_shown_too(door: Door) -> None:
    door.own("shiped")
    (number,) = door.held()
    seen = door.get(f"/v1/quarantine/{number}").json()
    assert json.loads(seen["body"])["data"]["email"] == HIDDEN
    assert "a@b.example" in door.get(f"/v1/quarantine/{number}?persons=true").json()["body"]
    assert door.get("/v1/quarantine/1").status_code == 404
    assert door.get(f"/v1/quarantine/{2**70}").status_code == 400
    assert door.get("/v1/quarantine/-1").status_code == 400


def test_a_body_that_was_emptied_is_said_to_be_gone(door: Door) -> None:
    door.native(1)
    with door.desk.store.writer() as client:
        client.command("ALTER TABLE raw UPDATE body = '' WHERE 1 SETTINGS mutations_sync = 1")
    (number,) = door.held()
    seen = door.get(f"/v1/quarantine/{number}").json()
    assert (seen["has_body"], seen["body"]) == (False, "")
    assert "emptied" in seen["why_no_body"]
    assert door.results("/v1/quarantine/replay", [number]) == {number: "no_body"}


def test_many_are_replayed_and_each_is_told_what_became_of_it(door: Door) -> None:
    """Native ones whose mapping was mended, events that are still wrong, and one that is not there."""
    for n in (1, 2, 3):
        door.native(n)
    door.own("shiped")
    held = list(door.held())
    assert set(door.results("/v1/quarantine/replay", held).values()) == {"held"}
    assert set(door.held()) == set(held), "what is still of no use stays open under the same id"
    door.mend()
    wrong = next(i for i, name in door.held().items() if name == "e-0")
    found = door.results("/v1/quarantine/replay", [*held, "17"], reason="mended")
    assert found == {i: "held" if i == wrong else "taken" for i in held} | {"17": "gone"}
    assert list(door.held()) == [wrong]
    assert len(door.desk.rows("event_id", where="milestone = 'order_captured' AND quarantine = ''")) == 3
    again = door.results("/v1/quarantine/replay", held)
    assert again == {i: "held" if i == wrong else "gone" for i in held}
    noted = [e for e in door.audit if e.why == "mended"]
    assert len(noted) == 4 and all((e.actor, e.act) == ("ada", "replay") for e in noted)


def test_many_are_let_go_with_the_reason(door: Door) -> None:
    door.own("shiped", "piked", "paked")
    first, second, _ = door.held()
    body = {"ids": [first, second, "5"], "reason": "their tests"}
    assert door.post("/v1/quarantine/discard", body, "Bearer view").status_code == 403
    assert door.results("/v1/quarantine/discard", **body) == {first: "discarded", second: "discarded", "5": "gone"}
    assert len(door.held()) == 1
    assert door.desk.rows("DISTINCT state, note", "quarantine FINAL", "state != 'open'") == [
        ("discarded", "their tests")
    ]
    assert {e.why for e in door.audit} == {"their tests"}


def test_a_wrong_request_is_a_problem(door: Door) -> None:
    for body in ({}, {"ids": []}, {"ids": ["x"]}, {"ids": [-1]}, {"ids": [1], "why": "?"}, {"ids": [2**64]}, [], "x"):
        for act in ("replay", "discard"):
            assert door.post(f"/v1/quarantine/{act}", body).status_code == 400, body
