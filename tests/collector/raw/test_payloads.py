"""Payloads of other people sent to the native door: in the store are the facts of the tables, or the reason why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from collector.mapping import Mapped
from collector.mapping.check import difference
from rules.parse import SHIPPED, load_book
from tests.collector.desk import Desk
from tests.collector.ingest.systems import SECRET, SECRETS, proof, system
from tests.mappings.tables import FILES, PAYLOADS, TABLES, headers, messages, table
from tests.stores import Shelf
from tower.model.connection import Connection
from tower.model.connections import Connections

pytestmark = pytest.mark.skipif(not PAYLOADS.exists(), reason="the payloads of other people are not on this machine")
MILESTONES = frozenset(load_book(SHIPPED).milestones)


FOLDERS = sorted(path.stem for path in TABLES.glob("*.yaml"))


def _connection(folder: str) -> Connection:
    known = table(folder)
    given: dict[str, Any] = dict(known.get("connection") or {})
    name, kind = given.pop("name", folder), given.pop("kind", "erp")
    return system(name, proof("bearer"), kind, mapping=known["set"], **given)


SYSTEMS = {folder: _connection(folder) for folder in FOLDERS}


class Held(NamedTuple):
    """What the store has after all payloads were sent."""

    sent: dict[tuple[str, str], set[str]]  # raw ids of a folder's file
    quarantined: list[tuple[str, str]]  # raw id, reason
    stated: list[tuple[str, list[str]]]  # raw id, event ids: what another message said before is stored once
    told: dict[tuple[str, str], str]  # connection, event id -> the event as it was


@pytest.fixture(scope="module")
def held(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    """Send the payloads of all folders, each by its own connection, and read what became of them."""
    known = Connections(tuple(SYSTEMS.values()), configured=True)
    sent: dict[tuple[str, str], set[str]] = {}
    with shelf.lend() as store:
        desk = Desk(store, tmp_path_factory.mktemp("data"), connections=known, secrets=SECRETS, milestones=MILESTONES)
        for path in FILES:
            folder, name = path.parent.name, path.name
            if folder not in FOLDERS:
                continue
            entry = table(folder)["files"][name]
            proved = {"Authorization": f"Bearer {SECRET}", **headers(entry)}
            for body in messages(path, entry):
                answer = desk.ingest(SYSTEMS[folder].name, body, proved)
                assert answer.status_code in (200, 202), answer.text
                sent.setdefault((folder, name), set()).add(answer.json()["raw_id"])
        desk.close()  # stores all that was taken
        yield Held(
            sent,
            desk.rows("raw_id, quarantine", where="quarantine != ''"),
            desk.rows("raw_id, stated", "raw"),
            dict(desk.rows("(connection, event_id), raw", where="quarantine = ''")),
        )


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_in_the_store_is_what_the_table_says(folder: str, held: Held) -> None:
    for file, entry in table(folder)["files"].items():
        raw_ids = held.sent[folder, file]
        reasons = {reason for raw_id, reason in held.quarantined if raw_id in raw_ids}
        said = [str(event_id) for raw_id, ids in held.stated if raw_id in raw_ids for event_id in ids]
        events = [Mapped(json.loads(held.told[SYSTEMS[folder].name, event_id])) for event_id in said]
        if "quarantine" in entry:
            assert (reasons, events) == ({entry["quarantine"]}, []), file
            continue
        assert reasons == set(), file
        assert difference(entry.get("expect", ()), events) == "", file
