"""What people say about orders by hand, through a whole tower: asked for, audited, judged by, taken back.

Each story has orders of its own and yields what is said or sent next; all stories go on together, one tick a round.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.events import event, rfc3339
from tests.api.whole import Whole, whole_tower
from tower.store.audit import Audit

T0 = (datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)
NUMBERS = itertools.count()
ORDERS = ("SO-1", "SO-2", "SO-3", "SO-4", "SO-5", "SO-6", "SO-7", "SO-8")


@dataclass
class Say:
    """A word about an order."""

    kind: str
    order: str
    who: str = "ana"
    more: dict[str, Any] = field(default_factory=dict)


Event = dict[str, Any]
Story = Generator[Say | Event, dict[str, Any], None]  # what is sent back is the answer about the order


def failure(order: str, at: datetime) -> Event:
    return event("/wms/main", f"f-{order}", "shipment_confirmed.failed", at, order_id=order, error="torn")


def say(kind: str, order: str, who: str = "ana", **more: Any) -> Say:
    return Say(kind, order, who, more)


def post(whole: Whole, word: Say) -> dict[str, Any]:
    """Say a word and return the whole answer."""
    body = {"kind": word.kind, "orders": [{"order_id": word.order}], **word.more}
    headers = {"Idempotency-Key": f"k{next(NUMBERS)}"}
    reply = whole.call(word.who, "POST", "/v1/actions", json=body, headers=headers)
    assert reply.status_code == 202, reply.text
    return dict(reply.json())


def settle(whole: Whole, action_ids: list[str], events: list[Event]) -> None:
    """Let the engine tick until the actions are done, and then once more, to judge by them and by events."""

    def tick(*events: Event) -> None:
        whole.send(*events, event("/wms/main", f"beat-{next(NUMBERS)}", "heartbeat", datetime.now(UTC)))

    deadline = time.monotonic() + 60
    while True:
        told = whole.call("ana", "GET", "/v1/actions?limit=100").json()["actions"]
        if set(action_ids) <= {a["action_id"] for a in told if a["state"] == "done"}:
            break
        assert time.monotonic() < deadline
        tick()
    tick(*events)


def page(whole: Whole, order: str, who: str = "ana", query: str = "") -> dict[str, Any]:
    """Return all that is told of an order."""
    return dict(whole.call(who, "GET", f"/v1/orders/{order}{query}").json())


def row(whole: Whole, order: str) -> dict[str, Any]:
    """Return the order's row on the board, which costs a fifth of its page."""
    (found,) = whole.call("ana", "GET", f"/v1/orders?q={order}").json()["orders"]
    return dict(found)


def listed(whole: Whole, query: str) -> set[str]:
    reply = whole.call("ana", "GET", f"/v1/orders?{query}")
    assert reply.status_code == 200, reply.text
    return {o["order_id"] for o in reply.json()["orders"]}


def refused(whole: Whole, word: Say) -> dict[str, Any]:
    """Return the answer to a word that is not taken, so that nothing has to be judged."""
    (item,) = post(whole, word)["items"]
    assert item["result"] != "accepted"
    return dict(item)


def a_held_order_is_left_alone_until_it_is_released(whole: Whole) -> Story:
    before = rfc3339(datetime.now(UTC))
    assert row(whole, "SO-1")["retryable"] is True
    assert (yield say("hold", "SO-1", reason="customer calls back"))["result"] == "accepted"
    held = row(whole, "SO-1")
    assert (held["held_by"], held["retryable"], held["state"]) == ("ana", False, "late")
    assert listed(whole, "held=true") == {"SO-1"}
    no = refused(whole, say("retry", "SO-1", "ben"))
    assert (no["result"], no["detail"]) == ("not_retryable", "ana holds the order; release it first")
    assert page(whole, "SO-1", query=f"?as_of={before}")["held_by"] == ""
    assert page(whole, "SO-1", query=f"?known_at={before}")["by_hand"] == []
    assert (yield say("release", "SO-1", "ben"))["result"] == "accepted"
    free = page(whole, "SO-1")
    assert (free["held_by"], free["retryable"]) == ("", True)
    assert [(w["what"], w["undo"], w["by"], w["said"]) for w in free["by_hand"]] == [
        ("held", True, "ben", ""), ("held", False, "ana", "customer calls back"),
    ]  # fmt: skip
    assert refused(whole, say("release", "SO-1"))["detail"] == "nothing to take back: the order is not held"


