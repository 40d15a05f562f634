"""Stages, groups, breaches, quarantine, orphans, feeds, rules, targets, audit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.actions.world import T0, clock_row
from tests.api.conftest import Api
from tower.api.groups import advice
from tower.store.audit import Audit, Entry


def test_stages_come_in_process_order_and_say_what_they_count(api: Api) -> None:
    two = [clock_row(object_id="S1"), clock_row(object_id="S2", started_at=T0 - timedelta(days=3))]
    api.world.order("SO-1", *two, amount=Decimal("10"))
    api.world.order("SO-2", clock_row(object_id="S3", verdict="on_track"))
    api.world.order("SO-3", clock_row(object_id="S4", verdict="", state="stopped", stopped_at=T0 - timedelta(hours=1)),
                    state="done", closed_at=T0, last_at=T0 - timedelta(hours=1))  # fmt: skip
    body = api.get("/v1/stages").json()
    assert [s["id"] for s in body["stages"]] == ["capture-to-ship", "ship-to-invoice"]
    empty, stage = body["stages"]
    assert (empty["running"], empty["value"], empty["p50_age_s"], empty["system"]) == (0, "0.00", None, "wms")
    assert (stage["running"], stage["late"], stage["on_track"], stage["orders"]) == (3, 2, 1, 2)
    assert stage["value"] == "10.00"  # the order's value once, not per clock
    assert stage["completed_24h"] == 1
    buckets = {b["label"]: (b["clocks"], b["value"], b["orders"]) for b in stage["age_buckets"]}
    assert len(buckets) == 6
    assert buckets["1–4h"] == (1, "10.00", 1) and buckets[">2d"] == (1, "10.00", 1) and buckets["<1h"] == (0, "0.00", 0)
    assert body["counts"] == "clocks"
    flow = body["flow_24h"][1]
    assert (flow["stage"], flow["completed"], flow["stuck"], flow["stuck_orders"]) == ("ship-to-invoice", 1, 2, 1)


def test_groups_are_stuck_orders_by_stage_system_and_error(api: Api) -> None:
    for n, error in enumerate(["tax", "tax", ""]):
        api.world.order(f"SO-{n}", clock_row(object_id=f"S{n}", error=error))
    api.world.order("SO-x", clock_row(verdict="on_track"))
    groups = api.get("/v1/groups").json()["groups"]
    assert [(g["stage"], g["system"], g["error"], g["count"], g["value"]) for g in groups] == [
        ("ship-to-invoice", "erp", "tax", 2, "201.00"),
        ("ship-to-invoice", "erp", "", 1, "100.50"),
    ]
    assert groups[0]["retryable"] is True and groups[0]["last_outcome"] is None
    body = {"orders": [{"order_id": "SO-0"}]}
    assert api.call("POST", "/v1/actions", "operator", json=body, headers={"Idempotency-Key": "k"}).status_code == 202
    group = api.get("/v1/groups").json()["groups"][0]
    assert (group["last_outcome"], group["last_action_at"]) == ("requested", "2026-11-23T10:00:00.000Z")
    assert (group["outcomes"], group["advice"]) == ({}, "")
    with api.world.store.writer() as client:
        for n, state in enumerate(["verified", "no_effect", "no_effect", "no_effect", "verified", "no_effect"]):
            client.command(
                f"INSERT INTO action_items SELECT * REPLACE ('{state}' AS state, 'i{n}' AS item_id, "
                f"requested_at + {n} AS finished_at) FROM action_items LIMIT 1"
            )
    group = api.get("/v1/groups").json()["groups"][0]
    assert group["outcomes"] == {"no_effect": 4, "verified": 2}
    assert group["advice"].startswith("4 of the last 5 retries on this error had no effect: do not repeat")


@pytest.mark.parametrize(
    ("latest", "says"),
    [
        ([], ""), (["no_effect"] * 2, ""), (["verified"] * 5, ""), (["failed"] * 3, "were refused"),
        (["verified"] * 4 + ["duplicated"], "did its work twice"), (["regressed"], "broke what had been reached"),
    ],
)  # fmt: skip
def test_what_the_last_ends_say_about_one_more(latest: list[str], says: str) -> None:
    assert says in advice(latest) if says else not advice(latest)


@pytest.fixture(scope="module")
def breaches(one_api: Api) -> Api:
    """Twelve breaches, one of them retracted."""
    names = ["order_no", "order_id", "rule", "kind", "object", "object_type", "object_id", "breach_id", "state",
             "opened_at", "detected_at", "milestone", "system", "error", "evidence", "book", "updated_at"]  # fmt: skip
    rows = [
        [n, f"SO-{n}", "r1" if n % 2 else "r2", "late", n, "order", f"SO-{n}", f"b{n}",
         "retracted" if n == 3 else "open",
         T0 - timedelta(hours=n // 3), T0, "", "", "", "{}", "book1", T0]
        for n in range(12)
    ]  # fmt: skip
    with one_api.world.store.writer() as client:
        client.insert("breaches", rows, column_names=names)
    return one_api


def test_breaches_hide_what_never_was_unless_asked(breaches: Api) -> None:
    assert len(breaches.get("/v1/breaches").json()["breaches"]) == 11
    assert [b["breach_id"] for b in breaches.get("/v1/breaches?state=retracted").json()["breaches"]] == ["b3"]
    assert len(breaches.get("/v1/breaches?state=all").json()["breaches"]) == 12


def test_breaches_filter_and_page(breaches: Api) -> None:
    assert len(breaches.get("/v1/breaches?rule=r2&kind=late").json()["breaches"]) == 6
    assert len(breaches.get("/v1/breaches?order_id=SO-4").json()["breaches"]) == 1
    assert len(breaches.get("/v1/breaches?since=2026-11-23T10:00:00Z").json()["breaches"]) == 3
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        reply = breaches.get("/v1/breaches?limit=2&state=all" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [b["breach_id"] for b in reply["breaches"]]
        cursor = reply["next_cursor"]
    assert len(seen) == len(set(seen)) == 12


def test_quarantine_shows_the_reason(one_api: Api) -> None:
    names = [
        "quarantine_id",
        "received_at",
        "stored_at",
        "connection",
        "source",
        "event_id",
        "type",
        "reason",
        "detail",
        "raw",
    ]
    rows = [
        [2**63 + n, T0, T0, "hh", "/wms/hh", f"e{n}", "o2c.x", reason, "because", "{}"] for n, reason in enumerate("ab")
    ]
    with one_api.world.store.writer() as client:
        client.insert("quarantine", rows, column_names=names)
    found = one_api.get("/v1/quarantine?reason=a").json()["quarantine"]
    assert [(q["id"], q["reason"], q["detail"]) for q in found] == [(str(2**63), "a", "because")]
    assert one_api.get("/v1/quarantine?state=discarded").json()["quarantine"] == []


def test_orphans_are_objects_that_no_order_has(one_api: Api) -> None:
    w = one_api.world
    rows = [[w.hash_of("payment", p), number, "payment", p] for p, number in (("P1", 0), ("P2", 0), ("P2", 7))]
    with w.store.writer() as client:
        client.insert("object_cases", rows, column_names=["object", "order_no", "object_type", "object_id"])
    w.fact("", "invoice_released", ("payment", "P1"), source="/bank")
    orphans = one_api.get("/v1/orphans").json()["orphans"]
    assert [(o["object_id"], o["events"], o["milestones"], o["sources"]) for o in orphans] == [
        ("P1", 1, ["invoice_released"], ["/bank"])
    ]


def test_feeds_list_every_configured_connection(one_api: Api) -> None:
    feeds = one_api.get("/v1/feeds").json()["feeds"]
    assert [(f["connection"], f["kind"], f["state"], f["watermark"]) for f in feeds] == [
        ("one", "erp", "ok", None), ("hh", "wms", "ok", None), ("sf", "crm", "ok", None),
    ]  # fmt: skip


def test_the_rules_in_force_are_shown(one_api: Api) -> None:
    body = one_api.get("/v1/rules").json()
    assert body["hash"] == "book1"
    invoice = next(m for m in body["milestones"] if m["milestone"] == "invoice_released")
    assert invoice["authority"][0] == {
        "kind": "erp",
        "when": [{"channel": "in edi"}],
        "configured": True,
        "connections": ["one"],
    }
    assert [s["id"] for s in body["stages"]] == ["capture-to-ship", "ship-to-invoice"]


def test_targets_never_show_a_secret_or_its_name(one_api: Api) -> None:
    reply = one_api.get("/v1/targets")
    assert reply.json()["targets"][0]["actions"] == ["retry-invoice"]
    assert "TOWER_SECRET" not in reply.text


def test_the_audit_is_paged_latest_first_and_checked_on_request(api: Api) -> None:
    audit = Audit(api.world.store)
    audit.append([Entry("ana", "retry", f"a/{n}", detail={"n": n}) for n in range(12)], T0)
    first = api.get("/v1/audit?limit=5&verify=true").json()
    assert [row["seq"] for row in first["audit"]] == [12, 11, 10, 9, 8]
    assert first["audit"][0]["detail"] == {"n": 11}
    assert first["verified"] == {"ok": True, "first_broken": None}
    second = api.get(f"/v1/audit?limit=5&cursor={first['next_cursor']}").json()
    assert [row["seq"] for row in second["audit"]] == [7, 6, 5, 4, 3]
    with api.world.store.writer() as client:
        client.command("ALTER TABLE audit UPDATE actor = 'eve' WHERE seq = 4 SETTINGS mutations_sync = 2")
    assert api.get("/v1/audit?verify=true").json()["verified"] == {"ok": False, "first_broken": 4}


def test_filters_of_the_audit(one_api: Api) -> None:
    entries = [Entry("ana", "retry", "a/1#1"), Entry("engine", "accepted", "a/1#1"), Entry("ben", "retry", "b/1#1")]
    Audit(one_api.world.store).append(entries, T0)
    counts: dict[str, Any] = {
        q: len(one_api.get(f"/v1/audit?{q}").json()["audit"]) for q in ("actor=ana", "act=retry", "subject=a/")
    }
    assert counts == {"actor=ana": 1, "act=retry": 2, "subject=a/": 2}


def test_quarantine_covers_secrets_and_people_and_counts_by_reason(api: Api) -> None:
    names = ["quarantine_id", "received_at", "stored_at", "connection", "reason", "detail", "raw", "raw_id", "mapping", "type", "state"]  # fmt: skip
    raw = '{"order_id": "SO-1", "email": "a@b.example", "token": "abc"'
    rows = [
        [n, T0 + timedelta(minutes=n), T0, connection, reason, f"why {n}", raw if n < 3 else "", "" if n < 5 else f"r{n}", mapping, "t", state]
        for n, (connection, reason, mapping, state) in enumerate(
            [("hh", "no_object", "", "open")] * 3 + [("hh", "no_object", "", "open"), ("one", "conflict", "", "open")]
            + [("sf", "mapping_failed", "m@1:ab", "open")] * 2 + [("sf", "mapping_failed", "", "discarded")]
        )
    ]  # fmt: skip
    with api.world.store.writer() as client:
        client.insert("quarantine", rows, column_names=names)
    shown = {q["raw"] for q in api.get("/v1/quarantine?reason=no_object").json()["quarantine"]}
    assert shown == {'{"order_id": "SO-1", "email": "•••", "token": "•••"', ""}
    groups = api.get("/v1/quarantine/groups").json()["groups"]
    assert [(g["reason"], g["connection"], g["count"], g["native"], g["readable"], g["mappings"]) for g in groups] == [
        ("no_object", "hh", 4, 0, 3, []), ("mapping_failed", "sf", 2, 2, 2, ["m@1:ab"]), ("conflict", "one", 1, 0, 0, []),
    ]  # fmt: skip
    assert (groups[0]["sample_id"], groups[0]["sample_detail"]) == ("3", "why 3")
    assert (groups[0]["first_at"], groups[0]["last_at"]) == ("2026-11-23T10:00:00.000Z", "2026-11-23T10:03:00.000Z")
    assert len(api.get("/v1/quarantine/groups?state=all&connection=sf").json()["groups"]) == 1
    assert api.get("/v1/quarantine/groups?state=all&connection=sf").json()["groups"][0]["count"] == 3
    assert api.get("/v1/quarantine/groups?state=gone").status_code == 400
