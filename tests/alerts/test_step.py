"""The alerting step on a real store: what is written, what a restart makes of it, and what goes over the wire."""

from __future__ import annotations

import json
from datetime import datetime

from standardwebhooks import Webhook

from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import T0
from tests.alerts.tower import SECRET, Tower


def test_a_breach_is_told_in_the_inbox_and_over_the_wire_signed(tower: Tower, target: TargetStub) -> None:
    tower.breach("SO-1")
    assert tower.step(1) == 0
    assert tower.step(10) == 1
    tower.until(lambda: ("webhook", "new", "sent") in tower.notices())
    assert tower.notices() == [("inbox", "new", "sent"), ("webhook", "new", "sent")]
    [request] = target.heard
    body = request.body
    assert body["type"] == "alert.new" and [b["order_id"] for b in body["data"]["breaches"]] == ["SO-1"]
    assert body["data"]["link"].startswith("http://tower/alerts?id=") and body["data"]["value"] == "100.000000"
    headers = request.headers
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), T0.tzinfo)
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    assert headers["webhook-signature"] == Webhook(SECRET).sign(headers["webhook-id"], moment, text)
    [audit] = tower.rows("SELECT act, subject FROM audit WHERE act = 'notice'")
    assert headers["webhook-id"] in audit[1]
    assert not any(
        SECRET in str(row) for row in tower.rows("SELECT * FROM notices") + tower.rows("SELECT * FROM audit")
    )


def test_a_restart_at_any_step_neither_loses_nor_doubles(tower: Tower) -> None:
    tower.breach("SO-1")
    for seconds in (1, 8, 2, 1):  # the group waits for ten seconds
        tower.restart()
        tower.step(seconds)
    tower.breach("SO-2")
    for seconds in (1, 57, 3, 3):  # ... and then for a minute between notices
        tower.step(seconds)
    tower.restart()
    tower.breach("SO-1", "resolved")
    tower.breach("SO-2", "resolved")
    for seconds in (1, 57, 3, 3):
        tower.step(seconds)
    inbox = tower.rows("SELECT reason FROM notices FINAL WHERE channel = 'inbox' ORDER BY at")
    assert inbox == [("new",), ("more",), ("resolved",)]
    assert tower.rows("SELECT closed_at IS NOT NULL, notices FROM alerts FINAL") == [(1, 3)]


def test_what_is_open_when_a_rulebook_is_taken_up_is_history(fresh: Tower) -> None:
    fresh.breach("SO-1")
    for _ in range(5):
        fresh.step(30)
    assert fresh.notices() == []
    assert fresh.rows("SELECT quiet, state FROM alert_breaches FINAL") == [(1, "open")]


def test_a_quiet_step_writes_nothing(tower: Tower) -> None:
    tower.breach("SO-1")
    tower.step(1)
    sizes = "SELECT (SELECT count() FROM alerts), (SELECT count() FROM notices), (SELECT count() FROM alert_cursor)"
    before = tower.rows(sizes)
    for _ in range(5):
        tower.step(0.5)
    assert tower.rows(sizes) == before


def test_a_refusal_is_tried_again_later_and_gone_switches_the_receiver_off(tower: Tower, target: TargetStub) -> None:
    target.plan = [Reply(500)]
    tower.breach("SO-1", priority="P1")
    tower.step(1)
    tower.until(lambda: bool(tower.rows("SELECT 1 FROM notices FINAL WHERE channel = 'webhook' AND next_at > at")))
    target.plan = [Reply(410)]
    tower.step(8)
    tower.until(lambda: ("webhook", "new", "failed") in tower.notices())
    ids = {r.headers["webhook-id"] for r in target.heard}
    assert len(target.heard) == 2 and len(ids) == 1
    tower.breach("SO-2", priority="P1")
    tower.step(1)
    assert len(target.heard) == 2
    assert tower.rows("SELECT receiver FROM receivers_off FINAL") == [("ops",)]
    assert [s for c, r, s in tower.notices() if c == "inbox"] == ["sent", "sent"]
