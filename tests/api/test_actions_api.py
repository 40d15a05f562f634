"""Clicks over HTTP: results per order, idempotency, previews, filters, cancelling, and what the board then says.

All tests share one application and one target; each has an order of its own (`clerk.order`), which is late.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.actions.target_stub import TargetStub
from tests.actions.world import KINDS, T0, clock_row
from tests.api.conftest import Api, make_api
from tests.api.test_door import is_problem
from tests.stores import Shelf
from tower.actions.runner import Actions
from tower.model.secret import Secrets
from tower.store.keys import Keys

SECRET = "s3cr3t-token-value"
ORDERS = 20


@pytest.fixture(scope="module")
def target() -> Iterator[TargetStub]:
    """A target that answers 200."""
    stub = TargetStub()
    yield stub
    stub.close()


@pytest.fixture(scope="module")
def desk(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory, target: TargetStub) -> Iterator[Api]:
    """An application with late orders whose retries go to the target."""
    with shelf.lend() as store:
        api = make_api(store, tmp_path_factory.mktemp("api"), target.url)
        late = [(f"SO-{n:02}", [clock_row(object_id=f"S{n:02}")], {"amount": Decimal("70")}) for n in range(ORDERS)]
        api.world.orders(late)
        yield api


NUMBERS = itertools.count()


@dataclass
class Clerk:
    """Somebody who clicks, about one order that nobody else clicks about."""

    desk: Api
    order: str
    object_id: str

    @property
    def wish(self) -> dict[str, Any]:
        """Return what is asked for unless said otherwise."""
        return {"kind": "retry", "orders": [{"order_id": self.order, "version": f"v-{self.order}"}]}

    def click(
        self, body: dict[str, Any] | None = None, key: str | None = "k1", role: str = "operator", query: str = ""
    ) -> httpx.Response:
        """Ask for a retry of the order, or whatever the body says. Keys are the clerk's own."""
        headers = {} if key is None else {"Idempotency-Key": f"{self.order}{key}" if key.strip() else key}
        return self.desk.call("POST", f"/v1/actions{query}", role, json=body or self.wish, headers=headers)

    def items(self) -> int:
        """Return how many items there are for the order."""
        with self.desk.world.store.reader() as client:
            sql = "SELECT count() FROM action_items FINAL WHERE order_id = {order:String}"
            return int(client.query(sql, parameters={"order": self.order}).result_rows[0][0])

    def row(self) -> dict[str, Any]:
        """Return the order on the board."""
        (found,) = self.desk.get(f"/v1/orders?q={self.order}").json()["orders"]
        return dict(found)

    def engine_acts(self) -> None:
        """Let an engine take a step."""
        world = self.desk.world
        runner = Actions(world.store, Secrets({"TOWER_SECRET_MIDDLEWARE": SECRET}), world.clock)
        runner.step(self.desk.book[0], KINDS, world.now, {})
        runner.close()


@pytest.fixture
def clerk(desk: Api) -> Clerk:
    number = next(NUMBERS)
    assert number < ORDERS, "more tests than orders"
    return Clerk(desk, f"SO-{number:02}", f"S{number:02}")


def results(reply: httpx.Response) -> dict[str, str]:
    """Return the result by order."""
    assert reply.status_code == 202, reply.text
    return {i["order_id"]: i["result"] for i in reply.json()["items"]}


def test_a_click_is_accepted_and_shown(desk: Api, clerk: Clerk) -> None:
    reply = clerk.click({**clerk.wish, "reason": "tax fixed"})
    assert results(reply) == {clerk.order: "accepted"}
    action_id = reply.json()["action_id"]
    shown = desk.get(f"/v1/actions/{action_id}").json()
    assert (shown["requested_by"], shown["reason"], shown["counts"]) == ("operator-key", "tax fixed", {"requested": 1})
    item = shown["items"][0]
    assert (item["order_id"], item["object_id"], item["stage"], item["state"], item["attempts"]) == (
        clerk.order, clerk.object_id, "ship-to-invoice", "requested", 0,
    )  # fmt: skip
    listed = desk.get(f"/v1/actions?order_id={clerk.order}").json()["actions"]
    assert [a["action_id"] for a in listed] == [action_id]
    assert desk.get(f"/v1/orders/{clerk.order}").json()["actions"][0]["action_id"] == action_id


def test_a_key_is_required_and_answers_the_same_again(clerk: Clerk) -> None:
    is_problem(clerk.click(key=None), 400, "idempotency_key_missing")
    is_problem(clerk.click(key=" "), 400, "idempotency_key_missing")
    first = clerk.click()
    assert clerk.click().content == first.content
    assert clerk.items() == 1
    is_problem(clerk.click({"orders": [{"order_id": "another"}]}), 422, "idempotency_key_reused")
    other = clerk.click(role="admin")
    assert results(other) == {clerk.order: "running"}, "the same key of somebody else is another key"
    assert other.json()["action_id"] != first.json()["action_id"]


