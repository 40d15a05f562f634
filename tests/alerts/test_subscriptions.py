"""Subscriptions over HTTP and through the engine's step: whose they are, what they tell, and how they are ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from rules.parse import parse_book
from tests.actions.target_stub import Heard, TargetStub
from tests.alerts.tower import BASE, ROUTES, Tower
from tests.api.conftest import Api, make_api
from tower.alerts.links import END, Link, Links
from tower.commands import subscriptions_door
from tower.commands.letters_door import letter_routes
from tower.commands.subscriptions_door import subscription_routes
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.keys import Keys

BOOK = (
    ROUTES
    + """
subscriptions: {{allow: [inbox, mailto], through: {{mailto: env:TOWER_SECRET_MAIL}}, cap: {{notices: 2, per: 1h}}}}
"""
)
LATE = {"label": "late ones", "states": ["late"]}
MAIL = {**LATE, "channel": "mailto", "address": "ann@example.com"}
INBOX = "SELECT receiver, reason FROM notices FINAL WHERE startsWith(receiver, 'subscription/') ORDER BY at, number"


class Desk:
    """The application and the alerting step on one store, with keys of its own."""

    def __init__(self, store: Store, folder: Path, url: str) -> None:
        self.tower = Tower(store, url)
        self.tower.secrets["TOWER_SECRET_MAIL"] = url.replace("http://", "json://ann:hunter2@") + "/mail"
        self.tower.book = parse_book({"base.yaml": BASE, "routes.yaml": BOOK.format(url=url)})
        self.links = Links([b"k" * 32], "http://tower")
        self.audit: list[Entry] = []
        self.api: Api = make_api(store, folder)
        self.api.book[0] = self.tower.book
        context = replace(self.api.context, clock=lambda: self.tower.now)
        self.keys = Keys(store, lambda: self.tower.now)
        for name, scopes in (("ann", ()), ("bob", ()), ("acme", ("partner=ACME",))):
            self.api.tokens[name] = self.keys.add(name, ["viewer"], (), scopes)
        routes = [
            *letter_routes(context, self.links, self._record),
            *subscription_routes(context, self.keys, self.links, self._record),
        ]
        self.api.app.router.routes.extend(routes)
        self.tower.step()

    def _record(self, entries: Any) -> None:
        self.audit.extend(entries)

    def call(self, method: str, path: str = "", who: str | None = "ann", **options: Any) -> httpx.Response:
        return self.api.call(method, f"/v1/subscriptions{path}", who, **options)

    def subscribe(self, who: str = "ann", **wish: Any) -> str:
        made = self.call("POST", who=who, json={**LATE, **wish})
        assert made.status_code == 201, made.text
        self.tower.step(1)
        return str(made.json()["subscription_id"])

    def listed(self, who: str = "ann", **params: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", who=who, params=params).json()["subscriptions"]
        return found

    def late(self, name: str, seconds: float = 1, **order: Any) -> None:
        self.tower.breach(name, **order)
        self.tower.step(seconds)

    def told(self) -> list[tuple[Any, ...]]:
        return self.tower.rows(INBOX)


@pytest.fixture
def desk(store: Store, tmp_path: Path, target: TargetStub) -> Iterator[Desk]:
    made = Desk(store, tmp_path, target.url)
    yield made
    made.tower.close()


def test_people_see_change_and_end_their_own_and_an_administrator_everybodys(desk: Desk) -> None:
    mine = desk.subscribe()
    theirs = desk.subscribe("acme", label="theirs", quiet={"mon-sun": ["22:00-07:00"]}, zone="Europe/Berlin")
    assert [(s["subscription_id"], s["state"]) for s in desk.listed()] == [(mine, "active")]
    assert [s["quiet"] for s in desk.listed("acme")] == [{"mon-sun": ["22:00-07:00"]}]
    assert {s["owner"] for s in desk.listed("admin")} == {"ann", "acme"} and len(desk.listed("admin", owner="ann")) == 1
    for who, path in (("ann", theirs), ("acme", mine), ("ann", "none")):
        for method, options in (("GET", {}), ("PUT", {"json": LATE}), ("DELETE", {})):
            assert desk.call(method, f"/{path}", who, **options).status_code == 404
    changed = desk.call("PUT", f"/{mine}", json={**LATE, "label": "other", "deliver": "hourly"})
    assert (changed.json()["label"], changed.json()["deliver"]) == ("other", "hourly")
    assert desk.call("DELETE", f"/{theirs}", "admin").json()["ended_by"] == "admin-key"
    assert desk.call("DELETE", f"/{theirs}", "acme").json()["state"] == "ended"  # twice is as good as once
    assert desk.call("PUT", f"/{theirs}", "acme", json=LATE).status_code == 409
    assert desk.listed("acme") == [] and len(desk.listed("acme", state="all")) == 1
    acts = [(e.actor, e.act, e.detail["owner"]) for e in desk.audit]
    assert acts == [("ann", "subscribe", "ann"), ("acme", "subscribe", "acme"), ("ann", "change_subscription", "ann"),
                    ("admin-key", "end_subscription", "acme")]  # fmt: skip


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"states": []}, "Everything is no subscription"),
    ({"channel": "sms", "address": "+4915112345678"}, "does not allow 'sms'"),
    ({"colour": "red"}, "no field 'colour'"),
    ({"when": {"custmer": "A"}}, "unknown attribute"),
]


def test_what_is_not_allowed_is_refused_and_leaves_no_trace(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for wish, says in REFUSED:
        answer = desk.call("POST", json={**LATE, **wish})
        assert answer.status_code == 400 and says in answer.json()["detail"], wish
    assert desk.audit == [] and desk.tower.rows("SELECT count() FROM subscription_facts") == [(0,)]
    monkeypatch.setattr(subscriptions_door, "MOST_LIVE", 1)
    desk.subscribe()
    assert desk.call("POST", json=LATE).json()["code"] == "too_many"


def test_a_subscriber_is_told_once_whatever_restarts_and_of_nothing_that_stood_before(desk: Desk) -> None:
    desk.late("SO-0")
    one = desk.subscribe()
    desk.tower.restart()
    desk.tower.step(1)
    assert desk.told() == []
    desk.late("SO-1")
    for _ in range(2):
        desk.tower.restart()
        desk.tower.step(200)
    assert desk.told() == [(f"subscription/{one}", "new")]
    shown = desk.call("GET", f"/{one}").json()
    assert (
        shown["told"] == 1
        and [n["reason"] for n in shown["sent"]] == ["new"]
        and "2 open, 200 EUR" in shown["sent"][0]["title"]
    )
    assert {a["receiver"] for a in desk.api.get("/v1/alerts").json()["alerts"]} == {"ops"}
    assert {a["receiver"] for a in desk.api.get("/v1/orders/SO-1").json()["alerts"]} == {"ops"}
    desk.call("DELETE", f"/{one}")
    desk.late("SO-2", 400)
    assert len(desk.told()) == 1


def test_a_scoped_key_hears_of_its_orders_only_and_of_nothing_once_it_has_ended(desk: Desk) -> None:
    one = desk.subscribe("acme", when={"partner": ["ACME", "BETA"]})
    desk.late("SO-B", partner="BETA")
    desk.late("SO-N", 400)
    assert desk.told() == []
    week = desk.call("POST", "/preview", "acme", json=LATE).json()
    assert (week["notices"], week["orders"]) == (0, 0)
    assert desk.call("POST", "/preview", "ann", json=LATE).json()["orders"] == 2
    desk.late("SO-A", partner="ACME")
    assert desk.told() == [(f"subscription/{one}", "new")]
    desk.late("SO-A", 400, partner="BETA")  # the order was another's all along: its breach leaves
    assert desk.tower.rows(
        "SELECT DISTINCT state FROM alert_breaches FINAL WHERE order_id = 'SO-A' AND alert_id IN (SELECT alert_id FROM alerts WHERE startsWith(receiver, 'sub'))"
    ) == [("moved",)]
    desk.keys.revoke("acme")
    desk.late("SO-C", 400, partner="ACME")
    assert len(desk.told()) == 1 and [s["state"] for s in desk.listed("admin")] == ["asleep"]


def mails(target: TargetStub) -> list[Heard]:
    return [h for h in target.heard if h.path == "/mail"]


def token(heard: Heard, purpose: str) -> str:
    found = re.search(rf"http://tower/link/{purpose}\?token=(\S+)", str(heard.body["message"]))
    assert found, heard.body
    return found[1]


def test_an_address_is_asked_first_and_a_link_ends_it_all(desk: Desk, target: TargetStub) -> None:
    made = desk.call("POST", json=MAIL).json()
    assert made["state"] == "waiting"
    one = made["subscription_id"]
    desk.tower.step(1)
    desk.tower.until(lambda: len(mails(target)) == 1)
    [asked] = mails(target)
    assert desk.tower.rows("SELECT act FROM audit WHERE act = 'notice'") == [("notice",)]
    desk.late("SO-1", 400)
    desk.tower.restart()
    desk.tower.step(1)
    assert len(mails(target)) == 1  # neither told before the yes, nor asked again
    yes = token(asked, "confirm")
    for _ in range(2):  # a scanner follows every link
        page = desk.call("GET", "/confirm", None, params={"token": yes})
        assert page.status_code == 200 and 'method="post"' in page.text and "no-store" in page.headers["Cache-Control"]
    assert desk.listed()[0]["state"] == "waiting"
    assert desk.call("POST", "/confirm", None, params={"token": yes[:-9] + "AAAAAAAA="}).status_code == 400
    assert desk.call("POST", "/unsubscribe", None, params={"token": yes}).status_code == 400  # made for something else
    for _ in range(2):
        assert desk.call("POST", "/confirm", None, params={"token": yes}).status_code == 200
    assert desk.listed()[0]["state"] == "active"
    desk.tower.step(1)
    desk.late("SO-2")
    desk.tower.step(60)
    desk.tower.until(lambda: len(mails(target)) == 2)
    told = mails(target)[1]
    assert "SO-2" in told.body["message"] and "SO-1" not in told.body["message"]
    leave = token(told, "unsubscribe")
    assert desk.call("GET", "/unsubscribe", None, params={"token": leave}).status_code == 200
    assert desk.listed()[0]["state"] == "active"
    late = desk.links.token(Link(END, one, "x"), desk.tower.now - timedelta(days=400))
    assert desk.call("POST", "/unsubscribe", None, params={"token": late}).status_code == 400
    form = {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        assert desk.call("POST", "/unsubscribe", None, params={"token": leave}, data=form).status_code == 200
    assert [(s["state"], s["ended_by"]) for s in desk.listed(state="all")] == [("ended", "link")]
    desk.late("SO-3", 400)
    desk.tower.step(1)
    assert len(mails(target)) == 2
    assert [e.act for e in desk.audit] == ["subscribe", "confirm_subscription", "end_subscription"]
    kept = str(desk.tower.rows("SELECT * FROM notices") + desk.tower.rows("SELECT * FROM audit") + desk.audit)
    assert "ann@example.com" not in kept and "hunter2" not in kept and leave not in kept
    assert Audit(desk.tower.store).verify() is None


def test_what_was_on_its_way_to_an_address_that_was_changed_is_not_sent(desk: Desk, target: TargetStub) -> None:
    made = desk.call("POST", json=MAIL).json()
    desk.tower.step(1)
    desk.tower.until(lambda: len(mails(target)) == 1)
    other = desk.call("PUT", f"/{made['subscription_id']}", json={**MAIL, "address": "eve@example.com"}).json()
    assert other["state"] == "waiting"
    old = token(mails(target)[0], "confirm")
    assert "Nothing to do" in desk.call("POST", "/confirm", None, params={"token": old}).text
    assert desk.listed()[0]["state"] == "waiting"
    desk.tower.step(1)
    desk.tower.until(lambda: len(mails(target)) == 2)
    assert desk.call("POST", "/confirm", None, params={"token": token(mails(target)[1], "confirm")}).status_code == 200
    assert desk.listed()[0]["state"] == "active"


def test_an_order_whose_priority_changes_goes_to_its_new_route_at_the_next_tick(desk: Desk, target: TargetStub) -> None:
    text = BOOK.replace(
        "repeat_interval: 1h}}",
        "repeat_interval: 1h, routes: [{{when: {{priority: P1}}, receiver: ops, group_by: [order_id]}}]}}",
    )
    desk.tower.book = parse_book({"base.yaml": BASE, "routes.yaml": text.format(url=target.url)})
    desk.tower.step(1)
    desk.late("SO-1", 30)
    number = desk.tower._order("SO-1", {"priority": "P1"})  # judged again; the breach's row stays as it is
    desk.tower.now += timedelta(seconds=1)
    assert desk.tower.alerts.step(desk.tower.book, desk.tower.now, (number, 99)) == 1
    assert desk.tower.rows(
        "SELECT labels['order_id'], priority FROM alerts FINAL WHERE closed_at IS NULL AND labels['order_id'] != ''"
    ) == [("SO-1", "P1")]
