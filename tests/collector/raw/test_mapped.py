"""From a native message to facts: events with where they were made from, or a reason; poison never holds others up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.mapping import MappingsError
from collector.raw.message import RawMessage
from collector.raw.version import version_number
from collector.sink import Refused, Unavailable
from tests.collector.decoders import test_numbers
from tests.collector.desk import NOW, Desk
from tests.collector.ingest.systems import SECRET, SECRETS, proof, system
from tests.collector.verify import signing
from tower.engine.feeds import heard_now
from tower.engine.numbering import read_gaps
from tower.model.connections import Connections

SHOP = Connections(
    (
        system("shop", proof("shopify"), mapping="shopify", currency="EUR"),
        system("scoped", proof("bearer"), mapping="shopify", scope="eu"),
        system("bare", proof("bearer")),
    ),
    configured=True,
)
BEARER = {"Authorization": f"Bearer {SECRET}"}


def order(number: int, **changes: Any) -> bytes:
    made = {
        "id": 820982911946154000 + number,
        "created_at": "2026-03-01T10:00:00+01:00",
        "updated_at": "2026-03-01T10:00:00+01:00",
        "total_price": "540.10",
        "currency": "EUR",
        "customer": {"id": 7, "email": "someone@example.com"},
        **changes,
    }
    return json.dumps(made).encode()


@pytest.fixture
def door(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(connections=SHOP, secrets=SECRETS)


def send(door: Desk, body: bytes, topic: str = "orders/create", *, wait: bool = True) -> str:
    answer = door.ingest("shop", body, {**signing.shopify(SECRET, body), "X-Shopify-Topic": topic}, wait=wait)
    assert answer.status_code in (200, 202), answer.text
    raw_id: str = answer.json()["raw_id"]
    return raw_id


def test_a_message_becomes_events_that_say_where_they_were_made_from(door: Desk) -> None:
    raw_id = send(door, order(1))
    ((label,),) = door.rows("mapping", "raw")
    assert label.startswith("shopify.order@")
    columns = "connection, kind, milestone, on_ids, amount, currency, customer_id, raw_id, mapping, source_version > 0"
    (row,) = door.rows(columns)
    assert row[:4] == ("shop", "commerce", "order_captured", ["commerce_order_id:shop/820982911946154001"])
    assert (str(row[4]), *row[5:]) == ("540.100000", "EUR", "7", raw_id, label, 1)
    assert door.rows("outcome, events, quarantined", "raw") == [("mapped", 1, 0)]
    assert "someone@example.com" not in json.dumps(door.rows("raw"), default=str)


def test_the_arrival_counts_as_when_it_was_learned(door: Desk) -> None:
    send(door, order(1))
    assert door.rows("received_at") == [(NOW,)]


def test_ids_are_put_under_the_connections_scope(door: Desk) -> None:
    door.ingest("scoped", order(1), {**BEARER, "X-Shopify-Topic": "orders/create"}, wait=True)
    ((ids,),) = door.rows("on_ids")
    assert ids == ["eu/commerce_order_id:scoped/820982911946154001"]


def test_the_same_state_told_again_is_no_new_event(door: Desk) -> None:
    send(door, order(1))
    send(door, order(1, note="other words, same facts"), "orders/updated")
    assert door.rows("outcome, events", "raw") == [("mapped", 1), ("mapped", 1)]
    assert door.rows("count()") == [(1,)]


def test_what_the_rulebook_does_not_know_or_lies_ahead_waits_with_the_raw_id(door: Desk) -> None:
    raw_id = send(door, order(1, created_at="2026-03-02T10:00:00Z"))
    assert door.rows("reason, raw_id", "quarantine FINAL") == [("future_time", raw_id)]


def test_poison_between_good_messages_holds_none_of_them_up(door: Desk) -> None:
    bodies = [
        order(1),
        b"\xff\x00",
        b"{",
        b"[" * 100_000,
        b'{"id": 5}',
        order(2, created_at="yesterday"),
        b'{"a": NaN}',
        order(3),
    ]
    ids = [send(door, body, wait=False) for body in bodies]
    send(door, b"last")
    kept = dict(door.rows("raw_id, outcome", "raw"))
    assert [kept[i] for i in ids] == ["mapped", *["quarantined"] * 6, "mapped"]
    reasons = dict(door.rows("raw_id, reason", "quarantine FINAL"))
    assert {reasons[i] for i in (ids[1], ids[2], ids[3], ids[6])} == {"undecodable"}
    assert reasons[ids[5]] == "mapping_failed"
    details = " ".join(d for (d,) in door.rows("detail", "quarantine FINAL"))
    assert "yesterday" in details
    assert door.rows("count()", where="quarantine = ''") == [(2,)]


def test_a_mapping_that_crashes_quarantines_its_message_alone(door: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    read = door.collector._raw._sink._mapper.read  # type: ignore[attr-defined]  # the one place to make it fail

    def crash(message: RawMessage, body: bytes, fresh: Any) -> Any:
        if b"BOOM" in body:
            raise ZeroDivisionError("boom")
        return read(message, body, fresh)

    monkeypatch.setattr(door.collector._raw._sink._mapper, "read", crash)
    send(door, order(1, note="BOOM"))
    send(door, order(2))
    assert door.rows("reason, detail", "quarantine FINAL") == [("mapping_failed", "ZeroDivisionError: boom")]
    assert door.rows("count()", where="quarantine = ''") == [(1,)]


def test_while_the_store_is_away_a_block_is_mapped_once(door: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = door.collector._raw._sink
    insert = sink._rows.insert
    tries = []

    def failing(client: Any, lines: bytes, token: str) -> None:
        tries.append(token)
        if len(tries) < 4:
            raise Unavailable("away")
        insert(client, lines, token)

    monkeypatch.setattr(sink._rows, "insert", failing)
    send(door, order(1))
    assert len(tries) >= 4
    assert len(set(tries[:4])) == 1
    assert door.rows("count()") == [(1,)]
    assert door.rows("count()", "raw") == [(1,)]


def test_a_row_that_the_store_refuses_is_kept_plainly(door: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = door.collector._raw._sink
    insert = sink._rows.insert

    def refusing(client: Any, lines: bytes, token: str) -> None:
        if b"x-bad" in lines:
            raise Refused("not this one")
        insert(client, lines, token)

    monkeypatch.setattr(sink._rows, "insert", refusing)
    for number, header in ((1, "x-good"), (2, "x-bad"), (3, "x-good")):
        body = order(number)
        headers = {**signing.shopify(SECRET, body), "X-Shopify-Topic": "orders/create", header: "1"}
        door.ingest("shop", body, headers)
    send(door, b"last")
    rows = door.rows("length(headers), size > 0, body != ''", "raw", order="received_at, raw_id")
    assert len(rows) == 4
    assert sorted(r[0] == 0 for r in rows) == [False, False, False, True]
    assert all(r[1:] == (1, 1) or r[1:] == (True, True) for r in rows)
    assert door.rows("uniqExact(ev)", where="quarantine = ''") == [(3,)]


def test_a_connection_whose_mapping_does_not_exist_ends_the_start(make_desk: Callable[..., Desk]) -> None:
    wrong = Connections((system("a", proof("bearer"), mapping="shoppify"),), configured=True)
    with pytest.raises(MappingsError, match="there is no mapping set 'shoppify'"):
        make_desk(connections=wrong, secrets=SECRETS)


@pytest.mark.parametrize(
    ("text", "number"),
    [("17", 17), (" 17 ", 17), ("1970-01-01T00:00:01Z", 1000), ("1970-01-01T00:00:01", 1000), ("v1", 0), ("", 0), ("9" * 30, 0),
     ("1901-01-01", 0), ("0001-01-01T00:00:00+23:00", 0)],
)  # fmt: skip
def test_a_version_is_a_number_that_rises(text: str, number: int) -> None:
    assert version_number(text) == number


def test_a_journal_line_reads_back() -> None:
    made = RawMessage("r", "c", NOW, "POST", {"a": "ü\n"}, {}, 1, "s", "", "", "key", "Ym9keQ==")
    line = made.line()
    assert line.count(b"\n") == 1
    assert msgspec.json.decode(line, type=RawMessage) == made


X12 = """mapping: acme.invoice
version: 1
status: experimental
source: "X12 810"
decode: {format: x12}
match: body.envelope.type == '810'
emit:
  - milestone: invoice_released
    occurred_at: {expr: "body.BIG[0].\\"01\\"", parse: yyyymmdd}
    event_key: body.envelope.id
    objects: [{type: invoice, key: invoice_no, expr: "body.BIG[0].\\"02\\""}]
