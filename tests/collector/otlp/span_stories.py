"""Stories of spans, side by side: what is sent step by step, and the facts it makes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.collector.otlp.say import NS

SECOND = 1_000_000_000


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


def bare(name: str, step: str, at: int) -> ExportTraceServiceRequest:
    """Return a failed span whose failure is told by an exception or an answer, not by its status."""
    request = said(name, "bridge", step, error="", at=at, order_id="SO-1")
    span = request.resource_spans[0].scope_spans[0].spans[0]
    if step == "release":
        span.events.add(name="exception").attributes.add(
            key="exception.message"
        ).value.string_value = "no route to host"
    else:
        span.attributes.add(key="http.response.status_code").value.int_value = 502
    return request


class Story(NamedTuple):
    """Requests, each sent once the one before was read, and the facts they make, in the order the rulebook sorts them."""

    steps: Sequence[ExportTraceServiceRequest]
    facts: list[dict[str, Any]]


FAILED, HEALED = "o2c.integration_failed.failed", "o2c.integration_failed"
# A consumer's trace is linked to the producer's, which names the order.
LINKED = (
    said("p.root", "shop", "place order", order_id="SO-1"),
    said("p.send", "shop", "publish", up="p.root", at=1),
    said("c.a", "worker", "consume", at=2, error="bad payload", link="p.send"),
    said("d.a", "worker", "consume", at=3, link="p.send"),
)
STORIES = {
    "a failed span about an order fails its work, with the hop named first": Story(
        [said("t.a", "bridge", "release", error="503 from the ERP", order_id="SO-1")],
        [
            {
                "type": FAILED,
                "on_ids": ["call:bridge/release/SO-1"],
                "error": "bridge · release: 503 from the ERP",
                "trace": "t",
                "kind": "otel",
                "source": "/otel/bridge",
                "child_ids": ["call:bridge/release/SO-1"],
                "parent_types": ["order"],
                "parent_ids": ["SO-1"],
                "at": "2023-11-14 22:13:20.000",
            }
        ],
    ),
    "the deepest failed hop is the one that stands": Story(
        [
            said("t.a", "bridge", "release", error="failed", order_id="SO-1"),
            said("t.b", "bridge", "map", up="t.a"),
            said("t.c", "tax", "POST /tax", up="t.b", error="timeout"),
            said("t.d", "tax", "audit", up="t.c"),
        ],
        [
            {"error": "bridge · release: failed", "on_ids": ["call:bridge/release/SO-1"]},
            {"error": "tax · POST /tax: timeout", "on_ids": ["call:bridge/release/SO-1"]},
        ],
    ),
    "a failure below work that succeeded is none, nor one about no object": Story(
        [
            said("t.a", "bridge", "release", order_id="SO-1"),
            said("t.b", "tax", "POST /tax", up="t.a", error="timeout"),
            said("u.a", "bridge", "other", error="not about any object"),
            said("last.a", "bridge", "probe", error="x", order_id="SO-9"),
        ],
        [{"on_ids": ["call:bridge/probe/SO-9"]}],
    ),
    "the message is that of the exception or the answer where the status has none": Story(
        [bare("t.a", "release", 0), bare("u.a", "post", 1), said("v.a", "", "bare", error="", order_id="SO-3", at=2)],
        [
            {"error": "bridge · release: no route to host"},
            {"error": "bridge · post: HTTP 502"},
            {"error": "bare failed"},
        ],
    ),
    "a later success of the same work on the same object heals it": Story(
        [
            said("t.a", "bridge", "release", error="503", order_id="SO-1"),
            said("u.a", "bridge", "release", at=5, order_id="SO-2"),  # another order
            said("v.a", "bridge", "other", at=6, order_id="SO-1"),  # other work
            said("w.a", "bridge", "release", at=-5, order_id="SO-1"),  # before it failed
            said("x.a", "bridge", "release", at=7, order_id="SO-1"),
        ],
        [
            {"type": FAILED, "on_ids": ["call:bridge/release/SO-1"]},
            {"type": HEALED, "on_ids": ["call:bridge/release/SO-1"]},
        ],
    ),
    "the milestone that a span works for fails on the object itself": Story(
        [
            said("t.a", "bridge", "release", error="503", order_id="SO-1", milestone="invoice_released"),
            said("u.a", "bridge", "release", at=5, order_id="SO-1", milestone="invoice_released"),
            said("v.a", "bridge", "release", at=6, error="x", order_id="SO-1", milestone="nothing_known"),
        ],
        [
            {"type": "o2c.invoice_released.failed", "on_types": ["order"], "on_ids": ["SO-1"], "quarantine": ""},
            {"type": "o2c.nothing_known.failed", "on_ids": ["SO-1"], "quarantine": "unknown_milestone"},
        ],
    ),
    "a success that reports a milestone reaches it when the span ends": Story(
        [
            said("t.a", "bridge", "release", reports="invoice_released", order_id="SO-1", invoice_id=["I-1", "I-2"]),
            said("u.a", "bridge", "release", at=1, error="no", reports="invoice_released", invoice_id="I-3"),
        ],
        [
            {
                "type": "o2c.invoice_released",
                "on_ids": ["I-1", "I-2"],
                "parent_ids": ["SO-1", "SO-1"],
                "at": "2023-11-14 22:13:20.500",
            },
            {
                "type": "o2c.invoice_released.failed",
                "on_ids": ["I-3"],
                "parent_ids": [],
                "at": "2023-11-14 22:13:21.000",
            },
        ],
    ),
    "an object named by the resource is named by all its spans": Story(
        [said("t.a", "worker", "run", error="x", resource={"o2c.order_id": "SO-1"})],
        [{"on_ids": ["call:worker/run/SO-1"]}],
    ),
    "a link to a trace of one order is enough, beside the span that names it": Story(
        [
            said("p.root", "shop", "handle"),
            said("p.a", "shop", "place order", up="p.root", order_id="SO-1"),
            said("p.b", "shop", "publish", up="p.root"),
            said("c.a", "worker", "consume", error="x", link="p.b"),
        ],
        [{"on_ids": ["call:worker/consume/SO-1"]}],
    ),
    # It names nothing and did not fail, so nothing but its place tells that it matters.
    "a span that joins a failure to its cause may come last": Story(
        [
            said("t.erp", "erp", "create order", up="t.map", error="locked"),
            said("t.root", "shop", "checkout", error="failed", order_id="SO-1"),
            said("t.map", "bridge", "map", up="t.root"),
        ],
        [{"error": "shop · checkout: failed"}, {"error": "erp · create order: locked"}],
    ),
}
STORIES |= {
    f"a failed consumer fails the order and its next success heals it, {order}": Story(
        [LINKED[i] for i in order],
        [
            {"type": FAILED, "on_ids": ["call:worker/consume/SO-1"]},
            {"type": HEALED, "on_ids": ["call:worker/consume/SO-1"]},
        ],
    )
    for order in list(itertools.permutations(range(4)))[::5]
}
# Which objects are named, and the deepest of them, under which a failure is kept with what lies above.
DEEPEST: list[tuple[dict[str, Any], list[tuple[str, list[str]]]]] = [
    ({"order_id": "SO-1", "shipment_id": "SH-1"}, [("SH-1", ["SO-1", "SH-1"])]),
    ({"order_id": ["SO-1", "SO-2"]}, [("SO-1", ["SO-1"]), ("SO-2", ["SO-2"])]),
    ({"return_id": "R-1", "order_id": "SO-1"}, [("R-1", ["SO-1", "SO-1", "R-1"])]),
    ({"document_id": "D-1"}, [("D-1", ["D-1"])]),
    ({"load_id": "L-1"}, [("L-1", ["L-1"])]),
]
STORIES |= {
    f"a failure is kept under the deepest objects named, {attributes}": Story(
        [said("t.a", "b", "s", error="x", **attributes)],
        [{"on_ids": [f"call:b/s/{on}"], "parent_ids": parents} for on, parents in deepest],
    )
    for attributes, deepest in DEEPEST
}
