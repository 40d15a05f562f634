"""GET /v1/feeds: freshness, timetables with their runs, hours against what is usual, gaps, and what waits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rules.model import Feed, Volume
from tests.actions.world import T0
from tests.api.conftest import Api
from tests.engine.oracle import Said
from tests.engine.world import line
from tower.model.connection import Limits
from tower.model.connections import Connections
from tower.store.sql import load

MINUTE, HOUR, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(weeks=1)
KINDS = {"one": "erp", "hh": "wms", "sf": "crm"}


def promise(api: Api, *feeds: Feed) -> None:
    """Put feeds into the rulebook in force."""
    api.book[0] = replace(api.book[0], feeds=feeds)


def hear(api: Api, name: str, times: Iterable[datetime], milestone: str = "order_captured", late: timedelta = MINUTE) -> None:  # fmt: skip
    """Let a connection tell of events, each a little later; counts are then as the engine keeps them."""
    rows = [
        line(
            Said(f"{name}{milestone}{at}{n}", at, KINDS[name], milestone, "reached", (("order", "O"),)), at + late, name
        )
        for n, at in enumerate(times)
    ]
    with api.world.store.writer() as client:
        client.raw_insert("events", insert_block=b"\n".join(rows), fmt="JSONEachRow")
        bounds = {"after": datetime(2000, 1, 1, tzinfo=UTC), "until": datetime(2199, 1, 1, tzinfo=UTC)}
        client.command(load("engine_feed_counts"), parameters=bounds)


def feed(api: Api, name: str, **query: str) -> dict[str, Any]:
    """Return what the API says of one connection."""
    reply = api.get("/v1/feeds", params=query)
    assert reply.status_code == 200, reply.text
    (found,) = [f for f in reply.json()["feeds"] if f["connection"] == name]
    return dict(found)


def test_a_stream_says_when_it_was_heard_and_when_it_will_be_late(api: Api) -> None:
    promise(api, Feed("hh", quiet_after_s=900, calendar="office"), Feed("gone", quiet_after_s=60))
    hear(api, "hh", [T0 - 10 * MINUTE])
    found = feed(api, "hh")
    assert {k: found[k] for k in ("state", "watermark", "last_seen_at", "next_due_at", "lag_s", "reason", "late_since")} == {
        "state": "ok", "watermark": "2026-11-23T09:50:00.000Z", "last_seen_at": "2026-11-23T09:51:00.000Z",
        "next_due_at": "2026-11-23T10:05:00.000Z", "lag_s": 600, "reason": None, "late_since": None,
    }  # fmt: skip
    assert (found["expects"], found["calendar"], found["gates"]) == ("a message every 15m", "office", True)
    api.world.wait(20 * 60)
    found = feed(api, "hh")
    assert (found["state"], found["reason"], found["late_since"], found["next_due_at"]) == (
        "late", "silent", "2026-11-23T10:05:00.000Z", None,
    )  # fmt: skip
    assert api.get("/v1/feeds").json()["unconfigured"] == ["gone"]
    assert feed(api, "sf")["gates"] is False


def test_what_was_known_at_a_moment(api: Api) -> None:
    promise(api, Feed("hh", quiet_after_s=900, volume=Volume(2)))
    hear(api, "hh", [T0 - 3 * HOUR, T0 - 150 * MINUTE, T0 - 90 * MINUTE], late=HOUR)
    then = feed(api, "hh", known_at="2026-11-23T08:45:00Z")
    assert (then["state"], then["watermark"], then["got"], then["expected"]) == ("late", "2026-11-23T07:30:00.000Z", 2, 2)  # fmt: skip
    assert (then["window_from"], then["hours"]) == ("2026-11-23T07:00:00.000Z", [])
    early = feed(api, "hh", known_at="2026-11-23T08:15:00Z")
    assert (early["watermark"], early["got"]) == ("2026-11-23T07:00:00.000Z", 1)
    assert api.get("/v1/feeds?known_at=yesterday").status_code == 400


def test_a_timetable_lists_its_runs(api: Api) -> None:
    """Arrived in time, late, missing, and not yet due."""
    promise(api, Feed("one", every_s=3600, grace_s=600))
    runs = [T0 - n * HOUR for n in (4, 3, 1)]
    hear(api, "one", [runs[0], runs[1] + 14 * MINUTE, runs[2], runs[2] + 5 * MINUTE])
    found = feed(api, "one")
    assert [(r["due_at"][11:16], (r["arrived_at"] or "")[11:16], r["state"]) for r in found["runs"]][-5:] == [
        ("06:00", "06:01", "arrived"),
        ("07:00", "07:15", "late"),
        ("08:00", "", "missing"),
        ("09:00", "09:01", "arrived"),
        ("10:00", "", "due"),
    ]
    assert (found["expected"], found["got"], found["level"], found["state"]) == (24, 3, "low", "ok")
    assert (found["watermark"], found["next_due_at"]) == ("2026-11-23T09:00:00.000Z", "2026-11-23T10:10:00.000Z")
    api.world.wait(600)
    found = feed(api, "one")
    assert (found["state"], found["reason"], found["late_since"]) == ("late", "run_missing", "2026-11-23T10:10:00.000Z")
    assert found["runs"][-1]["state"] == "missing"


def test_runs_that_are_rare_are_listed_from_longer_ago(api: Api) -> None:
    promise(api, Feed("one", cron="30 5 * * mon", zone="Europe/Berlin"))
    hear(api, "one", [T0 - WEEK])
    found = feed(api, "one")
    assert [r["due_at"][:16] for r in found["runs"]][-3:] == ["2026-11-09T04:30", "2026-11-16T04:30", "2026-11-23T04:30"]  # fmt: skip
    assert [r["state"] for r in found["runs"]][-2:] == ["late", "missing"]
    assert (len(found["runs"]), found["expected"], found["got"]) == (7, 1, 0)


def test_an_hour_is_held_against_what_the_same_hours_brought(api: Api) -> None:
    """Nine on a Monday: a hundred each week before, twenty today."""
    nine = T0 - HOUR
    for week in range(1, 6):
        hear(api, "hh", [nine - week * WEEK + timedelta(seconds=30 * n) for n in range(100)])
    hear(api, "hh", [nine + timedelta(seconds=90 * n) for n in range(20)])
    hear(api, "hh", [nine], milestone="")
    api.world.wait(299)
    assert feed(api, "hh")["window_to"] == "2026-11-23T09:00:00.000Z", "its events may still arrive"
    api.world.wait(1)
    found = feed(api, "hh")
    assert (found["got"], found["expected"], found["level"], found["expected_by"]) == (20, 100, "low", "history")
    assert (found["expected_min"], found["expected_max"]) == (70, 130)
    assert (found["window_from"], found["window_to"]) == ("2026-11-23T09:00:00.000Z", "2026-11-23T10:00:00.000Z")
    hours = {h["from"][11:16]: h for h in found["hours"]}
    assert len(found["hours"]) == 25 and found["hours"][-1]["from"] == "2026-11-23T10:00:00.000Z"
    assert (hours["09:00"]["got"], hours["09:00"]["expected"], hours["09:00"]["min"]) == (20, 100, 70)
    assert (hours["08:00"]["got"], hours["08:00"]["expected"]) == (0, 0)
    assert found["events"] == 520
    hear(api, "hh", [nine + timedelta(seconds=30 * n) for n in range(100)], milestone="shipment_confirmed")
    assert feed(api, "hh")["level"] == "ok"
    hear(api, "hh", [nine + timedelta(seconds=30 * n) for n in range(100)], milestone="invoice_released")
    assert feed(api, "hh")["level"] == "high"


def test_a_feed_heard_for_two_weeks_is_still_being_learned(api: Api) -> None:
    hear(api, "hh", [T0 - HOUR - week * WEEK for week in range(3)])
    found = feed(api, "hh")
    assert (found["level"], found["expected"], found["got"]) == ("learning", None, 0)


def test_the_rulebook_goes_before_history(api: Api) -> None:
    promise(api, Feed("hh", volume=Volume(10, 30), calendar="office"))
    hear(api, "hh", [T0 - HOUR + timedelta(seconds=n) for n in range(31)])
    api.world.wait(600)
    found = feed(api, "hh")
    assert (found["got"], found["expected"], found["expected_max"], found["level"], found["state"]) == (31, 10, 30, "high", "ok")  # fmt: skip
    assert found["expected_by"] == "rulebook"
    api.world.wait(3600)
    found = feed(api, "hh")
    assert (found["got"], found["level"], found["state"], found["reason"]) == (0, "low", "late", "too_few")
    api.world.wait(12 * 3600)
    assert feed(api, "hh")["window_to"] == "2026-11-23T16:00:00.000Z", "closed hours are not judged"


@pytest.mark.parametrize("known", [False, True])
def test_what_waits_for_a_feed_is_counted_with_its_worth(api: Api, known: bool) -> None:
    promise(api, Feed("hh", quiet_after_s=900))
    waits = {"waits_for": ["hh", "hh"], "waits_until": [T0, T0]}
    api.world.order("SO-1", state="unknown", amount=Decimal("10.00"), **waits)
    api.world.order("SO-2", state="late", amount=Decimal("99.00"), **waits)
    api.world.order("SO-3", state="done", closed_at=T0, **waits)
    query = {"known_at": "2026-11-23T10:00:00Z"} if known else {}
    assert feed(api, "hh", **query)["waiting"] == (
        {"orders": 0, "unknown": 0, "value": None} if known else {"orders": 2, "unknown": 1, "value": "10.00"}
    )


def test_missing_numbers_and_quarantined_messages_are_told(api: Api) -> None:
    rows = []
    for number in (7, 8, 11):
        said = Said(f"n{number}", T0 - HOUR, "wms", "order_captured", "reached", (("order", "O"),))
        row = json.loads(line(said, T0 - HOUR, "hh"))
        rows.append(json.dumps({**row, "sequence_of": "/wms/hh", "sequence": number}).encode())
    bad = json.loads(line(said, T0, "hh"))
    rows.append(json.dumps({**bad, "ev": 1, "quarantine": "unknown_milestone"}).encode())
    with api.world.store.writer() as client:
        client.raw_insert("events", insert_block=b"\n".join(rows), fmt="JSONEachRow")
    found = feed(api, "hh")
    assert found["gaps"] == {
        "numberings": 1, "missing": 2, "restarts": 0,
        "ranges": [{"sequence_of": "/wms/hh", "from": "9", "to": "10", "missing": 2}],
    }  # fmt: skip
    assert found["quarantined"] == 1
    assert feed(api, "sf")["gaps"] == {"numberings": 0, "missing": 0, "ranges": [], "restarts": 0}


def test_drift_and_the_share_of_a_connection_are_told(api: Api) -> None:
    limited = tuple(
        replace(c, limits=Limits(per_day=100)) if c.name == "hh" else c for c in api.context.connections.entries
    )
    api.app.state.context = replace(api.context, connections=Connections(limited, configured=True))
    shapes = [
        ["hh", "t", "field", "$.a", "", ""],
        ["hh", "t", "field", "$.b", "", ""],
        ["hh", "t", "code", "$.c", "X", ""],
    ]
    with api.world.store.writer() as client:
        for connection, topic, kind, path, value, was in shapes:
            client.command(
                "INSERT INTO shapes (connection, topic, kind, path, value, was, drifted) VALUES "
                f"('{connection}', '{topic}', '{kind}', '{path}', '{value}', '{was}', 1)"
            )
    found, other = feed(api, "hh"), feed(api, "sf")
    assert found["drift"] == {"new_fields": 2, "changed_types": 0, "unknown_codes": 1}
    assert (found["quota"]["per_day"], found["quota"]["per_second"], found["quota"]["today"]) == (100, None, 0)
    assert set(other["drift"].values()) == {0} and other["quota"]["today"] is None
