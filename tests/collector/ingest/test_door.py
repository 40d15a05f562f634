"""The native door: who is let in, what is kept, what is answered."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collector.raw.message import digest_of
from tests.collector.desk import NOW, Desk
from tests.collector.ingest.systems import NATIVE, SECRET, SECRETS
from tests.collector.verify import signing
from tower.store.seal import load_seal

BODY = b'{"id": 820982911946154508, "total_price": "540.10"}'
BEARER = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
def door(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(connections=NATIVE, secrets=SECRETS)


def shopify(body: bytes = BODY, delivery: str = "d-1", topic: str = "orders/create") -> dict[str, str]:
    return {
        **signing.shopify(SECRET, body),
        "X-Shopify-Webhook-Id": delivery,
        "X-Shopify-Topic": topic,
        "Content-Type": "application/json",
    }


def problem(answer: Any, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    detail: str = answer.json()["detail"]
    return detail


def test_an_authentic_message_is_kept_sealed_and_answered_with_its_id(door: Desk) -> None:
    answer = door.ingest("shop", BODY, shopify(), wait=True, query={"tenant": "eu"})
    assert answer.status_code == 202
    ((raw_id, *said, headers, query, body),) = door.rows(
        "raw_id, connection, method, size, sha256, event_id, topic, scheme, outcome, received_at, headers, query, body",
        "raw",
    )
    assert raw_id == answer.json()["raw_id"]
    assert said == ["shop", "POST", len(BODY), digest_of(BODY), "d-1", "orders/create", "shopify", "quarantined", NOW]
    assert headers["x-shopify-topic"] == "orders/create"
    assert not [name for name in headers if "hmac" in name or "auth" in name or name == "host"]
    assert query == {"tenant": "eu"}
    assert "540.10" not in body
    assert load_seal(door.settings, SECRETS).open(raw_id, body) == BODY


def test_what_no_mapping_reads_waits_in_quarantine_under_its_raw_id(door: Desk) -> None:
    raw_id = door.ingest("shop", BODY, shopify(), wait=True).json()["raw_id"]
    (row,) = door.rows("connection, source, event_id, type, reason, raw, raw_id, state", "quarantine FINAL")
    assert row == ("shop", "/commerce/shop", "d-1", "orders/create", "unmapped_payload", "", raw_id, "open")


def test_messages_without_their_proof_are_refused_and_not_kept(door: Desk) -> None:
    unproved: list[tuple[str, dict[str, Any], str]] = [
        ("shop", {}, "unverified"),
        ("shop", {"X-Shopify-Hmac-Sha256": b"\xe9"}, "unverified"),
        ("shop", shopify() | {"X-Shopify-Shop-Domain": "us.myshopify.example"}, "unverified"),
        ("pay", {"Stripe-Signature": "t=1,v1=00"}, "unverified"),
        ("crm", {"Authorization": "Basic AAAA"}, "unverified"),
        ("plain", {}, "unauthenticated"),
        ("plain", BEARER, "unauthenticated"),
    ]
    for connection, headers, code in unproved:
        before = door.collector.stats().connections[connection].unverified
        answer = door.ingest(connection, BODY, headers)
        problem(answer, 401, code)
        assert answer.headers["www-authenticate"], connection
        assert SECRET not in answer.text
        assert door.collector.stats().connections[connection].unverified == before + 1, (connection, headers)
    door.ingest("plain", b"{}", {"Authorization": "Bearer admin"}, wait=True)
    assert door.rows("connection", "raw") == [("plain",)]


def test_a_key_of_the_tower_opens_only_the_connections_it_names(door: Desk) -> None:
    assert door.ingest("plain", b"{}", {"Authorization": "Bearer admin"}).status_code == 202
    problem(door.ingest("plain", b"{}", {"Authorization": "Bearer berlin"}), 403, "forbidden_connection")
    problem(door.ingest("shop", b"{}", {"Authorization": "Bearer admin"}), 401, "unverified")


def test_an_unknown_connection_is_said(door: Desk) -> None:
    assert "'shp'" in problem(door.ingest("shp", BODY, shopify()), 404, "unknown_connection")


def test_a_repeat_is_answered_with_200_and_the_id_of_the_first(door: Desk) -> None:
    first = door.ingest("shop", BODY, shopify(), wait=True)
    again = door.ingest("shop", BODY, shopify(), wait=True)
    assert (again.status_code, again.json()) == (200, {"raw_id": first.json()["raw_id"], "duplicate": True})
    assert door.rows("count()", "raw") == [(1,)]
    counts = door.collector.stats().connections["shop"]
    assert (counts.received, counts.duplicate) == (1, 1)


def test_a_genuine_body_under_other_headers_is_a_repeat(door: Desk) -> None:
    """Shopify's ids and topics are not signed: whoever holds one body could give it any."""
    first = door.ingest("shop", BODY, shopify()).json()["raw_id"]
    swapped = door.ingest("shop", BODY, shopify(delivery="d-2", topic="orders/cancelled"), wait=True)
    assert (swapped.status_code, swapped.json()["raw_id"]) == (200, first)
    assert door.rows("topic", "raw") == [("orders/create",)]
    door.now = NOW + timedelta(hours=25)
    assert door.ingest("shop", BODY, shopify(delivery="d-3")).status_code == 202
    assert door.ingest("shop", BODY, shopify(delivery="d-1")).status_code == 200, "the id is kept longer than the body"


