"""The engine's hands on a real store and a real target: what is sent, how often, and when it counts as done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.actions.desk import SECRET, Desk
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import KINDS, T0, World, clock_row, make_book
from tower.actions.item import COLUMNS
from tower.actions.runner import Actions
from tower.actions.steps import Said, take_step
from tower.model.secret import Secrets
from tower.store.audit import Audit, Entry


def test_a_click_is_audited_then_sent_then_accepted_and_verified_by_the_business(
    desk: Desk, target: TargetStub
) -> None:
    assert desk.click("SO-1") == {"SO-1": "accepted"}
    desk.step()
    heard = target.heard[0]
    assert (heard.method, heard.path) == ("POST", "/retry/SO-1")
    assert heard.body == {"stage": "ship-to-invoice", "attempt": "1", "why": "tax code missing"}
    assert heard.headers["authorization"] == f"Bearer {SECRET}"
    assert desk.states() == ["sent"]
    desk.world.wait(1)
    desk.step()
    item = desk.items()[0]
    assert (item.state, item.status_code, item.attempts) == ("accepted", 200, 1)
    assert item.verify_by == item.accepted_at + timedelta(seconds=60)  # type: ignore[operator]  # accepted
    desk.world.link("SO-1", ("invoice", "I1"), ("shipment", "S1"))
    desk.world.fact("SO-1", "invoice_released", ("invoice", "I1"))
    desk.step()
    assert desk.states() == ["verified"]
    assert desk.acts() == [("ana", "retry"), ("engine", "accepted"), ("engine", "verified")]
    assert Audit(desk.world.store).verify() is None


def test_the_audit_row_exists_when_the_target_hears_the_request(desk: Desk, target: TargetStub) -> None:
    desk.click("SO-1")
    seen: list[list[tuple[str, str]]] = []
    original = desk.runner._sender.send

    def watching(*args: Any, **options: Any) -> Any:
        seen.append(desk.acts())
        return original(*args, **options)

    desk.runner._sender.send = watching  # type: ignore[method-assign]  # a look at the moment before the wire
    desk.step()
    assert seen == [[("ana", "retry")]]


def test_a_double_click_is_one_attempt(desk: Desk, target: TargetStub) -> None:
    assert desk.click("SO-1", key="k1") == {"SO-1": "accepted"}
    assert desk.click("SO-1", key="k1") == {"SO-1": "accepted"}  # the same click again
    assert desk.click("SO-1", key="k2") == {"SO-1": "running"}
    for _ in range(2):
        desk.step()
    assert len(target.heard) == 1


def test_two_intents_for_one_object_from_two_processes_are_sent_once(desk: Desk, target: TargetStub) -> None:
    """Two API replicas may both accept; the engine claims the first and ends the other."""
    desk.click("SO-1", key="k1")
    with desk.world.store.writer() as client:
        client.command(
            "INSERT INTO action_items SELECT * REPLACE ('other' AS action_id, 'zz' AS item_id) FROM action_items"
        )
    desk.step()
    desk.collect()
    assert len(target.heard) == 1
    assert sorted(desk.states()) == ["accepted", "cancelled"]


def test_a_shipment_of_two_orders_is_retried_once(desk: Desk, target: TargetStub) -> None:
    desk.world.order("SO-2", clock_row())
    assert desk.click("SO-1", "SO-2") == {"SO-1": "accepted", "SO-2": "running"}
    desk.step()
    assert len(target.heard) == 1


def test_every_stuck_clock_of_the_stage_is_an_item(desk: Desk, target: TargetStub) -> None:
    desk.world.order(
        "SO-3", clock_row(object_id="S3"), clock_row(object_id="S4"), clock_row(object_id="S5", verdict="on_track")
    )
    desk.click("SO-3")
    desk.step()
    assert sorted(i.object_id for i in desk.items()) == ["S3", "S4"]
    assert len({h.key for h in target.heard}) == 2


def test_a_refusal_is_final(desk: Desk, target: TargetStub) -> None:
    target.plan = [Reply(409, '{"problem": "order is blocked"}')]
    desk.click("SO-1")
    desk.step()
    desk.collect()
    desk.world.wait(3600)
    desk.step()
    item = desk.items()[0]
    assert (item.state, item.status_code, len(target.heard)) == ("failed", 409, 1)
    assert "order is blocked" in item.detail
    assert desk.acts()[-1] == ("engine", "failed")


def test_a_redirect_is_not_followed(desk: Desk, target: TargetStub) -> None:
    elsewhere = TargetStub()
    try:
        target.plan = [Reply(307, headers={"Location": elsewhere.url + "/steal"})]
        desk.click("SO-1")
        desk.step()
        desk.collect()
    finally:
        elsewhere.close()
    assert elsewhere.heard == []
    assert desk.states() == ["failed"]
    assert "redirect" in desk.items()[0].detail


def test_an_unknown_outcome_is_sent_again_under_the_same_key(desk: Desk, target: TargetStub) -> None:
    """SO-1 hears nothing in time, the others an error that may or may not have come too late."""
    for order, reply in (("SO-1", Reply(delay_s=1.2)), ("SO-2", Reply(503)), ("SO-3", Reply(500))):
        desk.world.order(order, clock_row(object_id=order))
        target.by_path[f"/retry/{order}"] = [reply, Reply(200)]
    desk.click("SO-1", "SO-2", "SO-3")
    desk.step()
    desk.collect()
    assert desk.states() == ["sent"] * 3
    desk.world.wait(29)
    desk.step()
    assert len(target.heard) == 3
    desk.world.wait(1)
    desk.step()
    desk.collect()
    assert len(target.heard) == 6
    for order in ("SO-1", "SO-2", "SO-3"):
        first, second = (h for h in target.heard if h.path == f"/retry/{order}")
        assert first.key == second.key != ""
        assert first.body == second.body
    assert [(i.state, i.attempts) for i in desk.items()] == [("accepted", 2)] * 3
    acts = [("ana", "retry"), ("engine", "unanswered"), ("ana", "retry"), ("engine", "accepted")]
    assert desk.acts() == [act for act in acts for _ in range(3)]


def test_an_outcome_that_stays_unknown_expires(make_desk: Callable[..., Desk], target: TargetStub) -> None:
    desk = make_desk(attempts=2, first_s=0)
    target.plan = [Reply(502)]
    desk.click("SO-1")
    for _ in range(4):
        desk.step()
    item = desk.items()[0]
    assert (item.state, item.attempts, len(target.heard)) == ("expired", 2, 2)
    assert "unknown" in item.detail


def test_what_never_reached_the_target_expires_as_never_sent(
    make_desk: Callable[..., Desk], target: TargetStub
) -> None:
    desk = make_desk(attempts=1)
    target.close()
    desk.click("SO-1")
    desk.step()
    desk.collect()
    assert desk.states() == ["expired"]
    assert "never sent" in desk.items()[0].detail


def test_a_target_may_ask_for_more_time(make_desk: Callable[..., Desk], target: TargetStub) -> None:
    desk = make_desk(first_s=1)
    target.plan = [Reply(429, headers={"Retry-After": "90"}), Reply(200)]
    desk.click("SO-1")
    desk.step()
    desk.collect()
    assert desk.items()[0].next_at == T0 + timedelta(seconds=90)


def test_a_kill_between_claim_and_answer_repeats_the_send_under_the_same_key(desk: Desk, target: TargetStub) -> None:
    desk.click("SO-1")
    desk.step()
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


def cancel(desk: Desk) -> int:
    said = Said("cancel", "ben", "no longer wanted", desk.world.now)
    audit = Audit(desk.world.store)
    return take_step(desk.world.store, lambda e: _count(audit, e, said.at), desk.action_id, "ana", said)


def _count(audit: Audit, entries: Sequence[Entry], at: datetime) -> None:
    audit.append(entries, at)


def test_cancel_works_for_what_is_not_sent_and_is_audited_first(desk: Desk, target: TargetStub) -> None:
    desk.click("SO-1")
    assert cancel(desk) == 1
    assert desk.acts() == [("ben", "cancel")]
    desk.step()
    desk.collect()
    assert (desk.states(), target.heard) == (["cancelled"], [])
    assert desk.acts() == [("ben", "cancel"), ("engine", "cancelled")]
    assert desk.items()[0].detail == "cancelled by ben: no longer wanted"
    assert cancel(desk) == 0


def test_a_claim_beats_a_cancellation_of_the_same_moment(desk: Desk, target: TargetStub) -> None:
    desk.click("SO-1")
    before = desk.items()[0]
    desk.step()
    late = {**{n: getattr(before, n) for n in COLUMNS}, "state": "cancelled", "revision": before.revision + 1}
    with desk.world.store.writer() as client:
        client.insert("action_items", [[late[n] for n in COLUMNS]], column_names=COLUMNS)
    assert desk.states() == ["sent"]


def test_the_second_retry_is_a_new_act_with_its_own_key(desk: Desk, target: TargetStub) -> None:
    target.plan = [Reply(422)]
    for key in ("k1", "k2", "k3"):
        assert desk.click("SO-1", key=key) == {"SO-1": "accepted"}
        desk.step()
        desk.collect()
    assert [h.body["attempt"] for h in target.heard] == ["1", "2", "3"]
    assert len({h.key for h in target.heard}) == 3
    assert desk.click("SO-1", key="k4") == {"SO-1": "not_retryable"}  # the policy's three attempts are used up


def test_the_host_of_the_target_is_the_whole_allow_list(desk: Desk, target: TargetStub) -> None:
    """A rulebook that moved its target after the click does not send the old request to the new place or the old."""
    desk.click("SO-1")
    desk.book = make_book("http://127.0.0.1:1")
    desk.step()
    desk.collect()
    assert target.heard == []
    assert desk.states() == ["failed"]


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


def test_a_missing_secret_ends_as_never_sent(world: World, target: TargetStub) -> None:
    world.order("SO-1", clock_row())
    desk = Desk(world, make_book(target.url, attempts=1))
    desk.runners.append(Actions(world.store, Secrets({}), world.clock))
    desk.runner = desk.runners[-1]
    try:
        desk.click("SO-1")
        desk.step()
        desk.collect()
    finally:
        for runner in desk.runners:
            runner.close()
    assert (desk.states(), target.heard) == (["expired"], [])
    assert "TOWER_SECRET_MIDDLEWARE" in desk.items()[0].detail


def test_a_repeated_step_changes_nothing(desk: Desk, target: TargetStub) -> None:
    desk.click("SO-1")
    for _ in range(3):
        desk.step()
    assert len(target.heard) == 1
    assert desk.acts() == [("ana", "retry"), ("engine", "accepted")]
