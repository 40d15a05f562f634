"""Clicks over HTTP: results per order, idempotency, previews, filters, cancelling, and what the board then says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.actions.target_stub import TargetStub
from tests.actions.world import KINDS, T0, clock_row
from tests.api.conftest import Api, make_api
from tests.api.test_door import is_problem
from tower.actions.runner import Actions
from tower.model.secret import Secrets
from tower.store.client import Store
from tower.store.keys import Keys

SECRET = "s3cr3t-token-value"


@pytest.fixture
def target() -> Iterator[TargetStub]:
    """A target that answers 200."""
    stub = TargetStub()
    yield stub
    stub.close()


@pytest.fixture
def desk(store: Store, tmp_path: Path, target: TargetStub) -> Api:
    """An application with one late order whose retry goes to the target."""
    api = make_api(store, tmp_path, target.url)
    api.world.order("SO-1", clock_row(), amount=Decimal("70"))
    return api


def click(
    api: Api, body: dict[str, Any] | None = None, key: str | None = "k1", role: str = "operator", query: str = ""
) -> httpx.Response:
    """Ask for a retry of SO-1, or whatever the body says."""
    headers = {"Idempotency-Key": key} if key is not None else {}
    body = body if body is not None else {"kind": "retry", "orders": [{"order_id": "SO-1", "version": "v-SO-1"}]}
    return api.call("POST", f"/v1/actions{query}", role, json=body, headers=headers)


def results(reply: httpx.Response) -> dict[str, str]:
    """Return the result by order."""
    assert reply.status_code == 202, reply.text
    return {i["order_id"]: i["result"] for i in reply.json()["items"]}


def test_a_click_is_accepted_and_shown(desk: Api) -> None:
    reply = click(desk, {"kind": "retry", "orders": [{"order_id": "SO-1", "version": "v-SO-1"}], "reason": "tax fixed"})
    assert results(reply) == {"SO-1": "accepted"}
    action_id = reply.json()["action_id"]
    shown = desk.get(f"/v1/actions/{action_id}").json()
    assert (shown["requested_by"], shown["reason"], shown["counts"]) == ("operator-key", "tax fixed", {"requested": 1})
    item = shown["items"][0]
    assert (item["order_id"], item["object_id"], item["stage"], item["state"], item["attempts"]) == (
        "SO-1", "S1", "ship-to-invoice", "requested", 0,
    )  # fmt: skip
    assert [a["action_id"] for a in desk.get("/v1/actions?order_id=SO-1").json()["actions"]] == [action_id]
    assert desk.get("/v1/orders/SO-1").json()["actions"][0]["action_id"] == action_id


def test_a_key_is_required_and_answers_the_same_again(desk: Api) -> None:
    is_problem(click(desk, key=None), 400, "idempotency_key_missing")
    is_problem(click(desk, key=" "), 400, "idempotency_key_missing")
    first = click(desk)
    assert click(desk).content == first.content
    assert desk.world.count("action_items FINAL") == 1
    is_problem(click(desk, {"orders": [{"order_id": "SO-2"}]}), 422, "idempotency_key_reused")


def test_the_same_key_of_somebody_else_is_another_key(desk: Api) -> None:
    first = click(desk)
    assert results(click(desk, role="admin")) == {"SO-1": "running"}
    assert click(desk, role="admin").json()["action_id"] != first.json()["action_id"]


def test_twenty_clicks_at_once_are_one_attempt(desk: Api) -> None:
    body = {"orders": [{"order_id": "SO-1"}]}
    replies = desk.at_once(20, "POST", "/v1/actions", "operator", json=body, headers={"Idempotency-Key": "k"})
    assert {r.status_code for r in replies} == {202}
    assert len({r.content for r in replies}) == 1
    assert desk.world.count("action_items FINAL") == 1


def test_each_order_gets_its_own_result(desk: Api) -> None:
    w = desk.world
    w.order("SO-closed", clock_row(object_id="S2"), state="done", closed_at=T0)
    w.order("SO-fine", clock_row(object_id="S3", verdict="on_track"))
    w.order("SO-changed", clock_row(object_id="S4"))
    w.order("SO-other", clock_row("capture-to-ship", "order", "SO-other"))
    w.order("SO-split", state="diverging")
    w.order("SO-7", clock_row(object_id="S7"))
    click(desk, {"orders": [{"order_id": "SO-7"}]}, key="before")
    names = ["SO-1", "SO-closed", "SO-none", "SO-fine", "SO-other", "SO-split", "SO-7"]
    orders = [{"order_id": n} for n in names] + [{"order_id": "SO-changed", "version": "old"}]
    assert results(click(desk, {"orders": orders})) == {
        "SO-1": "accepted", "SO-closed": "gone", "SO-none": "gone", "SO-fine": "gone", "SO-other": "not_retryable",
        "SO-split": "not_retryable", "SO-7": "running", "SO-changed": "stale",
    }  # fmt: skip


def test_a_stage_names_the_clocks_meant(desk: Api) -> None:
    desk.world.order(
        "SO-2", clock_row("capture-to-ship", "order", "SO-2"), clock_row(object_id="S8"), clock_row(object_id="S9")
    )
    reply = click(desk, {"orders": [{"order_id": "SO-2"}], "stage": "ship-to-invoice"})
    assert results(reply) == {"SO-2": "accepted"}
    assert [o["object_id"] for o in reply.json()["items"][0]["objects"]] == ["S8", "S9"]


def test_a_filter_is_frozen_to_ids_at_once(desk: Api) -> None:
    desk.world.order("SO-2", clock_row(object_id="S2"), priority="P1")
    reply = click(desk, {"filter": {"state": "stuck", "priority": "P1"}})
    desk.world.order("SO-3", clock_row(object_id="S3"), priority="P1")
    assert results(reply) == {"SO-2": "accepted"}
    assert results(click(desk, {"filter": {"state": "stuck", "priority": "P1"}})) == {"SO-2": "accepted"}
    is_problem(click(desk, {"filter": {"colour": "red"}}, key="k2"), 400, "unknown_parameter")


def test_a_dry_run_shows_the_exact_request_without_secrets_and_writes_nothing(desk: Api, target: TargetStub) -> None:
    reply = click(desk, query="?dry_run=true")
    request = reply.json()["items"][0]["objects"][0]["request"]
    assert (request["method"], request["url"]) == ("POST", f"{target.url}/retry/SO-1")
    assert request["json"] == {"stage": "ship-to-invoice", "attempt": "1", "why": ""}
    assert request["headers"]["Authorization"] == "Bearer ***"
    assert "TOWER_SECRET" not in reply.text
    assert desk.world.count("actions") == desk.world.count("action_items") == 0
    runner = Actions(desk.world.store, Secrets({"TOWER_SECRET_MIDDLEWARE": SECRET}), desk.world.clock)
    click(desk)
    runner.step(desk.book[0], KINDS, desk.world.now, {})
    runner.close()
    assert target.heard[0].key == request["headers"]["Idempotency-Key"]


def test_the_board_counts_retries_and_offers_none_while_one_is_under_way(desk: Api, target: TargetStub) -> None:
    row = desk.get("/v1/orders").json()["orders"][0]
    assert (row["retries"], row["retryable"]) == (0, True)
    first = desk.get("/v1/orders")
    click(desk)
    changed = desk.get("/v1/orders", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.json()["orders"][0]["retryable"] is False
    runner = Actions(desk.world.store, Secrets({"TOWER_SECRET_MIDDLEWARE": SECRET}), desk.world.clock)
    runner.step(desk.book[0], KINDS, desk.world.now, {})
    runner.close()
    assert desk.get("/v1/orders").json()["orders"][0]["retries"] == 1


def test_a_click_is_seen_on_the_board_within_the_same_tick(desk: Api) -> None:
    assert desk.get("/v1/orders").json()["orders"][0]["retryable"] is True
    desk.tick = lambda: None  # type: ignore[method-assign]  # no tick happens between
    click(desk)
    assert desk.get("/v1/orders").json()["orders"][0]["retryable"] is False


def test_cancel_takes_back_what_is_not_sent(desk: Api) -> None:
    action_id = click(desk).json()["action_id"]
    reply = desk.call("POST", f"/v1/actions/{action_id}/cancel", "operator").json()
    assert (reply["cancelled"], reply["items"][0]["state"]) == (1, "cancelled")
    assert results(click(desk, key="k2")) == {"SO-1": "accepted"}
    is_problem(desk.call("POST", "/v1/actions/none/cancel", "operator"), 404, "not_found")


@pytest.mark.parametrize("step", ["approve", "resume"])
def test_a_step_that_is_not_possible_says_why(desk: Api, step: str) -> None:
    action_id = click(desk).json()["action_id"]
    said = is_problem(desk.call("POST", f"/v1/actions/{action_id}/{step}", "admin"), 409, "no_such_step")
    assert said["detail"] == f"the action is running, so there is nothing to {step}"
    is_problem(desk.call("POST", f"/v1/actions/none/{step}", "admin"), 404, "not_found")


def test_a_paused_action_is_shown_with_who_and_why_and_goes_on(desk: Api) -> None:
    action_id = click(desk).json()["action_id"]
    for step, state in (("pause", "paused"), ("resume", "running"), ("pause", "paused"), ("cancel", "cancelled")):
        reply = desk.call("POST", f"/v1/actions/{action_id}/{step}", "operator", json={"reason": f"{step} it"})
        assert (reply.status_code, reply.json()["state"]) == (200, state), reply.text
        told = reply.json()
        assert (told["state_by"], told["state_reason"], told["progress"]["total"]) == ("operator-key", f"{step} it", 1)
        listed = desk.get(f"/v1/actions?state={state}").json()["actions"]
        assert [a["action_id"] for a in listed] == [action_id]
    said = is_problem(desk.call("POST", f"/v1/actions/{action_id}/resume", "operator"), 409, "no_such_step")
    assert said["detail"] == "the action is cancelled (by operator-key: cancel it), so there is nothing to resume"
    acts = [(a["act"], a["why"]) for a in desk.get("/v1/audit").json()["audit"]]
    assert acts == [("cancel", "cancel it"), ("pause", "pause it"), ("resume", "resume it"), ("pause", "pause it")]


def test_what_moves_money_needs_a_reason_and_a_second_person(desk: Api) -> None:
    book = desk.book[0]
    desk.book[0] = replace(book, actions=tuple(replace(a, safety="R3") for a in book.actions))
    wish = {"orders": [{"order_id": "SO-1"}]}
    assert click(desk, wish, query="?dry_run=true").json()["batch"]["needs"] == ["reason", "approval"]
    said = is_problem(click(desk, wish), 400, "reason_missing")
    assert said["detail"] == "this moves money or makes a legal document (R3): say why in `reason`"
    made = click(desk, {**wish, "reason": "agreed with tax"}, role="admin").json()["action_id"]
    assert desk.get(f"/v1/actions/{made}").json()["state"] == "requested"
    is_problem(desk.call("POST", f"/v1/actions/{made}/approve", "operator"), 403, "forbidden")
    is_problem(desk.call("POST", f"/v1/actions/{made}/approve", "admin"), 403, "second_person")
    desk.tokens["approver"] = Keys(desk.world.store).add("otto", ["approver"])
    reply = desk.call("POST", f"/v1/actions/{made}/approve", "approver", json={"reason": "checked"})
    assert (reply.json()["state"], reply.json()["counts"]) == ("running", {"approved": 1})
    is_problem(desk.call("POST", f"/v1/actions/{made}/approve", "approver"), 409, "no_such_step")


def test_a_batch_by_filter_is_previewed_and_shows_what_has_arrived_since(desk: Api) -> None:
    for n in range(7):
        desk.world.order(f"SO-F{n}", clock_row(object_id=f"F{n}"), priority="P1", amount=Decimal(100 * n))
    desk.world.order("SO-Fx", clock_row("capture-to-ship", "order", "SO-Fx"), priority="P1")
    body = {"filter": {"state": "stuck", "priority": "P1"}, "reason": "tax is back"}
    batch = click(desk, body, query="?dry_run=true").json()["batch"]
    assert (batch["orders"], batch["items"], batch["value"], batch["waves"]) == (8, 7, "2100.00", [1, 5, 1])
    assert batch["refused"] == [{"reason": "the rulebook has no retry for this", "orders": 1}]
    assert batch["targets"] == [
        {"target": "middleware", "breaker_open": False, "verified": 0, "unwell": 0, "under_way": 0}
    ]
    made = click(desk, body).json()["action_id"]
    desk.world.order("SO-late", clock_row(object_id="L1"), priority="P1")
    told = desk.get(f"/v1/actions/{made}").json()
    assert told["arrived_since"] == {"orders": 1, "first": ["SO-late"]}
    assert [(w["total"], w["waiting"]) for w in told["waves"]] == [(1, 1), (5, 5), (1, 1)]
    assert (told["state"], told["least_verified"], told["filter"]) == ("running", 0.8, body["filter"])


def test_actions_are_listed_latest_first(desk: Api) -> None:
    made = []
    for n in range(5):
        made.append(click(desk, key=f"k{n}").json()["action_id"])
        desk.world.wait(1)
    first = desk.get("/v1/actions?limit=3").json()
    second = desk.get(f"/v1/actions?limit=3&cursor={first['next_cursor']}").json()
    assert [a["action_id"] for a in first["actions"] + second["actions"]] == made[::-1]
    assert second["next_cursor"] is None