def test_another_body_under_a_signed_id_is_kept(door: Desk) -> None:
    for body, status in (
        (b'{"id": "evt_1"}', 202),
        (b'{"id": "evt_1", "pending_webhooks": 1}', 202),
        (b'{"id": "evt_1"}', 200),
    ):
        assert door.ingest("pay", body, signing.stripe(SECRET, body), wait=True).status_code == status
    assert door.rows("event_id", "raw") == [("evt_1",), ("evt_1",)]


def test_repeats_are_known_after_a_restart(make_desk: Callable[..., Desk]) -> None:
    before = make_desk(connections=NATIVE, secrets=SECRETS)
    first = before.ingest("shop", BODY, shopify(), wait=True).json()["raw_id"]
    other = b'{"id": 2}'
    before.ingest("few", other, BEARER, wait=True)
    before.close()
    after = make_desk(connections=NATIVE, secrets=SECRETS)
    assert after.ingest("shop", BODY, shopify()).json() == {"raw_id": first, "duplicate": True}
    assert after.ingest("few", other, BEARER).status_code == 200
    assert after.ingest("few", b"3", BEARER).status_code == 202
    problem(after.ingest("few", b"4", BEARER), 429, "throttled")


def test_what_the_journal_holds_is_known_and_stored_after_a_restart(make_desk: Callable[..., Desk]) -> None:
    before = make_desk(connections=NATIVE, secrets=SECRETS, started=False)
    first = before.ingest("shop", BODY, shopify()).json()["raw_id"]
    before.close()
    after = make_desk(connections=NATIVE, secrets=SECRETS)
    assert after.ingest("shop", BODY, shopify(), wait=True).json() == {"raw_id": first, "duplicate": True}
    assert after.rows("raw_id", "raw") == [(first,)]


def test_a_connection_over_its_rate_is_told_when_to_come_again(door: Desk) -> None:
    sent = [door.ingest("slow", b"%d" % i, BEARER).status_code for i in range(3)]
    assert sent == [202, 202, 429]
    answer = door.ingest("slow", b"9", BEARER)
    assert "2 messages a second" in problem(answer, 429, "throttled")
    assert answer.headers["retry-after"] == "1"
    door.now += timedelta(seconds=0.5)
    assert door.ingest("slow", b"9", BEARER).status_code == 202
    assert door.collector.stats().connections["slow"].throttled == 2
    assert door.ingest("plain", b"{}", {"Authorization": "Bearer admin"}).status_code == 202, "others are not held up"


def test_a_connection_over_its_day_waits_until_midnight(door: Desk) -> None:
    door.now = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    assert [door.ingest("few", b"%d" % i, BEARER).status_code for i in range(4)] == [202, 202, 202, 429]
    assert door.ingest("few", b"9", BEARER).headers["retry-after"] == "60"
    door.now += timedelta(seconds=60)
    assert door.ingest("few", b"9", BEARER).status_code == 202


def test_an_unproved_message_does_not_use_up_the_share(door: Desk) -> None:
    for _ in range(5):
        problem(door.ingest("few", BODY, {"Authorization": "Bearer other"}), 401, "unverified")
    assert door.ingest("few", BODY, BEARER).status_code == 202


def test_a_body_over_the_limit_is_refused_before_and_after_decompression(make_desk: Callable[..., Desk]) -> None:
    door = make_desk(connections=NATIVE, secrets=SECRETS, max_body_mb=1)
    problem(door.ingest("shop", b"x" * (1 << 20) + b"y", shopify()), 413, "too_large")
    bomb = gzip.compress(b"\0" * (100 << 20), 5)
    assert len(bomb) < 1 << 20
    problem(door.ingest("shop", bomb, shopify(bomb) | {"Content-Encoding": "gzip"}), 413, "too_large")
    problem(door.ingest("shop", b"x", shopify(b"x") | {"Content-Encoding": "br"}), 415, "unsupported_encoding")
    large = b"x" * (900 << 10)
    assert door.ingest("shop", large, shopify(large)).status_code == 202


def test_a_compressed_body_may_be_signed_before_or_after_compression(door: Desk) -> None:
    other = BODY + b" "
    for signed, sent in ((gzip.compress(BODY), gzip.compress(BODY)), (other, gzip.compress(other))):
        assert door.ingest("shop", sent, shopify(signed) | {"Content-Encoding": "gzip"}, wait=True).status_code == 202
    assert sorted(door.rows("size", "raw")) == [(len(BODY),), (len(other),)]


def test_nothing_is_answered_well_that_is_not_on_the_disk(door: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("collector.journal.os.fdatasync", full)
    answer = door.ingest("shop", BODY, shopify())
    assert "send it again" in problem(answer, 503, "journal_failed")
    assert answer.headers["retry-after"]
    monkeypatch.undo()
    assert door.ingest("shop", BODY, shopify(), wait=True).status_code == 202, "a failed try is no first"
    assert door.rows("count()", "raw") == [(1,)]


def test_a_full_disk_is_said_before_anything_is_written(make_desk: Callable[..., Desk]) -> None:
    door = make_desk(connections=NATIVE, secrets=SECRETS, disk_floor_mb=1 << 40)
    problem(door.ingest("shop", BODY, shopify()), 503, "disk_full")


def test_a_message_that_says_nothing_readable_is_taken_all_the_same(door: Desk) -> None:
    for body in (b"", b"\xff\xfe", b"[" * 200_000, b"<a", b"null", b'{"id": {}}', b"UNA:+.? '"):
        assert door.ingest("shop", body, shopify(body, delivery=""), wait=True).status_code == 202, body[:9]
    assert door.rows("reason", "quarantine FINAL") == [("unmapped_payload",)] * 7
