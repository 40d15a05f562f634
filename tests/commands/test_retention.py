"""Emptying raw bodies: by age and by person, never the facts."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from tower.store.client import Store
from tower.store.retention import Retention, empty_customer, empty_older

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def put(store: Store, name: str, stored_at: datetime, customer: str = "", quarantine: str = "") -> None:
    """Store one event with a body."""
    moment = f"{stored_at:%F %T}.000"
    row = {
        **dict.fromkeys(("stored_at", "received_at", "occurred_at"), moment),
        "event_id": name,
        "ev": sum(name.encode()),
        "milestone": "order_captured",
        "polarity": "reached",
        "customer_id": customer,
        "quarantine": quarantine,
        "raw": json.dumps({"id": name, "mail": f"{customer}@example.org"}),
    }
    with store.writer() as client:
        client.raw_insert("events", insert_block=json.dumps(row).encode(), fmt="JSONEachRow")


def bodies(store: Store) -> set[str]:
    """Return the ids of events that still have a body, quarantined ones marked with a star."""
    with store.reader() as client:
        kept = client.query("SELECT event_id FROM events WHERE raw != ''").result_rows
        held = client.query("SELECT event_id FROM quarantine FINAL WHERE raw != ''").result_rows
    return {r[0] for r in kept} | {f"{r[0]}*" for r in held}


def test_old_bodies_go_and_rows_stay(store: Store) -> None:
    put(store, "old", NOW - timedelta(days=31))
    put(store, "young", NOW - timedelta(days=29))
    assert empty_older(store, NOW - timedelta(days=30)) == 1
    assert bodies(store) == {"young"}
    assert empty_older(store, NOW - timedelta(days=30)) == 0
    with store.reader() as client:
        assert client.query("SELECT count() FROM events").result_rows == [(2,)]


def test_a_persons_bodies_go_from_events_and_from_quarantine(store: Store) -> None:
    put(store, "a", NOW, "C-1")
    put(store, "b", NOW, "C-2")
    put(store, "c", NOW, "C-1", quarantine="unknown_milestone")
    with store.writer() as client:  # a later event of the same order that does not name the customer
        put(store, "d", NOW)
        client.command(
            "INSERT INTO case_facts (order_no, object, ev, customer_id) SELECT 5, 1, ev, customer_id FROM events"
        )
    put(store, "e", NOW)
    empty_customer(store, "C-1")
    assert not {"a", "c", "c*", "d"} & bodies(store)
    assert "e" in bodies(store)


def test_the_running_tower_empties_by_itself(store: Store) -> None:
    put(store, "old", NOW - timedelta(days=31))
    retention = Retention(store, 30, lambda: NOW, every_s=0.05)
    retention.start()
    deadline = time.monotonic() + 20
    while bodies(store) and time.monotonic() < deadline:
        time.sleep(0.05)
    retention.stop()
    assert bodies(store) == set()


def test_a_round_that_fails_does_not_end_the_watch(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def clock() -> datetime:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the store is away")
        return NOW

    retention = Retention(store, 30, clock, every_s=0.02)
    retention.start()
    deadline = time.monotonic() + 20
    while len(calls) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    retention.stop()
    assert len(calls) >= 3
