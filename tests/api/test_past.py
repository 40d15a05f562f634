"""as_of, known_at and why: the board and the page over a fresh judgement of the facts."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.actions.world import T0
from tests.api.conftest import Api
from tests.api.test_door import is_problem
from tower.api.wire import instant
from tower.engine.books import record_calendars


@pytest.fixture(scope="module")
def past(one_api: Api) -> Api:
    """An order captured at six and shipped at half past six, of which we heard at nine."""
    w = one_api.world
    w.numbers["SO-1"] = 1
    with w.store.writer() as client:
        record_calendars(client, one_api.book[0])
        rows = [[1, w.hash_of("order", "SO-1"), "SO-1"]]
        client.insert("order_objects", rows, column_names=["order_no", "object", "order_id"])
    early, heard = T0 - timedelta(hours=4), T0 - timedelta(hours=1)
    w.fact("SO-1", "order_captured", ("order", "SO-1"), kind="crm", occurred_at=early, received_at=early)
    shipped = T0 - timedelta(hours=3, minutes=30)
    w.link("SO-1", ("shipment", "S1"), ("order", "SO-1"), occurred_at=shipped, received_at=heard)
    w.fact("SO-1", "shipment_confirmed", ("shipment", "S1"), kind="wms", occurred_at=shipped, received_at=heard)
    return one_api


def states(api: Api, query: str) -> list[tuple[str, str]]:
    """Return (state, stage) of the board as of the query's instants."""
    reply = api.get(f"/v1/orders?{query}")
    assert reply.status_code == 200, reply.text
    assert all(o["retryable"] is False for o in reply.json()["orders"])
    return [(o["state"], o["stage"]) for o in reply.json()["orders"]]


def test_as_of_judges_by_what_had_happened_and_known_at_by_what_was_heard(past: Api) -> None:
    assert states(past, "as_of=2026-11-23T06:20:00Z") == [("on_track", "capture-to-ship")]
    assert states(past, "as_of=2026-11-23T08:00:00Z") == [("on_track", "ship-to-invoice")]
    assert states(past, "known_at=2026-11-23T08:00:00Z") == [("late", "capture-to-ship")]
    assert states(past, "as_of=2026-11-23T05:00:00Z") == []


def test_the_page_of_an_order_goes_back_too(past: Api) -> None:
    body = past.get("/v1/orders/SO-1?known_at=2026-11-23T08:00:00Z").json()
    assert (body["state"], body["as_of"]) == ("late", "2026-11-23T08:00:00.000Z")
    assert [m["milestone"] for m in body["milestones"]] == ["order_captured"]
    assert [(c["stage"], c["overdue_s"]) for c in body["clocks"]] == [("capture-to-ship", 3600)]
    assert [f["rule"] for f in body["findings"]] == ["capture-to-ship"]


def test_why_shows_the_evidence_and_the_sql(past: Api) -> None:
    moment = quote(str(instant(T0 - timedelta(hours=2))))
    body = past.get(f"/v1/orders/SO-1/why?rule=capture-to-ship&known_at={moment}").json()
    assert body["rule"] == "capture-to-ship"
    assert body["clocks"] and body["sql"]
    (clock,), (rule,) = body["clocks"], body["rules"]
    assert clock["used_s"] > 0 and clock["pauses"] == [] and rule["id"] == "capture-to-ship"
    assert {e["key"] for e in body["events"]} >= {clock["from_event"]}
    assert body["heard"] == []
    is_problem(past.get("/v1/orders/SO-1/why?rule=nothing"), 404, "unknown_rule")
    assert past.get("/v1/orders/none/why").status_code == 404
    assert past.get(f"/v1/orders/none?known_at={moment}").status_code == 404


def test_stages_and_groups_go_back_too_and_nothing_there_can_be_retried(past: Api) -> None:
    def running(query: str) -> dict[str, int]:
        body = past.get(f"/v1/stages?{query}").json()
        assert body["as_of"].startswith("2026-11-23T0")
        return {s["id"]: s["running"] for s in body["stages"]}

    assert running("as_of=2026-11-23T08:00:00Z") == {"capture-to-ship": 0, "ship-to-invoice": 1}
    (group,) = past.get("/v1/groups?known_at=2026-11-23T08:00:00Z").json()["groups"]
    assert (group["stage"], group["count"], group["retryable"]) == ("capture-to-ship", 1, False)
    assert past.get("/v1/stages?as_of=soon").status_code == 400
