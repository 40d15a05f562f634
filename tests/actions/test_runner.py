"""The engine's hands on a real store and a real target: what is sent, how often, and what it did to the business.

Most of it is told side by side: tests/actions/send_stories.py and verify_stories.py. What needs a desk of its own is here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.actions import send_stories, verify_stories
from tests.actions.desk import SECRET, Desk
from tests.actions.stories import tell
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import KINDS, clock_row, make_book
from tests.stores import Shelf
from tower.actions.item import COLUMNS
from tower.actions.runner import Actions
from tower.model.secret import Secrets
from tower.store.audit import Audit

STORIES = {**send_stories.STORIES, **verify_stories.STORIES}


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
