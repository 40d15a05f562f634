"""Spans become facts: what failed on which object, in which hop, and what succeeded again, in any order of arrival."""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.collector.desk import Desk
from tests.collector.otlp.say import NS, post

SECOND = 1_000_000_000
SEEDS = int(os.environ.get("O2C_SEEDS", "1"))  # orders of arrival beside the first
FACTS = "type, on_ids, error, trace_id"


def ids(name: str) -> tuple[bytes, bytes]:
    """Return trace id and span id of a span written as `trace.span`."""
    trace, span = name.split(".")
    return trace.encode().ljust(16, b"-"), span.encode().ljust(8, b"-")


def said(
    name: str, service: str, step: str, *, up: str = "", at: int = 0, error: str | None = None, link: str = "",
    resource: dict[str, Any] | None = None, **attributes: Any,
) -> ExportTraceServiceRequest:  # fmt: skip
    """Return a request with one span. at: seconds after NS; error '' means failed without a message."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in {"service.name": service, **(resource or {})}.items():
        group.resource.attributes.add(key=key, value=AnyValue(string_value=value))
    trace_id, span_id = ids(name)
    span = group.scope_spans.add().spans.add(
        trace_id=trace_id, span_id=span_id, name=step, start_time_unix_nano=NS + at * SECOND,
        end_time_unix_nano=NS + at * SECOND + SECOND // 2, parent_span_id=ids(up)[1] if up else b"",
    )  # fmt: skip
    if link:
        span.links.add(trace_id=ids(link)[0], span_id=ids(link)[1])
    if error is not None:
        span.status.code, span.status.message = Status.STATUS_CODE_ERROR, error
    for key, value in attributes.items():
        held = span.attributes.add(key=f"o2c.{key}").value
        if isinstance(value, list):
            held.array_value.values.extend(AnyValue(string_value=v) for v in value)
        else:
            held.string_value = value
    return request


def send(desk: Desk, *requests: ExportTraceServiceRequest, **headers: str) -> None:
    """Send each request by itself and wait until the block that holds it has been read."""
    for request in requests:
        before = desk.collector._traces.journal.end
        assert post(desk, request.SerializeToString(), **headers).status_code == 200
        for _ in range(400):
            stream = desk.collector._traces
            if stream.journal.end > before and stream.journal.backlog_bytes == 0:
                break
            threading.Event().wait(0.02)
        else:
            raise AssertionError("the block was not read in time")


def facts(desk: Desk, count: int, columns: str = FACTS, where: str = "milestone != ''") -> list[tuple[Any, ...]]:
    """Return the facts made of spans once there are as many as expected, in the order the rulebook sorts them."""
    found: list[tuple[Any, ...]] = []
    for _ in range(200):
        found = desk.rows(columns, "events", where, "occurred_at, event_id")
        if len(found) >= count:
            break
        threading.Event().wait(0.05)
    assert len(found) == count, found
    return found


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(milestones=frozenset({"integration_failed", "invoice_released"}))


def trace_of(name: str) -> str:
    return ids(f"{name}.x")[0].hex()


def test_a_failed_span_about_an_order_fails_its_work_with_the_hop_named_first(desk: Desk) -> None:
    send(desk, said("t.a", "bridge", "release", error="503 from the ERP", order_id="SO-1"))
    assert facts(desk, 1, f"{FACTS}, kind, source, child_ids, parent_types, parent_ids, toString(occurred_at)") == [
        (
            "o2c.integration_failed.failed", ["call:bridge/release/SO-1"], "bridge · release: 503 from the ERP",
            trace_of("t"), "otel", "/otel/bridge", ["call:bridge/release/SO-1"], ["order"], ["SO-1"],
            "2023-11-14 22:13:20.000",
        )
    ]  # fmt: skip


def test_the_deepest_failed_hop_is_the_one_that_stands(desk: Desk) -> None:
    send(
        desk,
        said("t.a", "bridge", "release", error="failed", order_id="SO-1"),
        said("t.b", "bridge", "map", up="t.a"),
        said("t.c", "tax", "POST /tax", up="t.b", error="timeout"),
        said("t.d", "tax", "audit", up="t.c"),
    )
    found = facts(desk, 2)
    assert [(error, on) for _, on, error, _ in found] == [
        ("bridge · release: failed", ["call:bridge/release/SO-1"]),
        ("tax · POST /tax: timeout", ["call:bridge/release/SO-1"]),
    ]


def test_a_failure_below_work_that_succeeded_is_none(desk: Desk) -> None:
    send(
        desk,
        said("t.a", "bridge", "release", order_id="SO-1"),
        said("t.b", "tax", "POST /tax", up="t.a", error="timeout"),
        said("u.a", "bridge", "other", error="not about any object"),
        said("last.a", "bridge", "probe", error="x", order_id="SO-9"),
    )
    assert [on for _, on, _, _ in facts(desk, 1)] == [["call:bridge/probe/SO-9"]]


def test_the_message_is_that_of_the_exception_or_the_answer_where_the_status_has_none(desk: Desk) -> None:
    exception = said("t.a", "bridge", "release", error="", order_id="SO-1")
    event = exception.resource_spans[0].scope_spans[0].spans[0].events.add(name="exception")
    event.attributes.add(key="exception.message").value.string_value = "no route to host"
    answer = said("u.a", "bridge", "post", error="", order_id="SO-2", at=1)
    answer.resource_spans[0].scope_spans[0].spans[0].attributes.add(
        key="http.response.status_code"
    ).value.int_value = 502
    send(desk, exception, answer, said("v.a", "", "bare", error="", order_id="SO-3", at=2))
    assert [error for _, _, error, _ in facts(desk, 3)] == [
        "bridge · release: no route to host",
        "bridge · post: HTTP 502",
        "bare failed",
    ]


def test_a_later_success_of_the_same_work_on_the_same_object_heals_it(desk: Desk) -> None:
    send(
        desk,
        said("t.a", "bridge", "release", error="503", order_id="SO-1"),
        said("u.a", "bridge", "release", at=5, order_id="SO-2"),  # another order
        said("v.a", "bridge", "other", at=6, order_id="SO-1"),  # other work
        said("w.a", "bridge", "release", at=-5, order_id="SO-1"),  # before it failed
        said("x.a", "bridge", "release", at=7, order_id="SO-1"),
    )
    assert [(kind, on) for kind, on, _, _ in facts(desk, 2)] == [
        ("o2c.integration_failed.failed", ["call:bridge/release/SO-1"]),
        ("o2c.integration_failed", ["call:bridge/release/SO-1"]),
    ]


def test_the_milestone_that_a_span_works_for_fails_on_the_object_itself(desk: Desk) -> None:
    send(desk, said("t.a", "bridge", "release", error="503", order_id="SO-1", milestone="invoice_released"))
    send(desk, said("u.a", "bridge", "release", at=5, order_id="SO-1", milestone="invoice_released"))
    send(desk, said("v.a", "bridge", "release", at=6, error="x", order_id="SO-1", milestone="nothing_known"))
    assert facts(desk, 2, "type, on_types, on_ids, quarantine") == [
        ("o2c.invoice_released.failed", ["order"], ["SO-1"], ""),
        ("o2c.nothing_known.failed", ["order"], ["SO-1"], "unknown_milestone"),
    ]


def test_a_success_that_reports_a_milestone_reaches_it_when_the_span_ends(desk: Desk) -> None:
    send(desk, said("t.a", "bridge", "release", reports="invoice_released", order_id="SO-1", invoice_id=["I-1", "I-2"]))
    send(desk, said("u.a", "bridge", "release", at=1, error="no", reports="invoice_released", invoice_id="I-3"))
    assert facts(desk, 2, "type, on_ids, parent_ids, toString(occurred_at)") == [
        ("o2c.invoice_released", ["I-1", "I-2"], ["SO-1", "SO-1"], "2023-11-14 22:13:20.500"),
        ("o2c.invoice_released.failed", ["I-3"], [], "2023-11-14 22:13:21.000"),
    ]


@pytest.mark.parametrize(
    ("attributes", "on", "parents"),
    [
        ({"order_id": "SO-1", "shipment_id": "SH-1"}, ["call:b/s/SH-1"], ["SO-1", "SH-1"]),
        ({"order_id": ["SO-1", "SO-2"]}, ["call:b/s/SO-1"], ["SO-1"]),
        ({"return_id": "R-1", "order_id": "SO-1"}, ["call:b/s/R-1"], ["SO-1", "SO-1", "R-1"]),
        ({"document_id": "D-1"}, ["call:b/s/D-1"], ["D-1"]),
        ({"load_id": "L-1"}, ["call:b/s/L-1"], ["L-1"]),
    ],
)
def test_a_failure_is_kept_under_the_deepest_objects_named(
    desk: Desk, attributes: dict[str, Any], on: list[str], parents: list[str]
) -> None:
    send(desk, said("t.a", "b", "s", error="x", **attributes))
    several = isinstance(attributes.get("order_id"), list)
    found = facts(desk, 2 if several else 1, "on_ids, parent_ids")
    assert (on, parents) in [(row[0], row[1]) for row in found]


def test_an_object_named_by_the_resource_is_named_by_all_its_spans(desk: Desk) -> None:
    send(desk, said("t.a", "worker", "run", error="x", resource={"o2c.order_id": "SO-1"}))
    assert facts(desk, 1)[0][1] == ["call:worker/run/SO-1"]


class TestLinks:
    """A consumer's trace is linked to the producer's, which names the order."""

    PRODUCER = said("p.root", "shop", "place order", order_id="SO-1")
    PUBLISH = said("p.send", "shop", "publish", up="p.root", at=1)
    FAILED = said("c.a", "worker", "consume", at=2, error="bad payload", link="p.send")
    AGAIN = said("d.a", "worker", "consume", at=3, link="p.send")

    @pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
    def test_a_failed_consumer_fails_the_order_and_its_next_success_heals_it(
        self, desk: Desk, order: Sequence[int]
    ) -> None:
        requests = (self.PRODUCER, self.PUBLISH, self.FAILED, self.AGAIN)
        send(desk, *(requests[i] for i in order))
        assert [(kind, on) for kind, on, _, _ in facts(desk, 2)] == [
            ("o2c.integration_failed.failed", ["call:worker/consume/SO-1"]),
            ("o2c.integration_failed", ["call:worker/consume/SO-1"]),
        ]

    def test_a_link_to_a_trace_of_one_order_is_enough(self, desk: Desk) -> None:
        """The span linked to hangs beside the one that names the order, not below it."""
        send(desk, said("p.root", "shop", "handle"), said("p.a", "shop", "place order", up="p.root", order_id="SO-1"))
        send(desk, said("p.b", "shop", "publish", up="p.root"))
        send(desk, said("c.a", "worker", "consume", error="x", link="p.b"))
        assert facts(desk, 1)[0][1] == ["call:worker/consume/SO-1"]


def test_a_span_that_joins_a_failure_to_its_cause_may_come_last(desk: Desk) -> None:
    """It names nothing and did not fail, so nothing but its place tells that it matters."""
    send(
        desk,
        said("t.erp", "erp", "create order", up="t.map", error="locked"),
        said("t.root", "shop", "checkout", error="failed", order_id="SO-1"),
        said("t.map", "bridge", "map", up="t.root"),
    )
    assert [error for _, _, error, _ in facts(desk, 2)] == [
        "shop · checkout: failed",
        "erp · create order: locked",
    ]


CHAIN = (
    said("t.root", "shop", "checkout", error="failed", order_id="SO-1"),
    said("t.map", "bridge", "map", up="t.root"),
    said("t.call", "bridge", "POST /orders", up="t.map", error="503"),
    said("t.erp", "erp", "create order", up="t.call", error="sold-to party is locked"),
    said("u.root", "shop", "checkout", at=60, error="failed", order_id="SO-1"),
    said("u.call", "bridge", "POST /orders", up="u.root", at=61, error="504"),
    said("v.root", "shop", "checkout", at=120, order_id="SO-1"),
    said("v.call", "bridge", "POST /orders", up="v.root", at=121),
)


def test_any_order_of_arrival_any_batching_and_repeats_end_in_the_same_facts(fresh_desk: Callable[..., Desk]) -> None:
    rng = random.Random(7)
    outcomes = []
    for _ in range(1 + SEEDS):
        desk = fresh_desk(milestones=frozenset({"integration_failed"}))
        requests = [*CHAIN, *rng.sample(CHAIN, 3)]
        rng.shuffle(requests)
        while requests:
            size = rng.randint(1, 4)
            joined = ExportTraceServiceRequest()
            for request in requests[:size]:
                joined.MergeFrom(request)
            del requests[:size]
            send(desk, joined)
        found = facts(desk, 6, "DISTINCT type, on_ids, error, occurred_at, event_id")
        outcomes.append(found)
        desk.close()
    assert all(found == outcomes[0] for found in outcomes)
    assert [(kind.removeprefix("o2c.integration_failed"), error) for kind, _, error, _, _ in outcomes[0]] == [
        (".failed", "shop · checkout: failed"),
        (".failed", "bridge · POST /orders: 503"),
        (".failed", "erp · create order: sold-to party is locked"),
        (".failed", "shop · checkout: failed"),
        (".failed", "bridge · POST /orders: 504"),
        ("", ""),
    ]


def test_a_block_read_again_after_a_kill_makes_the_same_facts(fresh_desk: Callable[..., Desk], tmp_path: Path) -> None:
    """The cursor of the reader is lost with what followed it; identities are remembered by the store alone."""
    desk = fresh_desk(milestones=frozenset({"integration_failed"}))
    cursor = desk.settings.data_dir / "journal" / "traces" / "read"
    before = cursor.read_bytes()
    send(desk, *CHAIN)
    first = facts(desk, 6)
    desk.close()
    cursor.write_bytes(before)
    again = Desk(desk.store, desk.settings.data_dir, milestones=frozenset({"integration_failed"}))
    try:
        send(again, said("z.a", "shop", "other", error="x", order_id="SO-2", at=-60))
        assert facts(again, 13)[1::2] == facts(again, 13)[2::2] == first
        assert len(again.rows("DISTINCT ev, body", "events", "milestone != ''")) == 7
    finally:
        again.close()


def test_a_fault_in_the_reading_of_spans_holds_nothing_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("collector.otlp.reader.failures", fail)
    send(desk, said("t.a", "bridge", "release", error="503", order_id="SO-1"))
    monkeypatch.undo()
    send(desk, said("u.a", "bridge", "release", error="503", order_id="SO-2"))
    assert facts(desk, 1)[0][1] == ["call:bridge/release/SO-2"]
