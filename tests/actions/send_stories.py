"""What is sent to a target, how often, and what becomes of its answers; told by tests/actions/test_runner.py.

A retry is tried twice there, the second time three seconds later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tests.actions.desk import SECRET, Desk
from tests.actions.stories import Case, Steps, Story
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import clock_row
from tower.actions.steps import Said, take_step
from tower.store.audit import Audit, Entry

STORIES: dict[str, Story] = {}


def story(told: Story) -> Story:
    STORIES[told.__name__.replace("_", " ")] = told
    return told


@story
def a_click_is_audited_then_sent_then_accepted_and_verified_by_the_business(case: Case) -> Steps:
    assert case.click() == {case.order: "accepted"}
    yield
    (heard,) = case.heard
    assert (heard.method, heard.path) == ("POST", f"/retry/{case.order}")
    assert heard.body == {"stage": "ship-to-invoice", "attempt": "1", "why": "tax code missing"}
    assert heard.headers["authorization"] == f"Bearer {SECRET}"
    item = case.item
    assert (item.state, item.status_code, item.attempts) == ("accepted", 200, 1)
    assert item.verify_by == item.accepted_at + timedelta(seconds=60)  # type: ignore[operator]  # accepted
    yield from case.says("invoice_released", case.invoice(1))
    assert case.item.state == "verified"
    assert case.acts == [("ana", "retry"), ("engine", "accepted"), ("engine", "verified")]


@story
def a_double_click_is_one_attempt(case: Case) -> Steps:
    assert case.click("k1") == {case.order: "accepted"}
    assert case.click("k1") == {case.order: "accepted"}  # the same click again
    assert case.click("k2") == {case.order: "running"}
    yield
    yield
    assert len(case.heard) == 1


@story
def two_intents_for_one_object_from_two_processes_are_sent_once(case: Case) -> Steps:
    """Two API replicas may both accept; the engine claims the first and ends the other."""
    case.click()
    with case.desk.world.store.writer() as client:
        client.command(
            "INSERT INTO action_items SELECT * REPLACE ('other' AS action_id, 'zz' AS item_id) FROM action_items "
            f"WHERE order_id = '{case.order}'"
        )
    yield
    assert len(case.heard) == 1
    assert sorted(i.state for i in case.items) == ["accepted", "cancelled"]


@story
def a_shipment_of_two_orders_is_retried_once(case: Case) -> Steps:
    other = f"{case.order}-other"
    case.desk.world.order(other, clock_row(object_id=case.shipment[1]))
    assert case.click("k", other) == {case.order: "accepted", other: "running"}
    yield
    assert len([h for h in case.target.heard if h.path.removeprefix("/retry/") in (case.order, other)]) == 1


@story
def every_stuck_clock_of_the_stage_is_an_item(case: Case) -> Steps:
    stuck = [clock_row(object_id=case.shipment[1]), clock_row(object_id=f"{case.order}-2")]
    case.desk.world.order(case.order, *stuck, clock_row(object_id=f"{case.order}-3", verdict="on_track"))
    case.click()
    yield
    assert {i.object_id for i in case.items} == {case.shipment[1], f"{case.order}-2"}
    assert len({h.key for h in case.heard}) == 2


@story
def a_refusal_is_final(case: Case) -> Steps:
    case.answers(Reply(409, '{"problem": "order is blocked"}'))
    yield from case.retry()
    for _ in range(2):
        yield
    assert (case.item.state, case.item.status_code, len(case.heard)) == ("failed", 409, 1)
    assert "order is blocked" in case.item.detail
    assert case.acts[-1] == ("engine", "failed")


@story
def a_redirect_is_not_followed(case: Case) -> Steps:
    elsewhere = TargetStub()
    try:
        case.answers(Reply(307, headers={"Location": elsewhere.url + "/steal"}))
        yield from case.retry()
    finally:
        elsewhere.close()
    assert elsewhere.heard == []
    assert case.item.state == "failed"
    assert "redirect" in case.item.detail


def sent_again(first: Reply) -> Story:
    """The outcome of the first send is not known, so that it is sent again in its time, under the same key."""

    def told(case: Case) -> Steps:
        case.answers(first, Reply(200))
        yield from case.retry()
        assert case.item.state == "sent"
        yield
        assert len(case.heard) == 1, "three seconds have not passed"
        yield
        one, two = case.heard
        assert (one.key, one.body) == (two.key, two.body)
        assert one.key
        assert (case.item.state, case.item.attempts) == ("accepted", 2)
        assert case.acts == [("ana", "retry"), ("engine", "unanswered"), ("ana", "retry"), ("engine", "accepted")]

    return told


STORIES |= {
    "an unknown outcome is sent again under the same key: silence": sent_again(Reply(delay_s=1.2)),
    "an unknown outcome is sent again under the same key: 503": sent_again(Reply(503)),
    "an unknown outcome is sent again under the same key: 500": sent_again(Reply(500)),
}


@story
def an_outcome_that_stays_unknown_expires(case: Case) -> Steps:
    case.answers(Reply(502))
    yield from case.retry()
    for _ in range(3):
        yield
    assert (case.item.state, case.item.attempts, len(case.heard)) == ("expired", 2, 2)
    assert "unknown" in case.item.detail


@story
def a_target_may_ask_for_more_time(case: Case) -> Steps:
    case.answers(Reply(429, headers={"Retry-After": "90"}), Reply(200))
    yield from case.retry()
    assert case.item.next_at == case.now + timedelta(seconds=89)  # a second has passed since


@story
def cancel_works_for_what_is_not_sent_and_is_audited_first(case: Case) -> Steps:
    case.click()
    action_id = case.desk.action_id
    assert cancel(case.desk, action_id) == 1
    assert acts_of(case, action_id) == [("ben", "cancel")]
    yield
    assert (case.item.state, case.heard) == ("cancelled", [])
    assert acts_of(case, action_id) == [("ben", "cancel"), ("engine", "cancelled")]
    assert case.item.detail == "cancelled by ben: no longer wanted"
    assert cancel(case.desk, action_id) == 0


def acts_of(case: Case, action_id: str) -> list[tuple[str, str]]:
    """Return (actor, act) of the audit about a whole action."""
    sql = "SELECT actor, act FROM audit WHERE startsWith(subject, {id:String}) ORDER BY seq"
    with case.desk.world.store.reader() as client:
        return [tuple(r) for r in client.query(sql, parameters={"id": action_id}).result_rows]


def cancel(desk: Desk, action_id: str) -> int:
    said = Said("cancel", "ben", "no longer wanted", desk.world.now)
    audit = Audit(desk.world.store)
    return take_step(desk.world.store, lambda e: _count(audit, e, said.at), action_id, "ana", said)


def _count(audit: Audit, entries: Sequence[Entry], at: datetime) -> None:
    audit.append(entries, at)


@story
def the_second_retry_is_a_new_act_with_its_own_key(case: Case) -> Steps:
    case.answers(Reply(422))
    for key in ("k1", "k2"):
        assert case.click(key) == {case.order: "accepted"}
        yield
    assert [h.body["attempt"] for h in case.heard] == ["1", "2"]
    assert len({h.key for h in case.heard}) == 2
    assert case.click("k3") == {case.order: "not_retryable"}  # the policy's two attempts are used up


@story
def a_repeated_step_changes_nothing(case: Case) -> Steps:
    yield from case.retry()
    for _ in range(2):
        yield
    assert len(case.heard) == 1
    assert case.acts == [("ana", "retry"), ("engine", "accepted")]
