"""One order as the page needs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dashboards.tower_ui.order_model import read_order
from tests.dashboards.fake_api import STAGES, FakeTower

NOW = datetime.now(UTC)
LABELS = {s[0]: s[1] for s in STAGES}


def order(**fixed: Any) -> dict[str, Any]:
    tower = FakeTower(orders=0)
    tower.add("SO-1", **{"state": "late", "stage": "ship-to-invoice", "error": "Tax engine timeout", **fixed})
    body = tower.order("SO-1")
    assert body is not None
    return body


def test_the_row_the_clocks_and_the_events_are_read() -> None:
    found = read_order(order(), LABELS)
    assert (found.id, found.state, found.stage_label) == ("SO-1", "late", "Invoicing")
    assert found.stuck
    assert [c.stage for c in found.clocks] == [s[0] for s in STAGES[:8]]
    times = [e.at for e in found.events if e.at is not None]
    assert times == sorted(times, reverse=True)
    assert any("failed: Tax engine timeout" in e.text for e in found.events)
    assert any(e.text == "Breach opened: Ship to invoice (late)" for e in found.events)


def test_the_sentence_says_what_was_heard_and_what_is_awaited() -> None:
    found = read_order(order(since=NOW - timedelta(hours=5), system="erp"), LABELS)
    text = found.sentence(NOW)
    assert "Last heard: shipment confirmed" in text
    assert "Waiting for: invoice released from ERP" in text
    assert "overdue" in text


def test_stages_without_a_clock_follow_as_not_started() -> None:
    bars = read_order(order(), LABELS).bars(NOW)
    assert [b.label for b in bars[-5:]] == [s[1] for s in STAGES[8:]]
    assert {b.text for b in bars[-5:]} == {"not started"}


def test_a_closed_order_has_no_open_bars_and_no_time_left() -> None:
    found = read_order({**order(), "state": "done", "closed_at": NOW.isoformat()}, LABELS)
    assert found.left_s(NOW) is None
    assert all(b.start for b in found.bars(NOW))


def test_a_closed_order_says_how_long_it_took_and_how_many_clocks_were_in_time() -> None:
    body = order()
    started = min(c["started_at"] for c in body["clocks"])
    body |= {"state": "done", "closed_at": "2030-01-01T00:00:00.000Z"}
    found = read_order(body, LABELS)
    assert found.took_s() == (datetime(2030, 1, 1, tzinfo=UTC) - datetime.fromisoformat(started)).total_seconds()
    in_time, stopped = found.in_time()
    assert stopped == len(body["clocks"]) - 1
    assert 0 <= in_time <= stopped
    assert read_order({"order_id": "x", "state": "done"}, {}).took_s() is None


def test_two_clocks_of_one_stage_are_told_apart_by_their_object() -> None:
    body = order()
    body["clocks"].append({**body["clocks"][-1], "object_id": "SH-2"})
    labels = [b.label for b in read_order(body, LABELS).bars(NOW)]
    assert "Invoicing · SH-2" in labels


def test_a_stopped_clock_is_late_or_in_time_by_its_due_instant() -> None:
    clocks = read_order(order(), LABELS).clocks
    for clock in clocks[:-1]:
        assert clock.stopped_at is not None
        assert clock.due_at is not None
        assert clock.tone == ("late" if clock.stopped_at > clock.due_at else "done")
    assert clocks[-1].tone == "late"


def test_attempts_are_newest_first_and_spans_parents_first() -> None:
    traces = read_order(order(), LABELS).traces
    assert len(traces) == 2
    assert traces[0].started_at is not None
    assert traces[1].started_at is not None
    assert traces[0].started_at > traces[1].started_at
    first = traces[0].spans[0]
    assert (first.depth, first.start_ms, first.error) == (0, 0.0, True)
    assert max(s.depth for s in traces[0].spans) == 2


def test_the_failed_attempt_is_looked_at_first_and_names_its_hop() -> None:
    body = order()
    body["traces"].append({**body["traces"][1], "trace_id": "later"})
    body["traces"][-1]["spans"] = [{**s, "started_at": "2030-01-01T00:00:00.000Z"} for s in body["traces"][1]["spans"]]
    found = read_order(body, LABELS)
    shown = found.traces[1]
    assert (found.attempt(), found.traces[0].hop, shown.steps) == (shown.id, "", 10)
    assert shown.hop == f"{body['system']} · attempt 3: {body['error']}"
    assert shown.url.startswith("http://traces.example/")
    assert [s.name for s in shown.spans if s.hop] == ["attempt 3"]
    assert read_order({**body, "error": ""}, LABELS).attempt() == "later"


def test_the_log_of_an_attempt_is_told_from_the_beginning_and_apart_from_the_rest() -> None:
    found = read_order(order(), LABELS)
    assert [(line.level, line.tone) for line in found.traces[0].log] == [("INFO", ""), ("ERROR", "bad")]
    assert [(line.text, line.tone) for line in found.log] == [("nightly check met this order", "busy")]


def test_work_that_failed_waits_for_its_own_success() -> None:
    found = read_order(order(next_milestone="integration_failed", due_at=NOW + timedelta(hours=1)), LABELS)
    assert "Waiting for the same work to succeed, due in" in found.sentence(NOW)


def test_of_the_failed_steps_of_one_attempt_the_deepest_is_told() -> None:
    def failed(event_id: str, error: str, milestone: str = "integration_failed") -> dict[str, Any]:
        return {
            "event_id": event_id, "milestone": milestone, "polarity": "failed", "object_type": "document",
            "object_id": "call:bus/carry/SO-1", "occurred_at": "2026-03-01T10:00:00.000Z", "trace_id": "t",
            "system": "middleware", "error": error,
        }  # fmt: skip

    events = [
        failed("span-000-x", "bus failed"),
        failed("span-002-x", "erp is locked"),
        failed("own", "said so itself"),
    ]
    events.append({**failed("span-y", ""), "polarity": "reached", "occurred_at": "2026-03-01T10:05:00.000Z"})
    told = read_order({"order_id": "SO-1", "events": events}, {}).events
    assert [(e.text, e.object) for e in told] == [
        ("Integration works again", "bus/carry/SO-1"),
        ("Integration failed: erp is locked", "bus/carry/SO-1"),
        ("Integration failed: said so itself", "bus/carry/SO-1"),
    ]


def test_of_many_spans_the_failed_ones_and_those_above_them_stay() -> None:
    body = order()
    spans = [
        {"span_id": f"s{i}", "parent_span_id": "s0" if i else "", "name": f"n{i}", "offset_ms": i, "duration_ms": 1.0,
         "started_at": "2026-03-01T10:00:00.000Z", "status": "Error" if i == 499 else "Ok"}
        for i in range(500)
    ]  # fmt: skip
    body["traces"] = [{"trace_id": "t", "spans": spans}]
    (trace,) = read_order(body, LABELS).traces
    assert (trace.steps, len(trace.spans)) == (500, 60)
    assert [trace.spans[0].name, trace.spans[-1].name] == ["n0", "n499"]


def test_an_order_with_nothing_but_an_id_can_be_read() -> None:
    found = read_order({"order_id": "SO-9"}, {})
    assert (found.id, found.clocks, found.events, found.traces) == ("SO-9", [], [], [])
    assert found.sentence(NOW) == ""
    assert found.bars(NOW) == []


def test_spans_that_name_each_other_as_parents_do_not_hang() -> None:
    body = order()
    for a, b in ((0, 1), (1, 0)):
        body["traces"][0]["spans"][a]["parent_span_id"] = body["traces"][0]["spans"][b]["span_id"]
    assert read_order(body, LABELS).traces
