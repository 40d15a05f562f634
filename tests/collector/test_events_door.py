"""The four forms of a request, the reply's four counts, and what reaches the table."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from tests.collector.desk import BATCH, NDJSON, Desk, as_json, event


def _zero(**counts: object) -> dict[str, object]:
    return {"accepted": 0, "duplicate": 0, "quarantined": 0, "rejected": [], **counts}


def test_a_structured_event_becomes_a_row_with_its_columns_exact(desk: Desk) -> None:
    data = {
        "amount": 12345678901234567890.25,
        "quantity": "3.5",
        "currency": "eur",
        "promised_at": "2026-03-02T10:00:00+01:00",
    }
    body = as_json(
        1, time="2026-03-01T10:00:00.123999+01:00", data=data, traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    )
    body = body.replace(b"1.2345678901234567e19", b"12345678901234567890.25")
    answer = desk.post(body, wait=True)
    assert (answer.status_code, answer.json()) == (200, _zero(accepted=1))
    columns = (
        "connection, kind, source, event_id, type, milestone, polarity, occurred_at, received_at, on_types, on_ids,"
        " child_types, child_ids, parent_types, parent_ids, relations, retracts, amount, quantity, currency,"
        " promised_at, trace_id, quarantine, raw"
    )
    assert desk.rows(columns) == [
        (
            "wms-berlin", "wms", "/wms/berlin", "e-1", "o2c.shipment_confirmed", "shipment_confirmed", "reached",
            datetime(2026, 3, 1, 9, 0, 0, 123000, tzinfo=UTC), desk.now, ["shipment"], ["SH-1"], ["shipment"], ["SH-1"],
            ["order"], ["SO-1"], ["ships"], [0], Decimal("12345678901234567890.25"), Decimal("3.5"), "EUR",
            datetime(2026, 3, 2, 9, 0, tzinfo=UTC), "a" * 32, "", body.decode(),
        )
    ]  # fmt: skip


def test_a_sequence_that_counts_is_kept_beside_the_content(desk: Desk) -> None:
    """Numbers as text or as such; a text that does not count, and every odd form of it, is no fault of the event."""
    forms = ["00042", 43, "A-44", "-1", -1, 1.5, True, [1], {"a": 1}, "9" * 30, None, "\u0664"]
    events = [{**event(n), "sequence": form} for n, form in enumerate(forms)]
    assert desk.post(msgspec.json.encode(events), BATCH, wait=True).json() == _zero(accepted=len(forms))
    kept = desk.rows("sequence_of, sequence", where="sequence_of != ''", order="sequence")
    assert kept == [("/wms/berlin", 42), ("/wms/berlin", 43)]
    again = desk.post(msgspec.json.encode({**event(0), "sequence": "00050"}), "application/cloudevents+json")
    assert again.json() == _zero(duplicate=1)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/cloudevents+json; charset=UTF-8"],
)
def test_an_object_as_json_is_a_structured_event(desk: Desk, content_type: str) -> None:
    assert desk.post(as_json(), content_type).json() == _zero(accepted=1)


def test_a_batch_answers_per_event(desk: Desk) -> None:
    events = [event(1), {"id": "x"}, event(2), 7]
    answer = desk.post(msgspec.json.encode(events), BATCH)
    assert answer.status_code == 200
    reply = answer.json()
    assert (reply["accepted"], [(r["index"], r["id"], r["code"]) for r in reply["rejected"]]) == (
        2,
        [(1, "x", "invalid_event"), (3, "", "invalid_event")],
    )


def test_a_binary_event_takes_its_attributes_from_headers(desk: Desk) -> None:
    headers = {
        "ce-specversion": "1.0", "ce-id": "caf%C3%A9", "ce-source": '"/wms/berlin"',
        "ce-type": "o2c.shipment_confirmed.failed",
        "ce-time": "2026-03-01T10:00:00Z",
    }  # fmt: skip
    answer = desk.post(b'{"order_id": "SO-1",\n "error": "no stock"}', "application/json", wait=True, headers=headers)
    assert answer.json() == _zero(accepted=1)
    ((event_id, polarity, error, on_ids, raw),) = desk.rows("event_id, polarity, error, on_ids, raw")
    assert (event_id, polarity, error, on_ids) == ("café", "failed", "no stock", ["SO-1"])
    assert msgspec.json.decode(raw)["data"] == {"order_id": "SO-1", "error": "no stock"}


def test_one_bad_line_never_drops_its_neighbours(desk: Desk) -> None:
    lines = [as_json(1), b"{broken", b"", as_json(2, time=None), b'{"id":"\xff"}', as_json(3)]
    answer = desk.post(b"\r\n".join(lines), NDJSON, wait=True)
    assert answer.status_code == 200
    reply = answer.json()
    assert reply["accepted"] == 2
    assert [(r["index"], r["code"]) for r in reply["rejected"]] == [
        (1, "not_json"),
        (2, "time_missing"),
        (3, "invalid_utf8"),
    ]
    assert desk.rows("event_id") == [("e-1",), ("e-3",)]


def test_bytes_that_are_no_text_are_refused_even_where_nobody_looks(desk: Desk) -> None:
    bad = as_json(1, data={"unused": "?"}).replace(b"?", b"\xff")
    reply = desk.post(bad + b"\n" + as_json(2), NDJSON).json()
    assert (reply["accepted"], reply["rejected"][0]["code"]) == (1, "invalid_utf8")


@pytest.mark.parametrize(("body", "content_type"), [(b"", NDJSON), (b"\n \n", NDJSON), (b"[]", BATCH)])
def test_an_empty_batch_is_fine(refusing: Desk, body: bytes, content_type: str) -> None:
    answer = refusing.post(body, content_type)
    assert (answer.status_code, answer.json()) == (200, _zero())


def test_the_same_event_twice_counts_as_duplicate_and_is_stored_once(desk: Desk) -> None:
    assert desk.post_lines([event(1), event(1), event(2)]) == _zero(accepted=2, duplicate=1)
    assert desk.post_lines([event(1)]) == _zero(duplicate=1)
    respelled = event(1, time="2026-03-01T11:00:00.000+01:00", data={"shipment_id": ["SH-1", "SH-1"]})
    assert desk.post_lines([respelled]) == _zero(duplicate=1)
    assert desk.rows("event_id") == [("e-1",), ("e-2",)]


def test_another_body_under_one_identity_reaches_the_store_beside_the_first(desk: Desk) -> None:
    """Which of the two counts must not depend on which came first, so the engine decides by hash."""
    assert desk.post_lines([event(1)]) == _zero(accepted=1)
    assert desk.post_lines([event(1, data={"order_id": "SO-other"})]) == _zero(quarantined=1)
    rows = desk.rows("uniqExact(ev), uniqExact(body), count(), countIf(quarantine = '')")
    assert rows == [(1, 2, 2, 2)]
    assert desk.rows("count()", "identities") == [(2,)]


def test_ids_of_two_sources_are_two_identities(desk: Desk) -> None:
    assert desk.post_lines([event(1), event(1, source="/wms/berlin/hall-2")])["accepted"] == 2


def test_an_unknown_milestone_is_quarantined_and_welcome_once_the_rulebook_knows_it(desk: Desk) -> None:
    assert desk.post_lines([event(1, type="o2c.shipment_polished")]) == _zero(quarantined=1)
    assert desk.rows("reason, event_id, detail LIKE '%shipment_polished%'", "quarantine FINAL") == [
        ("unknown_milestone", "e-1", 1)
    ]
    assert desk.rows("count()", "identities") == [(0,)]
    assert desk.post_lines([event(1)]) == _zero(accepted=1)


def test_a_time_far_ahead_is_quarantined_and_does_not_move_the_feed(desk: Desk) -> None:
    ahead, just = event(1, time="2026-03-01T12:05:00.001Z"), event(2, time="2026-03-01T12:05:00Z")
    assert desk.post_lines([ahead, just]) == _zero(accepted=1, quarantined=1)
    assert desk.rows("reason, event_id", "quarantine FINAL") == [("future_time", "e-1")]
    assert desk.rows("max(watermark)", "heard") == [(datetime(2026, 3, 1, 12, 5, tzinfo=UTC),)]


def test_an_event_that_names_nothing_is_quarantined(desk: Desk) -> None:
    assert desk.post_lines([event(1, data={"order_id": None, "shipment_id": None})]) == _zero(quarantined=1)
    assert desk.rows("reason", "quarantine FINAL") == [("no_object",)]


def test_a_heartbeat_moves_the_watermark_and_makes_no_fact(desk: Desk) -> None:
    beat = event("hb", type="o2c.heartbeat", time="2026-03-01T11:59:00Z")
    assert desk.post_lines([beat, beat, {**beat, "time": "2026-03-01T11:59:30Z"}]) == _zero(accepted=2, duplicate=1)
    assert desk.rows("DISTINCT milestone, on_ids, child_ids") == [("", [], [])]
    assert desk.rows("count()", "identities") == [(0,)]
    assert desk.rows("connection, max(watermark)", "heard", "1 GROUP BY connection") == [
        ("wms-berlin", datetime(2026, 3, 1, 11, 59, 30, tzinfo=UTC))
    ]


def test_ids_are_scoped_and_further_fields_kept_as_the_connection_says(desk: Desk) -> None:
    data = {
        "basket": 12.50,
        "gift": True,
        "secret": "no",
        "order_id": ["B", "A"],
        "shipment_id": None,
        "warehouse": "HH",
    }
    desk.post_lines([event(1, source="/shop/de", type="o2c.order_captured", data=data)])
    assert desk.rows("kind, on_ids, attributes, warehouse") == [
        ("commerce", ["s1/A", "s1/B"], {"basket": "12.5", "gift": "true"}, "HH")
    ]


def test_without_a_connection_the_first_segment_is_the_kind(desk: Desk) -> None:
    desk.post_lines([event(1, source="/tms/north")])
    assert desk.rows("connection, kind") == [("", "tms")]


def test_stated_links_take_three_spellings_and_can_be_taken_back(desk: Desk) -> None:
    links = [
        {"from": "invoice:I1", "to": {"shipment_id": "S1"}},
        {"from": {"type": "order", "id": "O1"}, "to": "shipment:S1", "relation": "splits", "retract": True},
    ]
    desk.post_lines(
        [
            event(
                1,
                type="o2c.invoice_released",
                data={"order_id": None, "shipment_id": None, "invoice_id": "I1", "links": links},
            )
        ]
    )
    ((on_types, *columns),) = desk.rows(
        "on_types, child_types, child_ids, parent_types, parent_ids, relations, retracts"
    )
    assert on_types == ["invoice"]
    assert sorted(zip(*columns, strict=True)) == [
        ("invoice", "I1", "shipment", "S1", "bills", 0),
        ("shipment", "S1", "order", "O1", "splits", 1),
    ]


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"id": None}, "invalid_event", "`id`"),
        ({"id": ""}, "invalid_event", "$.id"),
        ({"id": 7}, "invalid_event", "$.id"),
        ({"id": "x" * 257}, "invalid_event", "$.id"),
        ({"source": None}, "invalid_event", "`source`"),
        ({"specversion": "0.3"}, "invalid_event", "$.specversion"),
        ({"type": "com.example.someevent"}, "unknown_type", "o2c."),
        ({"type": "o2c."}, "unknown_type", "o2c."),
        ({"time": None}, "time_missing", "zone"),
        ({"time": "2026-03-01T10:00:00"}, "time_without_zone", "$.time"),
        ({"time": "2026-03-01"}, "time_invalid", "$.time"),
        ({"time": 1700000000}, "invalid_event", "$.time"),
        ({"time": "1899-12-31T23:59:59Z"}, "time_out_of_range", "$.time"),
        ({"time": "0001-01-01T00:00:00+10:00"}, "time_out_of_range", "$.time"),
        ({"datacontenttype": "application/xml"}, "data_not_json", "xml"),
        ({"data": {"order_id": 4711}}, "invalid_event", "$.data.order_id"),
        ({"data": {"order_id": ["a", 1]}}, "invalid_event", "$.data.order_id[1]"),
        ({"data": {"amount": True}}, "invalid_event", "$.data.amount"),
        ({"data": {"amount": "ten"}}, "invalid_event", "$.data.amount"),
        ({"data": {"amount": "NaN"}}, "invalid_event", "$.data.amount"),
        ({"data": {"amount": "1e24"}}, "number_out_of_range", "$.data.amount"),
        ({"data": {"amount": "1e999999999"}}, "number_out_of_range", "$.data.amount"),
        ({"data": {"amount": "0.0000001"}}, "number_out_of_range", "$.data.amount"),
        ({"data": {"quantity": "1e-99999"}}, "number_out_of_range", "$.data.quantity"),
        ({"data": {"currency": "EURO"}}, "invalid_event", "$.data.currency"),
        ({"data": {"currency": "E1R"}}, "invalid_event", "$.data.currency"),
        ({"data": {"promised_at": "2026-03-01T10:00:00"}}, "time_without_zone", "$.data.promised_at"),
        ({"data": {"links": [{"from": "ship:S", "to": "order:O"}]}}, "invalid_link", "links[0].from"),
        ({"data": {"links": [{"from": "order:O", "to": "order:O"}]}}, "invalid_link", "itself"),
        ({"data": {"links": [{"from": "S", "to": "order:O"}]}}, "invalid_link", "links[0].from"),
        ({"data": {"links": [{"from": "shipment:", "to": "order:O"}]}}, "invalid_link", "links[0].from"),
        ({"data": {"links": [{"from": "shipment:S", "to": {"order_id": "x" * 257}}]}}, "invalid_link", "links[0].to"),
        ({"data": {"links": [{"from": 7, "to": "order:O"}]}}, "invalid_event", "links[0].from"),
    ],
)  # fmt: skip
def test_a_lone_event_that_is_none_is_refused_with_the_place(
    refusing: Desk, changes: dict[str, object], code: str, says: str
) -> None:
    before = refusing.collector.stats().rejected
    answer = refusing.post(as_json(1, **changes))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["status"]) == (code, 400)
    assert says in problem["detail"]
    assert refusing.collector.stats().rejected == before + 1


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"this is not JSON", "application/json", "not_json"),
        (b"", "application/json", "not_json"),
        (b"hello\nworld", NDJSON, "not_json"),
        (b"hello", BATCH, "not_json"),
        (b"{}", BATCH, "not_json"),
        (b"\xff\xfe", "application/json", "invalid_utf8"),
        (b'{"data":' * 100_000, "application/json", "too_deep"),
        (b"[" * 100_000, BATCH, "too_deep"),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", "too_deep"),
    ],
)
def test_what_is_no_json_is_a_bad_request(refusing: Desk, body: bytes, content_type: str, code: str) -> None:
    answer = refusing.post(body, content_type)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_deep_nesting_in_one_line_leaves_the_others_alone(desk: Desk) -> None:
    deep = b'{"data":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001
    reply = desk.post(as_json(1) + b"\n" + deep + b"\n" + as_json(2), NDJSON).json()
    assert (reply["accepted"], reply["rejected"][0]["code"]) == (2, "too_deep")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "application/json; charset=latin-1"])
def test_an_unknown_form_is_415(refusing: Desk, content_type: str) -> None:
    assert refusing.post(as_json(), content_type).status_code == 415


def test_binary_data_that_is_no_json_is_refused(refusing: Desk) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/wms/berlin",
        "ce-type": "o2c.order_accepted",
        "ce-time": "2026-03-01T10:00:00Z",
    }
    assert refusing.post(b"<a/>", "application/xml", headers=headers).json()["code"] == "data_not_json"
    assert refusing.post(b"{", "application/json", headers=headers).json()["code"] == "not_json"
    assert (
        refusing.post(b"{}", "application/json", headers={**headers, "ce-source": "%ff"}).json()["code"]
        == "invalid_utf8"
    )


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw-deflate"])
def test_compressed_bodies_are_read(desk: Desk, encoding: str) -> None:
    body = as_json()
    packed = {
        "gzip": gzip.compress(body[:10]) + gzip.compress(body[10:]),
        "deflate": zlib.compress(body),
        "raw-deflate": zlib.compress(body)[2:-4],
    }[encoding]
    answer = desk.post(packed, headers={"Content-Encoding": encoding.removeprefix("raw-")})
    assert answer.json() == _zero(accepted=1)


def test_a_body_over_the_limit_is_refused_compressed_or_not(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(max_body_mb=1)
    assert desk.post(b" " * (10 << 20)).status_code == 413
    bomb = gzip.compress(b" " * (100 << 20), 5)
    assert len(bomb) < 1 << 20
    answer = desk.post(bomb, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (
        desk.post(gzip.compress(as_json())[:-9], headers={"Content-Encoding": "gzip"}).json()["code"]
        == "invalid_encoding"
    )
    assert desk.post(b"no gzip", headers={"Content-Encoding": "gzip"}).json()["code"] == "invalid_encoding"
    assert desk.post(as_json(), headers={"Content-Encoding": "lzma"}).status_code == 415


def test_every_event_must_come_from_somebody(refusing: Desk) -> None:
    for token in ("", "Bearer wrong", "Basic admin"):
        answer = refusing.post(as_json(), headers={"Authorization": token})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_speaks_only_for_its_own_connections(desk: Desk) -> None:
    mine, other, loose = event(1), event(2, source="/shop/de"), event(3, source="/tms/north")
    body = b"\n".join(msgspec.json.encode(e) for e in (mine, other, loose))
    reply = desk.post(body, NDJSON, headers={"Authorization": "Bearer berlin"}).json()
    assert (reply["accepted"], [(r["index"], r["code"]) for r in reply["rejected"]]) == (
        1,
        [(1, "forbidden_connection"), (2, "forbidden_connection")],
    )
    answer = desk.post(msgspec.json.encode(other), headers={"Authorization": "Bearer berlin"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden_connection")


def test_waiting_covers_duplicates_and_everything_before_them(desk: Desk) -> None:
    assert desk.post(as_json(1)).status_code == 200
    assert desk.post(as_json(1), wait=True).json() == _zero(duplicate=1)
    assert desk.rows("event_id") == [("e-1",)]


def test_a_wait_that_runs_out_says_that_the_events_are_safe(
    make_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(started=False)
    with monkeypatch.context() as short:
        short.setattr("collector.events_door.WAIT_S", 0.05)
        answer = desk.post(as_json(1), wait=True)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_judged_yet")
    assert "safe" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0
    desk.start()
    assert desk.post_lines([event(1)])["duplicate"] == 1
    assert desk.rows("event_id") == [("e-1",)]


def test_a_full_backlog_answers_429_until_it_is_drained(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(started=False, backlog_mb=0)
    assert desk.post(as_json(1)).status_code == 200
    answer = desk.post(as_json(2))
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
    assert desk.collector.stats().backlog_lines == 1
    desk.start()
    assert desk.progress.wait_judged(desk.collector.stats().backlog_bytes or 1, 5)
    assert desk.post_lines([event(2)])["accepted"] == 1


def test_too_little_free_disk_answers_503(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(disk_floor_mb=1 << 40)
    answer = desk.post(as_json(1))
    assert (answer.status_code, answer.json()["code"], int(answer.headers["retry-after"]) > 0) == (
        503,
        "disk_full",
        True,
    )
    assert not desk.collector.stats().ready


def test_the_schema_is_served_and_describes_a_good_event(desk: Desk) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    answer = desk.client.request("GET", "/v1/schemas")
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    validator.validate(event(1, data={"amount": 1.5, "links": [{"from": "shipment:S", "to": {"order_id": "O"}}]}))
    assert list(validator.iter_errors(event(1, data={"order_id": 7})))
    assert list(validator.iter_errors(event(1, time=None)))
    assert desk.client.request("GET", "/v1/schemas", headers={"Authorization": ""}).status_code == 401
