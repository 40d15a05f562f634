"""What people say about orders by hand, through a whole tower: asked for, audited, judged by, taken back."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.events import event, rfc3339
from tests.api.whole import Whole, whole_tower
from tower.store.audit import Audit

T0 = (datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)
NUMBERS = itertools.count()
ORDERS = ("SO-1", "SO-2", "SO-3", "SO-4")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """A tower with a few late orders, of ACME all but the last."""
    with whole_tower(tmp_path_factory.mktemp("hand")) as made:
        made.send(*(
            event("/erp/main", f"a-{o}", "order_accepted", T0, order_id=o, partner="BETA" if o == "SO-4" else "ACME")
            for o in ORDERS
        ))  # fmt: skip
        made.key("ana", ["operator"])
        made.key("ben", ["operator"])
        made.key("acme", ["operator"], [], ["partner=ACME"])
        yield made


def say(whole: Whole, kind: str, order: str, who: str = "ana", **more: Any) -> dict[str, Any]:
    """Say a word about an order, and return the answer about it once it counts."""
    body = {"kind": kind, "orders": [{"order_id": order}], **more}
    reply = whole.call(who, "POST", "/v1/actions", json=body, headers={"Idempotency-Key": f"k{next(NUMBERS)}"})
    assert reply.status_code == 202, reply.text
    action, deadline = reply.json()["action_id"], time.monotonic() + 30
    while whole.call(who, "GET", f"/v1/actions/{action}").json()["state"] != "done":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    beat(whole)
    (item,) = reply.json()["items"]
    return dict(item)


def beat(whole: Whole) -> None:
    """Wait for a tick that began after now."""
    whole.send(event("/wms/main", f"beat-{next(NUMBERS)}", "heartbeat", datetime.now(UTC)))


def row(whole: Whole, order: str, who: str = "ana", query: str = "") -> dict[str, Any]:
    return dict(whole.call(who, "GET", f"/v1/orders/{order}{query}").json())


def listed(whole: Whole, query: str) -> set[str]:
    reply = whole.call("ana", "GET", f"/v1/orders?{query}")
    assert reply.status_code == 200, reply.text
    return {o["order_id"] for o in reply.json()["orders"]}


def test_a_held_order_is_left_alone_until_it_is_released(whole: Whole) -> None:
    before = rfc3339(datetime.now(UTC))
    assert row(whole, "SO-1")["retryable"] is True
    assert say(whole, "hold", "SO-1", reason="customer calls back")["result"] == "accepted"
    held = row(whole, "SO-1")
    assert (held["held_by"], held["retryable"], held["state"]) == ("ana", False, "late")
    assert listed(whole, "held=true") == {"SO-1"}
    refused = say(whole, "retry", "SO-1", "ben")
    assert (refused["result"], refused["detail"]) == ("not_retryable", "ana holds the order; release it first")
    assert row(whole, "SO-1", query=f"?as_of={before}")["held_by"] == ""
    assert row(whole, "SO-1", query=f"?known_at={before}")["by_hand"] == []
    assert say(whole, "release", "SO-1", "ben")["result"] == "accepted"
    free = row(whole, "SO-1")
    assert (free["held_by"], free["retryable"]) == ("", True)
    assert [(w["what"], w["undo"], w["by"], w["said"]) for w in free["by_hand"]] == [
        ("held", True, "ben", ""), ("held", False, "ana", "customer calls back"),
    ]  # fmt: skip
    assert say(whole, "release", "SO-1")["detail"] == "nothing to take back: the order is not held"


def test_work_has_an_owner(whole: Whole) -> None:
    say(whole, "assign", "SO-2")
    assert listed(whole, "assignee=ana") == {"SO-2"}
    say(whole, "assign", "SO-2", assignee="ben")
    assert (listed(whole, "assignee=ana"), listed(whole, "assignee=ben")) == (set(), {"SO-2"})
    assert "SO-2" not in listed(whole, "assignee=")
    say(whole, "unassign", "SO-2", "ben")
    assert row(whole, "SO-2")["assignee"] == ""


def test_an_escalation_is_a_breach_until_it_is_taken_back(whole: Whole) -> None:
    say(whole, "escalate", "SO-2", reason="the customer's board asks")
    assert row(whole, "SO-2")["escalated_by"] == "ana"
    (found,) = whole.call("ana", "GET", "/v1/breaches?order_id=SO-2&rule=escalated").json()["breaches"]
    assert (found["kind"], found["state"], found["error"]) == ("escalated", "open", "the customer's board asks")
    assert say(whole, "escalate", "SO-2", "ben", reason="me too")["detail"] == "ana has escalated it already"
    why = whole.call("ana", "GET", "/v1/orders/SO-2/why?rule=escalated").json()
    assert [f["evidence"]["by"] for f in why["findings"]] == ["ana"]
    say(whole, "deescalate", "SO-2")
    (over,) = whole.call("ana", "GET", "/v1/breaches?order_id=SO-2&rule=escalated").json()["breaches"]
    assert (over["state"], row(whole, "SO-2")["escalated_by"]) == ("resolved", "")


def test_an_order_marked_done_is_closed_until_something_contrary_happens(whole: Whole) -> None:
    body = {"kind": "mark_done", "orders": [{"order_id": "SO-3"}]}
    reply = whole.call("ana", "POST", "/v1/actions", json=body, headers={"Idempotency-Key": "no reason"})
    assert (reply.status_code, reply.json()["code"]) == (400, "reason_missing")
    stale = say(whole, "mark_done", "SO-3", orders=[{"order_id": "SO-3", "version": "old"}], reason="handed over")
    assert stale["result"] == "stale"
    say(whole, "mark_done", "SO-3", reason="handed over at the counter")
    done = row(whole, "SO-3")
    assert (done["state"], done["closed_by"], done["value_at_risk"]) == ("done", "ana", None)
    assert {c["state"] for c in done["clocks"]} == {"ended"}
    assert say(whole, "retry", "SO-3")["result"] == "gone"
    whole.send(
        event("/wms/main", "f-SO-3", "shipment_confirmed.failed", datetime.now(UTC), order_id="SO-3", error="torn")
    )
    assert (row(whole, "SO-3")["state"], row(whole, "SO-3")["closed_by"]) == ("failing", "")
    say(whole, "mark_done", "SO-3", reason="replaced by hand")
    assert row(whole, "SO-3")["closed_by"] == "ana"
    say(whole, "reopen", "SO-3", reason="came back")
    assert row(whole, "SO-3")["state"] == "failing"


def test_words_stay_among_those_who_may_read_them(whole: Whole) -> None:
    say(whole, "note", "SO-1", reason="the buyer is on leave")
    say(whole, "note", "SO-1", "acme", reason="we wait")
    assert [w["said"] for w in row(whole, "SO-1")["by_hand"]][:2] == ["we wait", "the buyer is on leave"]
    assert [w["said"] for w in row(whole, "SO-1", "acme")["by_hand"]] == ["we wait"]
    unseen = {"kind": "hold", "orders": [{"order_id": "SO-4"}], "reason": "x"}
    reply = whole.call("acme", "POST", "/v1/actions", json=unseen, headers={"Idempotency-Key": "h4"})
    assert [i["result"] for i in reply.json()["items"]] == ["gone"]
    assert row(whole, "SO-4")["held_by"] == ""
    viewer = whole.key("eva", ["viewer"])
    assert whole.call(viewer, "POST", "/v1/actions", json=unseen, headers={"Idempotency-Key": "e"}).status_code == 403


def test_each_word_is_in_the_audit_once_and_a_repeated_click_says_nothing_new(whole: Whole) -> None:
    body = {"kind": "note", "orders": [{"order_id": "SO-2"}], "reason": "twice clicked"}
    for _ in range(2):
        whole.call("ana", "POST", "/v1/actions", json=body, headers={"Idempotency-Key": "same"})
    say(whole, "note", "SO-2", reason="after it")
    assert [w["said"] for w in row(whole, "SO-2")["by_hand"]][:2] == ["after it", "twice clicked"]
    audit = whole.call("ana", "GET", "/v1/audit?limit=200").json()["audit"]
    assert [a["actor"] for a in audit if a["why"] == "twice clicked"] == ["ana"]
    assert Audit(whole.app.state.context.store).verify() is None