def work_has_an_owner(whole: Whole) -> Story:
    yield say("assign", "SO-2")
    assert listed(whole, "assignee=ana") == {"SO-2"}
    yield say("assign", "SO-2", assignee="ben")
    assert (listed(whole, "assignee=ana"), listed(whole, "assignee=ben")) == (set(), {"SO-2"})
    assert "SO-2" not in listed(whole, "assignee=")
    yield say("unassign", "SO-2", "ben")
    assert row(whole, "SO-2")["assignee"] == ""


def an_escalation_is_a_breach_until_it_is_taken_back(whole: Whole) -> Story:
    yield say("escalate", "SO-5", reason="the customer's board asks")
    assert row(whole, "SO-5")["escalated_by"] == "ana"
    (found,) = whole.call("ana", "GET", "/v1/breaches?order_id=SO-5&rule=escalated").json()["breaches"]
    assert (found["kind"], found["state"], found["error"]) == ("escalated", "open", "the customer's board asks")
    assert refused(whole, say("escalate", "SO-5", "ben", reason="me too"))["detail"] == "ana has escalated it already"
    why = whole.call("ana", "GET", "/v1/orders/SO-5/why?rule=escalated").json()
    assert [f["evidence"]["by"] for f in why["findings"]] == ["ana"]
    yield say("deescalate", "SO-5")
    (over,) = whole.call("ana", "GET", "/v1/breaches?order_id=SO-5&rule=escalated").json()["breaches"]
    assert (over["state"], row(whole, "SO-5")["escalated_by"]) == ("resolved", "")


def an_order_marked_done_is_closed_until_something_contrary_happens(whole: Whole) -> Story:
    body = {"kind": "mark_done", "orders": [{"order_id": "SO-3"}]}
    reply = whole.call("ana", "POST", "/v1/actions", json=body, headers={"Idempotency-Key": "no reason"})
    assert (reply.status_code, reply.json()["code"]) == (400, "reason_missing")
    stale = refused(
        whole, say("mark_done", "SO-3", orders=[{"order_id": "SO-3", "version": "old"}], reason="handed over")
    )
    assert stale["result"] == "stale"
    yield say("mark_done", "SO-3", reason="handed over at the counter")
    done = page(whole, "SO-3")
    assert (done["state"], done["closed_by"], done["value_at_risk"]) == ("done", "ana", None)
    assert {c["state"] for c in done["clocks"]} == {"ended"}
    assert refused(whole, say("retry", "SO-3"))["result"] == "gone"
    yield failure("SO-3", datetime.now(UTC))
    assert (row(whole, "SO-3")["state"], row(whole, "SO-3")["closed_by"]) == ("failing", "")


def an_order_that_fails_is_marked_done_and_reopened(whole: Whole) -> Story:
    yield say("mark_done", "SO-8", reason="replaced by hand")
    assert row(whole, "SO-8")["closed_by"] == "ana"
    yield say("reopen", "SO-8", reason="came back")
    assert row(whole, "SO-8")["state"] == "failing"