def test_twenty_clicks_at_once_are_one_attempt(desk: Api, clerk: Clerk) -> None:
    body = {"orders": [{"order_id": clerk.order}]}
    replies = desk.at_once(20, "POST", "/v1/actions", "operator", json=body, headers={"Idempotency-Key": "twenty"})
    assert {r.status_code for r in replies} == {202}
    assert len({r.content for r in replies}) == 1
    assert clerk.items() == 1


def test_each_order_gets_its_own_result(desk: Api, clerk: Clerk) -> None:
    desk.world.orders(
        [
            ("SO-closed", [clock_row(object_id="R2")], {"state": "done", "closed_at": T0}),
            ("SO-fine", [clock_row(object_id="R3", verdict="on_track")], {}),
            ("SO-changed", [clock_row(object_id="R4")], {}),
            ("SO-other", [clock_row("capture-to-ship", "order", "SO-other")], {}),
            ("SO-split", [], {"state": "diverging"}),
            ("SO-7", [clock_row(object_id="R7")], {}),
        ]
    )
    clerk.click({"orders": [{"order_id": "SO-7"}]}, key="before")
    names = [clerk.order, "SO-closed", "SO-none", "SO-fine", "SO-other", "SO-split", "SO-7"]
    orders = [{"order_id": n} for n in names] + [{"order_id": "SO-changed", "version": "old"}]
    assert results(clerk.click({"orders": orders})) == {
        clerk.order: "accepted", "SO-closed": "gone", "SO-none": "gone", "SO-fine": "gone", "SO-other": "not_retryable",
        "SO-split": "not_retryable", "SO-7": "running", "SO-changed": "stale",
    }  # fmt: skip


def test_a_stage_names_the_clocks_meant(desk: Api, clerk: Clerk) -> None:
    desk.world.order(
        "SO-three",
        clock_row("capture-to-ship", "order", "SO-three"),
        clock_row(object_id="T8"),
        clock_row(object_id="T9"),
    )
    reply = clerk.click({"orders": [{"order_id": "SO-three"}], "stage": "ship-to-invoice"})
    assert results(reply) == {"SO-three": "accepted"}
    assert [o["object_id"] for o in reply.json()["items"][0]["objects"]] == ["T8", "T9"]


def test_a_filter_is_frozen_to_ids_at_once(desk: Api, clerk: Clerk) -> None:
    body = {"filter": {"state": "stuck", "customer_id": "C-frozen"}}
    desk.world.order("SO-first", clock_row(object_id="F1"), customer_id="C-frozen")
    reply = clerk.click(body)
    desk.world.order("SO-later", clock_row(object_id="F2"), customer_id="C-frozen")
    assert results(reply) == {"SO-first": "accepted"}
    assert results(clerk.click(body)) == {"SO-first": "accepted"}
    is_problem(clerk.click({"filter": {"colour": "red"}}, key="k2"), 400, "unknown_parameter")


def test_a_dry_run_shows_the_exact_request_without_secrets_and_writes_nothing(clerk: Clerk, target: TargetStub) -> None:
    reply = clerk.click(query="?dry_run=true")
    request = reply.json()["items"][0]["objects"][0]["request"]
    assert (request["method"], request["url"]) == ("POST", f"{target.url}/retry/{clerk.order}")
    assert request["json"] == {"stage": "ship-to-invoice", "attempt": "1", "why": ""}
    assert request["headers"]["Authorization"] == "Bearer ***"
    assert "TOWER_SECRET" not in reply.text
    actions = clerk.desk.world.count("actions")
    assert clerk.items() == 0
    clerk.click()
    assert clerk.desk.world.count("actions") == actions + 1
    clerk.engine_acts()
    (heard,) = [h for h in target.heard if h.path == f"/retry/{clerk.order}"]
    assert heard.key == request["headers"]["Idempotency-Key"]


