"""Emptying raw bodies: by age and by person, never the facts."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from tower.store.client import Store
from tower.store.retention import Retention, drop_telemetry, empty_customer, empty_older
from tower.store.seal import KEY_BYTES, Seal

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SEAL = Seal([bytes(KEY_BYTES)])


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
    empty_customer(store, "C-1", SEAL)
    assert not {"a", "c", "c*", "d"} & bodies(store)
    assert "e" in bodies(store)


def test_old_days_of_telemetry_go_whole_with_what_was_picked_of_them(store: Store) -> None:
    days = {"old": NOW - timedelta(days=80), "edge": NOW - timedelta(days=30), "young": NOW}
    with store.writer() as client:
        for name, at in days.items():
            client.insert(
                "otel_traces", [[at, name, {"o2c.order_id": name}]], ["Timestamp", "TraceId", "SpanAttributes"]
            )
            client.insert("otel_logs", [[at, name]], ["Timestamp", "Body"])
    assert drop_telemetry(store, NOW - timedelta(days=30)) == 5
    assert drop_telemetry(store, NOW - timedelta(days=30)) == 0
    with store.reader() as client:
        for column in ("TraceId FROM otel_traces", "Body FROM otel_logs", "object_id FROM object_signals",
                       "trace_id FROM order_spans", "TraceId FROM otel_traces_trace_id_ts"):  # fmt: skip
            assert {r[0] for r in client.query(f"SELECT {column}").result_rows} == {"edge", "young"}, column


def keep(store: Store, name: str, stored_at: datetime, text: str, stated: str = "", **columns: int) -> None:
    """Store one native message; stated is the id of the event it made."""
    row = {
        "raw_id": name, "connection": "shop", "headers": {"x-a": "b"}, "stored_at": f"{stored_at:%F %T}.000",
        "body": SEAL.seal(name, text.encode()), "stated": [stated] if stated else [], **columns,
    }  # fmt: skip
    with store.writer() as client:
        client.raw_insert("raw", insert_block=json.dumps(row).encode(), fmt="JSONEachRow")


def kept(store: Store) -> set[str]:
    """Return the native messages that still have a body; one without has no headers either."""
    with store.reader() as client:
        assert client.query("SELECT count() FROM raw WHERE (body = '') != empty(headers)").result_rows == [(0,)]
        return {r[0] for r in client.query("SELECT raw_id FROM raw WHERE body != ''").result_rows}


def test_old_native_messages_go_and_their_rows_stay(store: Store) -> None:
    keep(store, "old", NOW - timedelta(days=31), "x")
    keep(store, "young", NOW - timedelta(days=29), "x")
    assert empty_older(store, NOW - timedelta(days=30)) == 1
    assert kept(store) == {"young"}
    with store.reader() as client:
        assert client.query("SELECT count() FROM raw").result_rows == [(2,)]


def test_a_persons_native_messages_go_whether_or_not_they_could_be_used(store: Store) -> None:
    ids = [f"00000000-0000-0000-0000-00000000000{n}" for n in range(1, 4)]
    for number, customer in ((0, "C-1"), (1, ""), (2, "C-2")):
        row = {
            "event_id": ids[number], "ev": number + 1, "milestone": "order_captured", "customer_id": customer,
            "raw_id": "a", "on_ids": [],
        }  # fmt: skip
        with store.writer() as client:
            client.raw_insert("events", insert_block=json.dumps(row).encode(), fmt="JSONEachRow")
    with store.writer() as client:  # the second event belongs to an order of the same customer without naming it
        client.command(
            "INSERT INTO case_facts (order_no, object, ev, customer_id) VALUES (5, 1, 1, 'C-1'), (5, 1, 2, '')"
        )
    keep(store, "named", NOW, "of C-1", ids[0], events=1)
    keep(store, "of-the-order", NOW, "an address", ids[1], events=1)
    keep(store, "said-again", NOW, "an address", ids[1], events=1)
    keep(store, "another", NOW, "of C-2", ids[2], events=1)
    keep(store, "unusable", NOW, "a mail of C-1", quarantined=1)
    keep(store, "unusable-too", NOW, "a mail of C-2", quarantined=1)
    assert empty_customer(store, "C-1", SEAL) == 4
    assert kept(store) == {"another", "unusable-too"}
    assert empty_customer(store, "C-1", SEAL) == 0


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
