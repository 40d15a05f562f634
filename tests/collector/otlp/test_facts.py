"""Spans become facts: what failed on which object, in which hop, and what succeeded again, in any order of arrival."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.amount import SEEDS
from tests.collector.desk import Desk
from tests.collector.otlp.say import post
from tests.collector.otlp.span_stories import STORIES, said
from tests.stores import Shelf

MILESTONES = frozenset({"integration_failed", "invoice_released"})
FACTS = "type, on_ids, error, trace_id"


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
    return make_desk(milestones=MILESTONES)


COLUMNS = (
    "type", "on_types", "on_ids", "error", "trace_id", "kind", "source", "child_ids", "parent_types", "parent_ids",
    "toString(occurred_at)", "quarantine",
)  # fmt: skip


def of_story(request: ExportTraceServiceRequest, number: int) -> ExportTraceServiceRequest:
    """Return the request with traces and objects of a story's own: their ids end in its number."""
    own = ExportTraceServiceRequest.FromString(request.SerializeToString())
    for group in own.resource_spans:
        spans = [span for scope in group.scope_spans for span in scope.spans]
        for span in spans:
            span.trace_id = span.trace_id[:12] + f"{number:04d}".encode()
            for link in span.links:
                link.trace_id = link.trace_id[:12] + f"{number:04d}".encode()
        for held in itertools.chain(group.resource.attributes, *(span.attributes for span in spans)):
            if held.key.startswith("o2c.") and held.key.endswith("_id"):
                for value in held.value.array_value.values or [held.value]:
                    value.string_value += f"@{number}"
    return own


@pytest.fixture(scope="module")
def told(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    """Tell all stories side by side, step by step, and return the facts of each without its number."""
    rounds = itertools.zip_longest(*(story.steps for story in STORIES.values()))
    with shelf.lend() as store:
        desk = Desk(store, tmp_path_factory.mktemp("data"), milestones=MILESTONES)
        for requests in rounds:
            joined = ExportTraceServiceRequest()
            for number, request in enumerate(requests):
                if request is not None:
                    joined.MergeFrom(of_story(request, number))
            send(desk, joined)
        desk.close()  # stores all that was read
        rows = desk.rows(", ".join(COLUMNS), "events", "milestone != ''", "occurred_at, event_id")
    stories: list[list[dict[str, Any]]] = [[] for _ in STORIES]
    for row in rows:
        fact = dict(zip(COLUMNS, row, strict=True))
        trace = bytes.fromhex(fact.pop("trace_id")).decode()
        number = int(trace[12:])
        for name in ("on_ids", "child_ids", "parent_ids"):
            fact[name] = [value.removesuffix(f"@{number}") for value in fact[name]]
        stories[number].append({**fact, "trace": trace[:12].strip("-"), "at": fact["toString(occurred_at)"]})
    return stories


@pytest.mark.parametrize("name", STORIES)
def test_spans_become_facts(name: str, told: list[list[dict[str, Any]]]) -> None:
    found = told[list(STORIES).index(name)]
    expected = STORIES[name].facts
    assert [{key: fact[key] for key in wanted} for fact, wanted in zip(found, expected, strict=True)] == expected


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