"""


def test_control_numbers_are_kept_whatever_became_of_the_document(
    make_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    """Read, unmapped or repeated: its number was heard. An arrival that tells nothing new is heard too."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "invoice.yaml").write_text(X12)
    edi = Connections((system("edi", proof("bearer"), "edi", mapping="acme"),), configured=True)
    desk = make_desk(connections=edi, secrets=SECRETS, mappings=tmp_path)

    def interchange(number: int, kind: str = "810") -> bytes:
        return test_numbers.X12.format(isa=number, gs=number + 500).replace("ST*810", f"ST*{kind}").encode()

    for body in (interchange(7), interchange(8, "997"), interchange(10), interchange(10)):
        assert desk.ingest("edi", body, BEARER, wait=True).status_code in (200, 202)
    sent = desk.rows("outcome, numbers.sequence_of, numbers.sequence", "raw", order="raw_id")
    assert sorted(sent) == [
        ("mapped", ["isa:ACME/US", "gs:ACME/US/IN"], [7, 507]),
        ("mapped", ["isa:ACME/US", "gs:ACME/US/IN"], [10, 510]),
        ("quarantined", ["isa:ACME/US", "gs:ACME/US/IN"], [8, 508]),
    ]
    with desk.store.reader() as client:
        (group, interchanges) = read_gaps(client, ["edi"], NOW.date())["edi"]
        assert heard_now(client)["edi"].last_at == NOW
    assert (group.sequence_of, group.ranges) == ("gs:ACME/US/IN", ((509, 509),))
    assert (interchanges.sequence_of, interchanges.missing, interchanges.latest) == ("isa:ACME/US", 1, 10)