def words_stay_among_those_who_may_read_them(whole: Whole) -> Story:
    yield say("note", "SO-6", reason="the buyer is on leave")
    yield say("note", "SO-6", "acme", reason="we wait")
    assert [w["said"] for w in page(whole, "SO-6")["by_hand"]][:2] == ["we wait", "the buyer is on leave"]
    assert [w["said"] for w in page(whole, "SO-6", "acme")["by_hand"]] == ["we wait"]
    unseen = {"kind": "hold", "orders": [{"order_id": "SO-4"}], "reason": "x"}
    reply = whole.call("acme", "POST", "/v1/actions", json=unseen, headers={"Idempotency-Key": "h4"})
    assert [i["result"] for i in reply.json()["items"]] == ["gone"]
    assert row(whole, "SO-4")["held_by"] == ""
    viewer = whole.key("eva", ["viewer"])
    assert whole.call(viewer, "POST", "/v1/actions", json=unseen, headers={"Idempotency-Key": "e"}).status_code == 403


def each_word_is_in_the_audit_once_and_a_repeated_click_says_nothing_new(whole: Whole) -> Story:
    body = {"kind": "note", "orders": [{"order_id": "SO-7"}], "reason": "twice clicked"}
    for _ in range(2):
        whole.call("ana", "POST", "/v1/actions", json=body, headers={"Idempotency-Key": "same"})
    yield say("note", "SO-7", reason="after it")
    assert [w["said"] for w in page(whole, "SO-7")["by_hand"]][:2] == ["after it", "twice clicked"]
    audit = whole.call("ana", "GET", "/v1/audit?limit=200").json()["audit"]
    assert [a["actor"] for a in audit if a["why"] == "twice clicked"] == ["ana"]
    assert Audit(whole.app.state.context.store).verify() is None


STORIES: dict[str, Callable[[Whole], Story]] = {
    story.__name__.replace("_", " "): story
    for story in (
        a_held_order_is_left_alone_until_it_is_released,
        work_has_an_owner,
        an_escalation_is_a_breach_until_it_is_taken_back,
        an_order_marked_done_is_closed_until_something_contrary_happens,
        an_order_that_fails_is_marked_done_and_reopened,
        words_stay_among_those_who_may_read_them,
        each_word_is_in_the_audit_once_and_a_repeated_click_says_nothing_new,
    )
}


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exception | None]:
    """Tell all stories in a tower with a few late orders, of ACME all but one, and return what broke each, if anything."""
    found: dict[str, Exception | None] = {}
    with whole_tower(tmp_path_factory.mktemp("hand")) as whole:
        whole.send(*(
            event("/erp/main", f"a-{o}", "order_accepted", T0, order_id=o, partner="BETA" if o == "SO-4" else "ACME")
            for o in ORDERS
        ), failure("SO-8", T0 + timedelta(minutes=1)))  # fmt: skip
        for name, scopes in (("ana", []), ("ben", []), ("acme", ["partner=ACME"])):
            whole.key(name, ["operator"], [], scopes)
        going: dict[str, tuple[Story, dict[str, Any]]] = {name: (story(whole), {}) for name, story in STORIES.items()}
        while going:
            going = _round(whole, going, found)
    return found


def _round(
    whole: Whole, going: dict[str, tuple[Story, dict[str, Any]]], found: dict[str, Exception | None]
) -> dict[str, tuple[Story, dict[str, Any]]]:
    """Let each story go on to its next word or event, say them all, and return the stories with their answers."""
    next_ones: dict[str, tuple[Story, dict[str, Any]]] = {}
    actions: list[str] = []
    events: list[Event] = []
    with whole.together():
        for name, (story, answer) in going.items():
            try:
                word = story.send(answer or None)  # type: ignore[arg-type]  # a generator begins with None
                if isinstance(word, Say):
                    reply = post(whole, word)
                    actions.append(reply["action_id"])
                    next_ones[name] = (story, reply["items"][0])
                else:
                    events.append(word)
                    next_ones[name] = (story, {"sent": word["id"]})
            except StopIteration:
                found[name] = None
            except Exception as error:  # noqa: BLE001  # the end of one story is no end of the others
                found[name] = error
    if next_ones:
        settle(whole, actions, events)
    return next_ones


@pytest.mark.parametrize("name", STORIES)
def test_story(ends: dict[str, Exception | None], name: str) -> None:
    if (error := ends[name]) is not None:
        raise error