def test_the_board_counts_retries_and_offers_none_while_one_is_under_way(
    desk: Api, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (clerk.row()["retries"], clerk.row()["retryable"]) == (0, True)
    first = desk.get(f"/v1/orders?q={clerk.order}")
    with monkeypatch.context() as patch:
        patch.setattr(desk, "tick", lambda: None)  # the click is seen though no tick happens between
        clerk.click()
        assert clerk.row()["retryable"] is False
    changed = desk.get(f"/v1/orders?q={clerk.order}", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    clerk.engine_acts()
    assert clerk.row()["retries"] == 1


def test_cancel_takes_back_what_is_not_sent(desk: Api, clerk: Clerk) -> None:
    action_id = clerk.click().json()["action_id"]
    reply = desk.call("POST", f"/v1/actions/{action_id}/cancel", "operator").json()
    assert (reply["cancelled"], reply["items"][0]["state"]) == (1, "cancelled")
    assert results(clerk.click(key="k2")) == {clerk.order: "accepted"}
    is_problem(desk.call("POST", "/v1/actions/none/cancel", "operator"), 404, "not_found")


def test_a_step_that_is_not_possible_says_why(desk: Api, clerk: Clerk) -> None:
    action_id = clerk.click().json()["action_id"]
    for step in ("approve", "resume"):
        said = is_problem(desk.call("POST", f"/v1/actions/{action_id}/{step}", "admin"), 409, "no_such_step")
        assert said["detail"] == f"the action is running, so there is nothing to {step}"
        is_problem(desk.call("POST", f"/v1/actions/none/{step}", "admin"), 404, "not_found")


def test_a_paused_action_is_shown_with_who_and_why_and_goes_on(desk: Api, clerk: Clerk) -> None:
    action_id = clerk.click().json()["action_id"]
    for step, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        reply = desk.call("POST", f"/v1/actions/{action_id}/{step}", "operator", json={"reason": f"{step} it"})
        assert (reply.status_code, reply.json()["state"]) == (200, state), reply.text
        told = reply.json()
        assert (told["state_by"], told["state_reason"], told["progress"]["total"]) == ("operator-key", f"{step} it", 1)
        listed = desk.get(f"/v1/actions?state={state}&order_id={clerk.order}").json()["actions"]
        assert [a["action_id"] for a in listed] == [action_id]
    said = is_problem(desk.call("POST", f"/v1/actions/{action_id}/resume", "operator"), 409, "no_such_step")
    assert said["detail"] == "the action is cancelled (by operator-key: cancel it), so there is nothing to resume"
    acts = [(a["act"], a["why"]) for a in desk.get(f"/v1/audit?subject={action_id}").json()["audit"]]
    assert acts == [("cancel", "cancel it"), ("resume", "resume it"), ("pause", "pause it")]


def test_what_moves_money_needs_a_reason_and_a_second_person(api: Api) -> None:
    api.world.order("SO-1", clock_row())
    clerk = Clerk(api, "SO-1", "S1")
    book = api.book[0]
    api.book[0] = replace(book, actions=tuple(replace(a, safety="R3") for a in book.actions))
    wish = {"orders": [{"order_id": clerk.order}]}
    assert clerk.click(wish, query="?dry_run=true").json()["batch"]["needs"] == ["reason", "approval"]
    said = is_problem(clerk.click(wish), 400, "reason_missing")
    assert said["detail"] == "this moves money or makes a legal document (R3): say why in `reason`"
    made = clerk.click({**wish, "reason": "agreed with tax"}, role="admin").json()["action_id"]
    assert api.get(f"/v1/actions/{made}").json()["state"] == "requested"
    is_problem(api.call("POST", f"/v1/actions/{made}/approve", "operator"), 403, "forbidden")
    is_problem(api.call("POST", f"/v1/actions/{made}/approve", "admin"), 403, "second_person")
    reply = api.call("POST", f"/v1/actions/{made}/approve", "approver", json={"reason": "checked"})
    assert (reply.json()["state"], reply.json()["counts"]) == ("running", {"approved": 1})
    is_problem(api.call("POST", f"/v1/actions/{made}/approve", "approver"), 409, "no_such_step")


def test_a_batch_by_filter_is_previewed_and_shows_what_has_arrived_since(api: Api) -> None:
    late = [
        (f"SO-F{n}", [clock_row(object_id=f"F{n}")], {"priority": "P1", "amount": Decimal(100 * n)}) for n in range(7)
    ]
    api.world.orders([*late, ("SO-Fx", [clock_row("capture-to-ship", "order", "SO-Fx")], {"priority": "P1"})])
    body = {"filter": {"state": "stuck", "priority": "P1"}, "reason": "tax is back"}
    clerk = Clerk(api, "SO-F0", "F0")
    batch = clerk.click(body, query="?dry_run=true").json()["batch"]
    assert (batch["orders"], batch["items"], batch["value"], batch["waves"]) == (8, 7, "2100.00", [1, 5, 1])
    assert batch["refused"] == [{"reason": "the rulebook has no retry for this", "orders": 1}]
    assert batch["targets"] == [
        {"target": "middleware", "breaker_open": False, "verified": 0, "unwell": 0, "under_way": 0}
    ]
    made = clerk.click(body).json()["action_id"]
    api.world.order("SO-late", clock_row(object_id="L1"), priority="P1")
    told = api.get(f"/v1/actions/{made}").json()
    assert told["arrived_since"] == {"orders": 1, "first": ["SO-late"]}
    assert [(w["total"], w["waiting"]) for w in told["waves"]] == [(1, 1), (5, 5), (1, 1)]
    assert (told["state"], told["least_verified"], told["filter"]) == ("running", 0.8, body["filter"])


def test_actions_are_listed_latest_first(desk: Api, clerk: Clerk) -> None:
    desk.tokens["lister"] = Keys(desk.world.store).add("lister", ["operator"])
    made = []
    for n in range(3):
        made.append(clerk.click(key=f"k{n}", role="lister").json()["action_id"])
        desk.world.wait(1)
    first = desk.get("/v1/actions?requested_by=lister&limit=2").json()
    second = desk.get(f"/v1/actions?requested_by=lister&limit=2&cursor={first['next_cursor']}").json()
    assert [a["action_id"] for a in first["actions"] + second["actions"]] == made[::-1]
    assert second["next_cursor"] is None
