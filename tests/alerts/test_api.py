"""Alerts over HTTP: what is shown, what people do about it, and what the scorecard makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rules.parse import parse_book
from tests.actions.target_stub import Reply, TargetStub
from tests.alerts.tower import BASE, ROUTES, Tower
from tests.api.conftest import Api, make_api
from tower.commands.alerts_door import alert_routes
from tower.store.audit import Entry
from tower.store.client import Store


class Desk:
    """The application and the alerting step on one store; acts go to the audit list."""

    def __init__(self, store: Store, folder: Path, url: str) -> None:
        self.tower = Tower(store, url)
        self.api: Api = make_api(store, folder)
        self.audit: list[Entry] = []
        self.api.book[0] = self.tower.book
        routes = alert_routes(replace(self.api.context, clock=lambda: self.tower.now), self.audit.extend)
        self.api.app.router.routes.extend(routes)
        self.tower.step()

    def get(self, path: str, **options: Any) -> Any:
        return self.api.get(path, **options).json()

    def alerts(self, state: str = "open") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/v1/alerts", params={"state": state})["alerts"]
        return found


@pytest.fixture
def desk(store: Store, tmp_path: Path, target: TargetStub) -> Iterator[Desk]:
    made = Desk(store, tmp_path, target.url)
    yield made
    made.tower.close()


def test_an_alert_shows_its_breaches_its_reason_and_what_comes_next(desk: Desk) -> None:
    desk.tower.breach("SO-1", priority="P1")
    desk.tower.breach("SO-2", priority="P3")
    desk.tower.step(1)
    [alert] = desk.alerts()
    assert (alert["reason"], alert["priority"], alert["orders"], alert["value"]) == ("new", "P1", 2, "200.00")
    assert alert["next_reason"] == "repeat" and alert["labels"] == {"stage": "accept-to-ship"}
    shown = desk.get(f"/v1/alerts/{alert['alert_id']}")
    assert [m["order_id"] for m in shown["members"]] == ["SO-1", "SO-2"]
    assert {n["channel"] for n in shown["sent"]} == {"inbox", "webhook"}
    [own] = desk.get("/v1/orders/SO-1")["alerts"]
    assert (own["alert_id"], own["told"], own["state"]) == (alert["alert_id"], True, "open")
    assert desk.get("/v1/alerts", params={"order_id": "SO-9"})["alerts"] == []
    assert desk.api.get("/v1/alerts/none").status_code == 404
    assert len(desk.get("/v1/notices", params={"channel": "inbox"})["notices"]) == 1


def test_a_receiver_that_was_switched_off_is_named_with_the_alerts(desk: Desk, target: TargetStub) -> None:
    assert desk.get("/v1/alerts")["receivers_off"] == []
    target.plan = [Reply(410)]
    desk.tower.breach("SO-1", priority="P1")
    desk.tower.step(1)
    desk.tower.until(lambda: desk.tower.rows("SELECT count() FROM receivers_off") == [(1,)])
    [off] = desk.get("/v1/alerts")["receivers_off"]
    assert off["receiver"] == "ops" and "410" in off["detail"]


def test_an_alert_is_acknowledged_by_an_operator_and_given_back(desk: Desk) -> None:
    desk.tower.breach("SO-1", priority="P1")
    desk.tower.step(1)
    [alert] = desk.alerts()
    path = f"/v1/alerts/{alert['alert_id']}/ack"
    assert desk.api.call("POST", path, json={}).status_code == 403
    assert desk.api.call("POST", path, "operator", json={"note": "mine"}).status_code == 200
    assert [(e.actor, e.act, e.why) for e in desk.audit] == [("operator-key", "acknowledge", "mine")]
    assert desk.alerts() == []  # at once, before the engine has read it
    desk.tower.step(1)
    [taken] = desk.alerts("acknowledged")
    assert (taken["acknowledged_by"], taken["note"], taken["next_at"]) == ("operator-key", "mine", None)
    desk.api.call("POST", path, "operator", json={"acknowledged": False})
    desk.tower.step(1)
    assert [a["next_reason"] for a in desk.alerts()] == ["repeat"]


def test_a_silence_says_what_it_catches_holds_and_ends(desk: Desk) -> None:
    desk.tower.breach("SO-1")
    desk.tower.step(1)
    ends = (desk.tower.now + timedelta(hours=1)).isoformat()
    wish = {"matchers": {"system": "wms"}, "ends_at": ends, "comment": "planned move"}
    seen = desk.api.call("POST", "/v1/silences", "operator", params={"dry_run": "true"}, json=wish).json()
    assert seen["catches"] == {"breaches": 1, "alerts": 1, "orders": ["SO-1"], "order_count": 1, "value": "100.00"}
    assert desk.get("/v1/silences")["silences"] == [] and desk.audit == []
    made = desk.api.call("POST", "/v1/silences", "operator", json=wish)
    assert made.status_code == 201 and [e.act for e in desk.audit] == ["silence"]
    assert desk.tower.step(30) == 0
    [alert] = desk.alerts()
    [member] = desk.get(f"/v1/alerts/{alert['alert_id']}")["members"]
    assert member["held_by"] == f"silence {made.json()['silence_id']}"
    ended = desk.api.call("DELETE", f"/v1/silences/{made.json()['silence_id']}", "operator")
    assert ended.json()["state"] == "ended"
    assert sum(desk.tower.step(20) for _ in range(4)) == 1


NO_SENSE: list[dict[str, Any]] = [
    {"matchers": {"sistem": "wms"}},
    {"matchers": {}},
    {"comment": "x"},
    {"ends_at": "2020-01-01T00:00:00Z"},
    {"ends_at": "2240-01-01T00:00:00Z"},
]


def test_a_silence_that_makes_no_sense_is_refused(desk: Desk) -> None:
    ends = (desk.tower.now + timedelta(hours=1)).isoformat()
    for wrong in NO_SENSE:
        wish = {"matchers": {"system": "wms"}, "ends_at": ends, "comment": "planned move", **wrong}
        answer = desk.api.call("POST", "/v1/silences", "operator", json=wish)
        assert answer.status_code == 400 and answer.json()["detail"], wrong
    assert desk.audit == []


def test_closed_alerts_have_an_outcome_that_people_correct_and_the_scorecard_counts(
    desk: Desk, target: TargetStub
) -> None:
    text = ROUTES.replace("[stage]", "[order_id]")  # an alert for each order
    desk.tower.book = desk.api.book[0] = parse_book({"base.yaml": BASE, "routes.yaml": text.format(url=target.url)})
    desk.tower.step(1)
    for order in ("SO-1", "SO-2", "SO-3"):
        desk.tower.breach(order, priority="P1", promised_at=desk.tower.now + timedelta(hours=2))
    desk.tower.step(1)
    ids = {a["labels"]["order_id"]: a["alert_id"] for a in desk.alerts()}
    desk.api.call("POST", f"/v1/alerts/{ids['SO-1']}/ack", "operator", json={})
    desk.tower.step(1)
    for order in ("SO-1", "SO-2", "SO-3"):
        desk.tower.breach(order, "retracted" if order == "SO-3" else "resolved")
    desk.tower.step(1)
    desk.tower.step(60)
    outcomes = {a["labels"]["order_id"]: a["outcome"] for a in desk.alerts("closed")}
    assert outcomes == {"SO-1": "real", "SO-2": "self_healed", "SO-3": "feed"}
    until = (desk.tower.now + timedelta(days=1)).isoformat()
    [card] = desk.get("/v1/alerts/scorecard", params={"until": until})["rules"]
    assert (card["rule"], card["alerts"], card["precision"], card["lead_s"]) == ("accept-to-ship", 3, 0.3333, 7199)
    healed = ids["SO-2"]
    desk.api.call("POST", f"/v1/alerts/{healed}/outcome", "operator", json={"outcome": "real"})
    [card] = desk.get("/v1/alerts/scorecard", params={"until": until})["rules"]
    assert (card["real"], card["self_healed"], card["precision"]) == (2, 0, 0.6667)
    assert desk.get(f"/v1/alerts/{healed}")["outcome"] == "real"
    desk.tower.breach("SO-4", priority="P1")
    desk.tower.step(1)
    [alert] = desk.alerts()
    refused = desk.api.call("POST", f"/v1/alerts/{alert['alert_id']}/outcome", "operator", json={"outcome": "real"})
    assert refused.status_code == 409
