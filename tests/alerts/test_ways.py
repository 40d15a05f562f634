"""The ways to people and machines, by the real libraries to a real far side; secrets stay where they are."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from standardwebhooks import Webhook as Verifier

from rules.model import Receiver, Webhook
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import T0
from tests.alerts.tower import SECRET, Tower
from tower.alerts.delivery import WAITS_S, Delivery, Outcome, after, claimed
from tower.alerts.people import send_to_people
from tower.alerts.webhook import Webhooks, signed
from tower.model.secret import Secrets


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def test_people_are_told_through_apprise_and_the_address_shows_nowhere(
    tower: Tower, target: TargetStub, logs: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    address = target.url.replace("http://", "json://ann:hunter2@") + "/inbox"
    tower.secrets["TOWER_SECRET_MAIL"] = address
    people = Receiver("ops", apprise=("env:TOWER_SECRET_MAIL",))
    tower.book = replace(tower.book, hash="people", receivers={"ops": people})
    tower.step(1)
    tower.breach("SO-1", priority="P1")
    tower.step(1)
    tower.until(lambda: tower.notices() == [("apprise", "new", "sent")])
    [heard] = target.heard
    assert "SO-1" in heard.body["message"] and heard.body["title"].startswith(
        "P1 accept-to-ship: 1 open, 100 EUR at risk"
    )
    kept = f"{tower.rows('SELECT * FROM notices')}{tower.rows('SELECT * FROM audit')}{logs}{caplog.text}"
    assert "hunter2" not in kept and "inbox" not in kept


@pytest.mark.parametrize(
    ("address", "reply", "says"),
    [
        ("json://127.0.0.1:9/x", 200, "an address did not take it"),
        ("nonsense://x", 200, "none that Apprise knows"),
        (None, 500, "did not take it"),
        ("", 200, "not set"),
    ],
)
def test_what_people_do_not_get_is_tried_again(target: TargetStub, address: str | None, reply: int, says: str) -> None:
    target.plan = [Reply(reply)]
    where = target.url.replace("http", "json") if address is None else address
    body = '{"type": "alert.new", "data": {"title": "t", "priority": "P1", "breaches": [], "ended": [], "told": 0, "ended_breaches": 0, "link": null}}'
    outcome = send_to_people(["env:TOWER_SECRET_MAIL"], body, Secrets({"TOWER_SECRET_MAIL": where}))
    assert outcome.verdict == "unknown" and says in outcome.detail


def test_while_secrets_are_changed_over_both_sign() -> None:
    plain = "a text that somebody chose"
    secrets = Secrets({"TOWER_SECRET_OLD": SECRET, "TOWER_SECRET_NEW": plain})
    webhook = Webhook("http://x", ("env:TOWER_SECRET_NEW", "env:TOWER_SECRET_OLD"))
    now = T0.now(T0.tzinfo)  # a verifier takes no message that is five minutes old
    headers = dict(signed(webhook, "m1", "{}", now, secrets))
    for secret in (SECRET, base64.b64encode(plain.encode()).decode()):
        assert Verifier(secret).verify("{}", headers) == {}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(204, "sent"), (410, "gone"), (429, "unknown"), (503, "unknown"), (302, "unknown"), (404, "unknown")],
)
def test_an_answer_of_a_machine_says_what_to_do_next(target: TargetStub, status: int, verdict: str) -> None:
    target.plan = [Reply(status, headers={"Retry-After": "30", "Location": "http://127.0.0.1:9/"})]
    sender = Webhooks(Secrets({"TOWER_SECRET_HOOK": SECRET}))
    outcome = sender.send(Webhook(target.url, ("env:TOWER_SECRET_HOOK",)), "m1", "{}", T0)
    sender.close()
    assert outcome.verdict == verdict and len(target.heard) == 1
    assert outcome.retry_after_s == (30 if status in (429, 503) else None)


def test_a_notice_that_nobody_takes_is_given_up_after_days_and_says_so() -> None:
    delivery, at, waits = Delivery("n", "webhook", "a", 1, "ops", "new", "P1", T0, "{}"), T0, []
    while delivery.state != "failed":
        delivery = after(claimed(delivery), Outcome("unknown", "503", 7200 if len(waits) == 1 else None), at, 0.5)
        if delivery.next_at is not None:
            waits.append((delivery.next_at - at) / timedelta(seconds=1.1))
            at = delivery.next_at
    assert waits == [pytest.approx(w) for w in (WAITS_S[0], 7200, *WAITS_S[2:])]
    assert delivery.detail == "503" and at - T0 > timedelta(days=3)
