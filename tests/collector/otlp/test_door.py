"""OTLP/HTTP by the book: answers and refusals in the request's own type, whatever arrives."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import msgspec
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.otlp.decode import MAX_OBJECTS
from collector.otlp.line import Line, to_line
from tests.collector.desk import Desk
from tests.collector.otlp.say import JSON, NS, PROTOBUF, log_request, post, request_with, spans, stored

SIGNALS = pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])


@SIGNALS
def test_an_empty_request_is_fine(refusing: Desk, path: str) -> None:
    for _ in range(2):
        answer = post(refusing, b"", PROTOBUF, path)
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", PROTOBUF)
    answer = post(refusing, b"{}", JSON, path)
    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (200, {}, JSON)


@SIGNALS
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xff\xff", PROTOBUF),
        (b"\x0a\x03\x0a\x05x", PROTOBUF),
        (b"nonsense", JSON),
        (b"[]", JSON),
        (b"null", JSON),
        (b'{"resourceSpans": 7, "resourceLogs": 7, "resourceMetrics": 7}', JSON),
        (b"[" * 100_000, JSON),
        (b"\xff", JSON),
        (b'{"a": "\\ud800"', JSON),
    ],
)
def test_bad_bodies_get_a_status_in_their_own_type(refusing: Desk, path: str, body: bytes, content_type: str) -> None:
    answer = post(refusing, body, content_type, path)
    assert (answer.status_code, answer.headers["content-type"]) == (400, content_type)
    if content_type == PROTOBUF:
        status = Status.FromString(answer.content)
        assert (status.code, bool(status.message)) == (3, True)
    else:
        assert answer.json()["code"] == 3
        assert answer.json()["message"]


@pytest.mark.parametrize(
    "span",
    [
        {"traceId": "xyz"},
        {"traceId": 7},
        {"startTimeUnixNano": "soon"},
        {"startTimeUnixNano": -1},
        {"name": 7},
        {"name": "\ud800"},
        {"attributes": {"a": 1}},
        {"links": [{"traceId": "0"}]},
        {"attributes": [{"key": "a", "value": {"intValue": True}}]},
        {"attributes": [{"key": "a", "value": {"intValue": 1.5}}]},
        {"attributes": [{"key": "a", "value": {"intValue": "9223372036854775808"}}]},
        {"attributes": [{"key": "a", "value": {"doubleValue": "many"}}]},
        {"attributes": [{"key": "a", "value": {"bytesValue": "*"}}]},
        {"attributes": [{"key": "a", "value": {"stringValue": 1}}]},
        {"events": [[]]},
        {"status": []},
    ],
)
def test_bad_json_fields_are_bad_requests(refusing: Desk, span: dict[str, object]) -> None:
    import json

    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert post(refusing, json.dumps(body).encode(), JSON).status_code == 400


@pytest.mark.parametrize("depth", [30, 60, 200, 400])
def test_values_nested_ever_deeper_are_kept_or_a_bad_request(desk: Desk, depth: int) -> None:
    value = b'{"arrayValue":{"values":[' * depth + b'{"intValue":1}' + b"]}}" * depth
    span = b'{"traceId":"%b","spanId":"%b"}' % (b"0a" * 16, b"0b" * 8)
    body = b'{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":%b}]},"scopeSpans":[{"spans":[%b]}]}]}'
    answer = post(desk, body % (value, span), JSON)
    assert answer.status_code == (200 if depth <= 30 else 400), answer.text
    if depth <= 30:
        assert spans(desk, 1, "ResourceAttributes['a']") == [("[" * depth + "1" + "]" * depth,)]


@pytest.mark.parametrize("value", [b"\x0a\x02\xff\xfe", b"\x2a\x05\x0a\x03\x0a\x01\xff"])
def test_text_that_is_not_utf8_is_a_bad_request_however_deep(refusing: Desk, value: bytes) -> None:
    """The second value is a list that holds the text, which the first reading does not look into."""
    attribute = b"\x0a\x01k\x12" + bytes([len(value)]) + value
    request = request_with()
    span = request.resource_spans[0].scope_spans[0].spans[0].SerializeToString()
    span += b"\x4a" + bytes([len(attribute)]) + attribute
    scope = b"\x12" + bytes([len(span)]) + span
    group = b"\x12" + bytes([len(scope)]) + scope
    answer = post(refusing, b"\x0a" + bytes([len(group)]) + group)
    assert (answer.status_code, Status.FromString(answer.content).code) == (400, 3)


@SIGNALS
def test_refusals_are_statuses_with_the_code_of_grpc(refusing: Desk, path: str) -> None:
    answer = post(refusing, b"", PROTOBUF, path, Authorization="Bearer wrong")
    assert (answer.status_code, Status.FromString(answer.content).code) == (401, 16)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert post(refusing, b"", PROTOBUF, path, Authorization="Bearer reader").status_code == 403
    answer = post(refusing, b"", "text/plain", path)
    assert (answer.status_code, Status.FromString(answer.content).code) == (415, 3)
    answer = refusing.client.request("GET", path, headers={"Content-Type": JSON})
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, 12, "POST")
    bomb = gzip.compress(b"\0" * (65 << 20), 1)
    for body, encoding in ((bomb, "gzip"), (b"\0" * ((64 << 20) + 1), "identity")):
        answer = post(refusing, body, PROTOBUF, path, **{"Content-Encoding": encoding})
        assert (answer.status_code, Status.FromString(answer.content).code) == (413, 8)


def test_what_may_be_repeated_says_when(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(disk_floor_mb=1 << 30)
    answer = post(desk, request_with().SerializeToString())
    assert (answer.status_code, Status.FromString(answer.content).code) == (503, 14)
    assert int(answer.headers["Retry-After"]) > 0


def test_a_json_of_too_many_objects_is_told_to_come_in_parts(refusing: Desk) -> None:
    answer = post(refusing, b'{"resourceSpans":[' + b"{}," * MAX_OBJECTS + b"{}]}", JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)
    assert "send less at once" in answer.json()["message"]


def test_metrics_are_politely_refused(refusing: Desk) -> None:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    metrics.add(name="none")
    metrics.add(name="gauge").gauge.data_points.add(as_int=1)
    metrics.add(name="sum").sum.data_points.add(as_int=1)
    metrics.add(name="histogram").histogram.data_points.add()
    answer = post(refusing, request.SerializeToString(), PROTOBUF, "/v1/metrics")
    partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_data_points) == (200, 3)
    assert "no metrics" in partial.error_message


def test_a_body_that_the_store_refuses_is_quarantined_and_its_neighbours_go_on(desk: Desk) -> None:
    """The door lets no such body through; one is put into the journal by hand."""
    keep = desk.collector._traces.commit_here
    good = [request_with(name=f"n{i}", start_time_unix_nano=NS + i).SerializeToString() for i in range(3)]
    lines = [to_line(Line(b)) for b in good]
    keep(lines[0] + to_line(Line(b"\x0a\x03bad")) + lines[1] + b"no line\n" + lines[2])
    assert spans(desk, 3, "SpanName") == [("n0",), ("n1",), ("n2",)]
    found = stored(desk, "quarantine", 2, "type, reason, raw", "raw")
    assert found == [
        ("otlp.traces", "store_refused", "CgNiYWQ="),
        ("otlp.traces", "store_refused", "bm8gbGluZQo="),
    ]
    assert desk.collector.stats().store_refused == 2


class TestWhoMaySend:
    """A token speaks for its own connections only, in telemetry as in events."""

    def test_a_token_of_one_connection_speaks_for_it_whatever_the_service(self, desk: Desk) -> None:
        request = request_with("any-service", name="a", start_time_unix_nano=NS, end_time_unix_nano=NS)
        assert post(desk, request.SerializeToString(), Authorization="Bearer berlin").content == b""
        assert spans(desk, 1, "ResourceAttributes") == [({"service.name": "any-service", "o2c.source": "/wms/berlin"},)]

    def test_what_states_another_source_is_refused_and_the_rest_kept(self, desk: Desk) -> None:
        request = request_with("shop", name="theirs")
        request.resource_spans[0].resource.attributes.add(key="o2c.source").value.string_value = "/shop/web"
        request.resource_spans.extend(request_with("mine", name="mine").resource_spans)
        answer = post(desk, request.SerializeToString(), Authorization="Bearer berlin")
        partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
        assert (answer.status_code, partial.rejected_spans) == (200, 1)
        assert "connection 'shop'" in partial.error_message
        assert spans(desk, 1, "SpanName") == [("mine",)]

    def test_an_administrator_speaks_for_all(self, desk: Desk) -> None:
        body = request_with("x", name="a").SerializeToString() + request_with("y", name="b").SerializeToString()
        assert post(desk, body).content == b""
        assert spans(desk, 2, "ServiceName") == [("x",), ("y",)]

    def test_logs_are_held_to_the_same(self, desk: Desk) -> None:
        request = log_request(time_unix_nano=NS)
        request.resource_logs[0].resource.attributes.add(key="o2c.source").value.string_value = "/shop"
        answer = post(desk, request.SerializeToString(), PROTOBUF, "/v1/logs", Authorization="Bearer berlin")
        assert answer.status_code == 200
        assert b"may not send for connection 'shop'" in answer.content


def test_a_request_is_answered_from_the_journal_not_from_the_store(make_desk: Callable[..., Desk]) -> None:
    """What is acknowledged before the drain runs is stored once it does."""
    desk = make_desk(started=False)
    body = msgspec.json.encode({"resourceSpans": []})
    assert post(desk, body, JSON).status_code == 200
    assert post(desk, request_with(name="early").SerializeToString()).status_code == 200
    desk.start()
    assert spans(desk, 1, "SpanName") == [("early",)]
