"""Payloads of other people sent to the native door: in the store are the facts of the tables, or the reason why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from collector.mapping import Mapped
from collector.mapping.check import difference
from rules.parse import SHIPPED, load_book
from tests.collector.desk import Desk
from tests.collector.ingest.systems import SECRET, SECRETS, proof, system
from tests.mappings.tables import FILES, PAYLOADS, TABLES, headers, messages, table
from tower.model.connections import Connections

pytestmark = pytest.mark.skipif(not PAYLOADS.exists(), reason="the payloads of other people are not on this machine")
MILESTONES = frozenset(load_book(SHIPPED).milestones)


def _connections(folder: str) -> Connections:
    known = table(folder)
    given: dict[str, Any] = dict(known.get("connection") or {})
    name, kind = given.pop("name", folder), given.pop("kind", "erp")
    return Connections((system(name, proof("bearer"), kind, mapping=known["set"], **given),), configured=True)


@pytest.mark.parametrize("folder", sorted(path.stem for path in TABLES.glob("*.yaml")))
def test_what_is_in_the_store_is_what_the_table_says(folder: str, make_desk: Callable[..., Desk]) -> None:
    connections = _connections(folder)
    desk = make_desk(connections=connections, secrets=SECRETS, milestones=MILESTONES)
    sent: dict[str, list[str]] = {}
    entries = table(folder)["files"]
    given = [
        (path.name, body) for path in FILES if path.parent.name == folder for body in messages(path, entries[path.name])
    ]
    for place, (file, body) in enumerate(given, 1):
        proved = {"Authorization": f"Bearer {SECRET}", **headers(entries[file])}
        answer = desk.ingest(
            connections.entries[0].name, body, proved, wait=place == len(given)
        )  # the last of all waits
        assert answer.status_code in (200, 202), answer.text
        sent.setdefault(file, []).append(answer.json()["raw_id"])
    for file, raw_ids in sent.items():
        _compare(desk, table(folder)["files"][file], set(raw_ids), file)


def _compare(desk: Desk, entry: dict[str, Any], raw_ids: set[str], file: str) -> None:
    rows = [row[1:] for row in desk.rows("raw_id, quarantine, raw") if row[0] in raw_ids]
    held = [reason for reason, _ in rows if reason]
    # What another message said before is stored once, and stated by both.
    stated = [
        str(event_id) for raw_id, ids in desk.rows("raw_id, stated", "raw") if raw_id in raw_ids for event_id in ids
    ]
    told = dict(desk.rows("event_id, raw", where="quarantine = ''"))
    events = [Mapped(json.loads(told[event_id])) for event_id in stated]
    if "quarantine" in entry:
        assert (set(held), events) == ({entry["quarantine"]}, []), file
        return
    assert held == [], file
    assert difference(entry.get("expect", ()), events) == "", file
