"""The engine's hands on a real store and a real target: what is sent, how often, and when it counts as done.

Most of it is told side by side; see tests/actions/stories.py. What needs a desk of its own comes after that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.actions.desk import SECRET, Desk
from tests.actions.stories import Case, Steps, Story, tell
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import KINDS, clock_row, make_book
from tests.stores import Shelf
from tower.actions.item import COLUMNS
from tower.actions.runner import Actions
from tower.actions.steps import Said, take_step
from tower.model.secret import Secrets
from tower.store.audit import Audit, Entry

STORIES: dict[str, Story] = {}


def story(told: Story) -> Story:
    STORIES[told.__name__.replace("_", " ")] = told
    return told


@pytest.fixture(scope="module")
def ends(shelf: Shelf) -> dict[str, AssertionError | None]:
    """How each story ended: a retry is tried twice, the second time three seconds later."""
    with shelf.lend() as store:
        found = tell(store, STORIES, attempts=2, first_s=3)
        assert Audit(store).verify() is None
        return found


@pytest.mark.parametrize("name", STORIES)
def test_story(ends: dict[str, AssertionError | None], name: str) -> None:
    if (wrong := ends[name]) is not None:
        raise wrong


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
    case.click()
    for _ in range(3):
        yield
    assert (case.item.state, case.item.status_code, len(case.heard)) == ("failed", 409, 1)
    assert "order is blocked" in case.item.detail
    assert case.acts[-1] == ("engine", "failed")


@story
def a_redirect_is_not_followed(case: Case) -> Steps:
    elsewhere = TargetStub()
    try:
        case.answers(Reply(307, headers={"Location": elsewhere.url + "/steal"}))
        case.click()
        yield
    finally:
        elsewhere.close()
    assert elsewhere.heard == []
    assert case.item.state == "failed"
    assert "redirect" in case.item.detail


def sent_again(first: Reply) -> Story:
    """The outcome of the first send is not known, so that it is sent again in its time, under the same key."""

    def told(case: Case) -> Steps:
        case.answers(first, Reply(200))
        case.click()
        yield
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
    case.click()
    for _ in range(4):
        yield
    assert (case.item.state, case.item.attempts, len(case.heard)) == ("expired", 2, 2)
    assert "unknown" in case.item.detail


@story
def a_target_may_ask_for_more_time(case: Case) -> Steps:
    case.answers(Reply(429, headers={"Retry-After": "90"}), Reply(200))
    case.click()
    yield
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
    case.click()
    for _ in range(3):
        yield
    assert len(case.heard) == 1
    assert case.acts == [("ana", "retry"), ("engine", "accepted")]


def test_a_claim_is_audited_before_the_wire_beats_a_cancellation_and_is_sent_again_after_a_kill(
    desk: Desk, target: TargetStub
) -> None:
    desk.click("SO-1")
    before = desk.items()[0]
    seen: list[list[tuple[str, str]]] = []
    original = desk.runner._sender.send

    def watching(*args: Any, **options: Any) -> Any:
        seen.append(desk.acts())
        return original(*args, **options)

    desk.runner._sender.send = watching  # type: ignore[method-assign]  # a look at the moment before the wire
    desk.step()
    assert seen == [[("ana", "retry")]]
    assert desk.states() == ["sent"]
    late = {**{n: getattr(before, n) for n in COLUMNS}, "state": "cancelled", "revision": before.revision + 1}
    with desk.world.store.writer() as client:  # a cancellation of the same moment
        client.insert("action_items", [[late[n] for n in COLUMNS]], column_names=COLUMNS)
    assert desk.states() == ["sent"]
    desk.restart()  # the answer was never written down
    desk.step()
    desk.collect()
    assert len(target.heard) == 2
    assert target.heard[0].key == target.heard[1].key
    assert (desk.states(), desk.items()[0].attempts) == (["accepted"], 1)
    assert desk.acts() == [("ana", "retry"), ("engine", "accepted")]


def test_a_kill_between_audit_and_claim_audits_once(
    desk: Desk, target: TargetStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.click("SO-1")
    with monkeypatch.context() as patch:
        patch.setattr("tower.actions.runner.write_items", _die)
        with pytest.raises(KeyboardInterrupt):
            desk.runner.step(desk.book, KINDS, desk.world.now, {})
    assert (desk.states(), target.heard) == (["requested"], [])
    desk.restart()
    desk.step()
    assert desk.acts() == [("ana", "retry")]
    assert len(target.heard) == 1


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_200_and_nothing_is_no_effect_once_time_and_feed_have_passed(desk: Desk) -> None:
    desk.click("SO-1")
    desk.step()
    desk.collect()
    verify_by = desk.items()[0].verify_by
    assert verify_by is not None
    desk.world.now = verify_by
    desk.step(watermark=verify_by)
    assert desk.states() == ["accepted"]
    desk.world.wait(1)
    desk.step(watermark=verify_by)  # we know the time, the feed has not told yet
    assert desk.states() == ["accepted"]
    desk.step(watermark=desk.world.now)
    assert desk.states() == ["no_effect"]
    assert desk.acts()[-1] == ("engine", "no_effect")


def test_a_milestone_that_came_before_the_200_verifies(desk: Desk) -> None:
    desk.click("SO-1")
    desk.step()
    desk.world.link("SO-1", ("invoice", "I1"), ("shipment", "S1"))
    desk.world.wait(0.2)
    desk.world.fact("SO-1", "invoice_released", ("invoice", "I1"))
    desk.world.wait(0.2)
    desk.step()
    desk.collect()
    assert desk.states() == ["verified"]


def test_what_cannot_be_sent_ends_without_a_call(make_desk: Callable[..., Desk], target: TargetStub) -> None:
    """A target that is down, a secret that is missing, and a rulebook that moved its target after the click.

    The last sends the old request neither to the new place nor to the old: the target's host is the whole allow-list.
    """
    desk = make_desk(attempts=1)
    desk.world.orders([(f"SO-{n}", [clock_row(object_id=f"S{n}")], {}) for n in (2, 3)])
    moved, book = make_book("http://127.0.0.1:1", attempts=1), desk.book
    desk.click("SO-3", key="moved")
    desk.book = moved
    desk.step()
    desk.collect()
    assert target.heard == []
    target.close()
    desk.book = book
    desk.click("SO-1", key="down")
    desk.step()
    desk.collect()
    desk.runners.append(Actions(desk.world.store, Secrets({}), desk.world.clock))
    desk.runner = desk.runners[-1]
    desk.click("SO-2", key="no secret")
    desk.step()
    desk.collect()
    ends = {i.order_id: (i.state, i.detail) for i in desk.items()}
    assert {order: state for order, (state, _) in ends.items()} == {
        "SO-1": "expired",
        "SO-2": "expired",
        "SO-3": "failed",
    }
    assert "never sent" in ends["SO-1"][1]
    assert "TOWER_SECRET_MIDDLEWARE" in ends["SO-2"][1]


def test_a_secret_is_never_written_down(
    desk: Desk, target: TargetStub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    target.plan = [Reply(400, "you sent $echo")]
    desk.click("SO-1")
    desk.step()
    desk.collect()
    assert target.heard[0].headers["authorization"] == f"Bearer {SECRET}"
    with desk.world.store.reader() as client:
        written = str(client.query("SELECT * FROM audit").result_rows) + str(
            client.query("SELECT * FROM action_items").result_rows
        )
    captured = capsys.readouterr()
    assert "you sent Bearer ***" in written
    for place in (written, caplog.text, captured.out, captured.err):
        assert SECRET not in place
