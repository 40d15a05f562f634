"""A message read again under a mended mapping corrects what it said; the same reading twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector.raw.again import Reread
from tests.collector.desk import Desk
from tests.collector.ingest.systems import SECRET, SECRETS, proof, system
from tower.model.connections import Connections
from tower.model.problem import Problem

OWN = Connections((system("own", proof("bearer"), "erp", mapping="own"),), configured=True)
BEARER = {"Authorization": f"Bearer {SECRET}"}
MAPPING = """
mapping: own.order
version: {version}
status: confirmed
source: "a test"
decode: {{format: json}}
match: body.order
event_key: body.id
emit:
  - milestone: {milestone}
    occurred_at: body.at
    objects: [{{type: order, key: erp_order_no, expr: body.order}}]
    attributes: {{amount: {amount}, currency: {{value: EUR}}}}
tests:
  - name: an order
    input: {{order: SO-1, id: 1, at: "2026-03-01T10:00:00Z", net: "1", gross: "2"}}
    expect: [{{milestone: {milestone}}}]
"""


class Bench:
    """A door whose own mapping can be mended."""

    def __init__(self, make_desk: Callable[..., Desk], folder: Path) -> None:
        self.file = folder / "mappings" / "own" / "order.yaml"
        self.file.parent.mkdir(parents=True)
        self.mend()
        self.door = make_desk(connections=OWN, secrets=SECRETS, mappings=folder / "mappings")
        self.again = self.door.collector.again

    def mend(self, version: int = 1, milestone: str = "order_captured", amount: str = "body.net") -> None:
        self.file.write_text(MAPPING.format(version=version, milestone=milestone, amount=amount))

    def send(self, number: int, **more: Any) -> str:
        body = {
            "id": number,
            "order": f"SO-{number}",
            "at": "2026-03-01T10:00:00Z",
            "net": "100",
            "gross": "119",
            **more,
        }
        answer = self.door.ingest("own", json.dumps(body).encode(), BEARER, wait=True)
        raw_id: str = answer.json()["raw_id"]
        return raw_id

    def in_force(self) -> list[tuple[Any, ...]]:
        """Return (milestone, amount) of every event that wins under its identity, as the engine decides."""
        with self.door.store.reader() as client:
            return [
                (r[0], str(r[1]).rstrip("0").rstrip("."), r[2])
                for r in client.query(
                    "SELECT milestone, amount, mapping FROM (SELECT * FROM events WHERE quarantine = '' "
                    "ORDER BY ev, rank DESC, body LIMIT 1 BY ev) WHERE polarity = 'reached' ORDER BY event_id, milestone"
                ).result_rows
            ]


@pytest.fixture
def bench(make_desk: Callable[..., Desk], tmp_path: Path) -> Bench:
    return Bench(make_desk, tmp_path)


def counts(reread: Reread) -> tuple[int, ...]:
    return (reread.new, reread.changed, reread.unchanged, reread.withdrawn, reread.quarantined)


def test_a_preview_shows_what_the_mapping_on_disk_would_make_and_writes_nothing(bench: Bench) -> None:
    raw_id = bench.send(1)
    bench.mend(2, amount="body.gross")
    (outcome,) = bench.again.preview(raw_id)
    assert outcome.events[0].event["data"]["amount"] == "119"
    assert [amount for _, amount, _ in bench.in_force()] == ["100"]


def test_a_mended_value_supersedes_the_one_before(bench: Bench) -> None:
    raw_id = bench.send(1)
    bench.mend(2, amount="body.gross")
    assert counts(bench.again.replay([raw_id])) == (0, 1, 0, 0, 0)
    ((_, amount, mapping),) = bench.in_force()
    assert amount == "119"
    assert mapping.startswith("own.order@2:")
    assert counts(bench.again.replay([raw_id])) == (0, 0, 1, 0, 0), "once more says nothing new"


def test_a_mapping_that_is_taken_back_is_in_force_again(bench: Bench) -> None:
    raw_id = bench.send(1)
    bench.mend(2, amount="body.gross")
    bench.again.replay([raw_id])
    bench.mend(1)
    assert counts(bench.again.replay([raw_id])) == (0, 1, 0, 0, 0)
    assert [amount for _, amount, _ in bench.in_force()] == ["100"]


def test_an_event_that_is_no_longer_made_is_withdrawn_with_its_connection(bench: Bench) -> None:
    raw_ids = [bench.send(n) for n in (1, 2)]
    bench.mend(2, milestone="order_accepted")
    assert counts(bench.again.replay(raw_ids[:1])) == (1, 0, 0, 0, 0)
    assert [m for m, _, _ in bench.in_force()].count("order_captured") == 2, "one message alone takes nothing back"
    assert counts(bench.again.replay_connection("own")) == (1, 0, 1, 2, 0)
    assert [m for m, _, _ in bench.in_force()] == ["order_accepted"] * 2
    assert counts(bench.again.replay_connection("own")) == (0, 0, 2, 0, 0)
    bench.mend(1)
    assert counts(bench.again.replay_connection("own")) == (0, 2, 0, 2, 0), "what was withdrawn can be said again"
    assert [m for m, _, _ in bench.in_force()] == ["order_captured"] * 2


def test_what_was_quarantined_counts_once_its_mapping_is_mended(bench: Bench) -> None:
    raw_id = bench.send(1, net="much")
    rows = "reason, state, raw_id"
    assert bench.door.rows(rows, "quarantine FINAL") == [("mapping_failed", "open", raw_id)]
    assert counts(bench.again.replay([raw_id])) == (0, 0, 0, 0, 1)
    assert bench.door.rows(rows, "quarantine FINAL") == [("mapping_failed", "open", raw_id)], (
        "still not usable, still one row"
    )
    bench.mend(2, amount="body.gross")
    assert counts(bench.again.replay([raw_id])) == (1, 0, 0, 0, 0)
    assert bench.door.rows(rows, "quarantine FINAL") == [("mapping_failed", "replayed", raw_id)]


def test_two_messages_that_differ_under_one_identity_stay_as_they_were_decided(bench: Bench) -> None:
    """The same event key with two contents: the loser is not stated again, however often all is read."""
    bench.send(1)
    bench.send(1, net="200")
    before = bench.in_force()
    assert counts(bench.again.replay_connection("own")) == (0, 0, 1, 0, 0)
    assert bench.in_force() == before
    bench.mend(2, amount="body.gross")
    bench.again.replay_connection("own")
    assert counts(bench.again.replay_connection("own"))[:2] == (0, 0)


def test_a_broken_mapping_is_told_and_the_last_good_one_stays(bench: Bench) -> None:
    raw_id = bench.send(1)
    bench.file.write_text("mapping: own.order\n")
    with pytest.raises(Problem, match="mappings on disk cannot be used") as caught:
        bench.again.preview(raw_id)
    assert (caught.value.status, caught.value.code) == (409, "mappings_broken")
    bench.send(2)
    assert len(bench.in_force()) == 2


def test_a_message_that_is_not_there_or_was_emptied_is_said(bench: Bench) -> None:
    with pytest.raises(Problem) as caught:
        bench.again.preview("nothing")
    assert caught.value.status == 404
    raw_id = bench.send(1)
    with bench.door.store.writer() as client:
        client.command("ALTER TABLE raw UPDATE body = '' WHERE 1", settings={"mutations_sync": 1})
    with pytest.raises(Problem) as caught:
        bench.again.preview(raw_id)
    assert (caught.value.status, caught.value.code) == (409, "body_gone")
    assert bench.again.replay([raw_id]).unreadable == 1
