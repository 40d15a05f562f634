"""Any bytes give telemetry or a bad request, never more; what the door takes, the store takes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.collector.desk import Desk
from tests.collector.otlp.say import JSON, PROTOBUF, log_request, post, request_with, spans

PATHS = st.sampled_from(["/v1/traces", "/v1/logs", "/v1/metrics"])
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
LEAVES: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXT
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
VALUES = st.recursive(
    st.one_of(
        st.builds(lambda v: AnyValue(string_value=v), TEXT),
        st.builds(lambda v: AnyValue(int_value=v), st.integers(-(2**63), 2**63 - 1)),
        st.builds(lambda v: AnyValue(double_value=v), st.floats()),
        st.builds(lambda v: AnyValue(bool_value=v), st.booleans()),
        st.builds(lambda v: AnyValue(bytes_value=v), st.binary(max_size=5)),
        st.just(AnyValue()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda v: AnyValue(array_value={"values": v})),
        st.lists(st.tuples(TEXT, inner), max_size=3).map(
            lambda v: AnyValue(kvlist_value={"values": [{"key": k, "value": x} for k, x in v]})
        ),
    ),
    max_leaves=6,
)
NANOS = st.integers(0, 2**64 - 1) | st.integers(0, 4 * 10**18)
quick = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@st.composite
def trace_requests(draw: st.DrawFn) -> bytes:
    """Return a request whose fields are anything that protobuf can carry."""
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        group = request.resource_spans.add()
        group.resource.attributes.add(key=draw(TEXT), value=draw(VALUES))
        scope = group.scope_spans.add()
        scope.scope.name = draw(TEXT)
        for _ in range(draw(st.integers(0, 2))):
            span = scope.spans.add(
                trace_id=draw(st.sampled_from([b"t" * 16, b"t" * 16, bytes(16), b"", b"x"])),
                span_id=draw(st.sampled_from([b"s" * 8, b"s" * 8, bytes(8), b"y" * 9])),
                parent_span_id=draw(st.binary(max_size=9)), name=draw(TEXT), trace_state=draw(TEXT),
                kind=draw(st.integers(-5, 99)), start_time_unix_nano=draw(NANOS), end_time_unix_nano=draw(NANOS),
            )  # fmt: skip
            span.attributes.add(key=draw(TEXT), value=draw(VALUES))
            span.attributes.add(key=draw(st.sampled_from(["o2c.order_id", "o2c.milestone", "a"])), value=draw(VALUES))
            span.events.add(name=draw(TEXT), time_unix_nano=draw(NANOS)).attributes.add(key="e", value=draw(VALUES))
            span.links.add(trace_id=draw(st.binary(max_size=17)), span_id=draw(st.binary(max_size=9)))
            span.status.code, span.status.message = draw(st.integers(-3, 9)), draw(TEXT)
    return request.SerializeToString()


@st.composite
def log_requests(draw: st.DrawFn) -> bytes:
    """Return a request whose fields are anything that protobuf can carry."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add(schema_url=draw(TEXT)).scope_logs.add()
    scope.scope.attributes.add(key=draw(TEXT), value=draw(VALUES))
    for _ in range(draw(st.integers(0, 2))):
        scope.log_records.add(
            time_unix_nano=draw(NANOS), observed_time_unix_nano=draw(NANOS), body=draw(VALUES),
            severity_number=draw(st.integers(-300, 300)), severity_text=draw(TEXT), flags=draw(st.integers(0, 2**32 - 1)),
            trace_id=draw(st.binary(max_size=17)), span_id=draw(st.binary(max_size=9)), event_name=draw(TEXT),
        ).attributes.add(key=draw(TEXT), value=draw(VALUES))  # fmt: skip
    return request.SerializeToString()


@pytest.fixture
def still(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()


@quick
@given(body=st.binary(max_size=200) | ANYTHING.map(msgspec.json.encode), json=st.booleans(), path=PATHS)
def test_any_bytes_are_taken_or_a_bad_request(still: Desk, body: bytes, json: bool, path: str) -> None:
    assert post(still, body, JSON if json else PROTOBUF, path).status_code in (200, 400)


@quick
@given(seed=st.integers(0, 2**32), cuts=st.integers(1, 6), logs=st.booleans())
def test_mutated_requests_are_taken_or_a_bad_request(still: Desk, seed: int, cuts: int, logs: bool) -> None:
    rng = random.Random(seed)
    made = log_request(time_unix_nano=5, severity_text="x") if logs else request_with("svc", name="n")
    body = bytearray(made.SerializeToString())
    for _ in range(cuts):
        at = rng.randrange(len(body))
        body[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        if not body:
            break
    assert post(still, bytes(body), PROTOBUF, "/v1/logs" if logs else "/v1/traces").status_code in (200, 400)


def test_the_store_takes_what_the_door_takes(still: Desk) -> None:
    """Requests whose fields are anything; then the drain is waited for."""

    @settings(quick, max_examples=60)
    @given(traces=trace_requests(), logs=log_requests())
    def send(traces: bytes, logs: bytes) -> None:
        assert post(still, traces).status_code == 200
        assert post(still, logs, PROTOBUF, "/v1/logs").status_code == 200

    send()
    assert post(still, request_with("last", name="last").SerializeToString()).status_code == 200
    kept = still.collector.stats().spans
    assert len(spans(still, kept)) == kept
    assert still.collector.stats().store_refused == 0
