"""An address is forgotten: subscriptions to it end, with the audit first, and nothing in the store names it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from tower.alerts.forget import forget_address
from tower.alerts.subscribers import records
from tower.alerts.subscription import Subscription, fold
from tower.alerts.wish import Wish
from tower.store.audit import Audit
from tower.store.client import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANN, BOB = "ann+o2c@example.com", "bob@example.com"
COLUMNS = ["subscription_id", "revision", "fact", "owner", "actor", "at", "body"]


def mail(address: str) -> Wish:
    return Wish(label="late", states=("late",), channel="mail", address=address)


def key(address: str) -> dict[str, str]:
    return {"address": Subscription("", "", mail(address), NOW, NOW, 0).address_key}


FACTS: list[tuple[str, str, Any]] = [
    ("hers", "created", mail(ANN)),
    ("hers", "confirmed", key(ANN)),
    ("moved", "created", mail(ANN)),
    ("moved", "confirmed", key(ANN)),
    ("moved", "changed", mail(BOB)),
    ("moved", "confirmed", key(BOB)),
    ("his", "created", mail(BOB)),
    ("his", "confirmed", key(BOB)),
]


def test_an_address_is_nowhere_and_its_subscription_has_ended(store: Store) -> None:
    rows = [[one, n, fact, "desk", "desk", NOW, msgspec.json.encode(body).decode()]
            for n, (one, fact, body) in enumerate(FACTS, 1)]  # fmt: skip
    with store.writer() as client:
        client.insert("subscription_facts", rows, column_names=COLUMNS)
    assert forget_address(store, ANN, NOW) == 2
    with store.reader() as client:
        kept = records(client, "subscriptions_all", {"owner": "", "id": ""})
        acts = client.query("SELECT actor, act, subject FROM audit").result_rows
    assert acts == [("purge", "end_subscription", "subscription/hers")]
    assert [row["body"] for row in kept if ANN in row["body"] or key(ANN)["address"] in row["body"]] == []
    found = fold(kept)
    assert {name: (one.live, one.confirmed, one.wish.address) for name, one in found.items()} == {
        "hers": (False, False, ""), "moved": (True, True, BOB), "his": (True, True, BOB),
    }  # fmt: skip
    assert forget_address(store, ANN, NOW) == 0
    assert forget_address(store, "nobody@example.com", NOW) == 0
    assert Audit(store).verify() is None
