"""Every acknowledged line reaches the store once, whatever the store says and whenever the process dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from collector.checkpoint import Checkpoint
from collector.collector import EVENTS
from collector.drain import Drain, GivenUp
from collector.journal import Journal
from collector.sink import Refused, Sink, Unavailable
from tests.collector.desk import Desk, as_json, event
from tests.collector.test_journal import append
from tower.store.client import Store, StoreError

_IDS = "SELECT event_id FROM events WHERE quarantine = '' ORDER BY stored_at, ev"


class Sometimes(Sink):
    """A sink that fails as told before, or after, the real insert."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, EVENTS)
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.calls: list[str] = []

    def insert(self, client: Any, lines: bytes, token: str) -> None:
        self.calls.append(token)
        if self.before:
            raise self.before.pop(0)
        super().insert(client, lines, token)
        if self.after:
            raise self.after.pop(0)


class Rig:
    """A journal, a sink and drains that can be killed between insert and checkpoint."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.journal = Journal(folder, segment_bytes=2000)
        self.sink = Sometimes(store)
        self.sink.prepare()
        self.stored = threading.Condition()
        self.position = 0
        self.drain: Drain | None = None

    def run(self, block_bytes: int = 8 << 20) -> None:
        self.drain = Drain(self.journal, self.store, self.sink, self._stored, block_bytes)
        self.drain.start()

    def _stored(self, position: int) -> None:
        with self.stored:
            self.position = position
            self.stored.notify_all()

    def wait(self) -> None:
        with self.stored:
            assert self.stored.wait_for(lambda: self.position >= self.journal.end, 20)

    def stop(self) -> None:
        if self.drain:
            self.drain.stop(5)
            self.drain = None

    def ids(self) -> list[str]:
        with self.store.reader() as client:
            return [
                i
                for (i,) in client.query(
                    "SELECT event_id FROM events WHERE quarantine = '' ORDER BY stored_at, ev"
                ).result_rows
            ]


@pytest.fixture
def rig(store: Store, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(store, tmp_path / "events")
    yield made
    made.stop()
    made.journal.close()


def line(number: int, **columns: object) -> bytes:
    row = {
        "ev": number, "received_at": "2026-03-01 12:00:00.000", "connection": "c",
        "event_id": f"e{number}", "milestone": "m", "polarity": "reached", "occurred_at": "2026-03-01 12:00:00.000",
        **columns,
    }  # fmt: skip
    return msgspec.json.encode(row) + b"\n"


def test_a_refused_line_goes_to_quarantine_with_its_text_and_the_others_go_on(rig: Rig) -> None:
    bad = [line(100, amount="a lot"), b"no json at all\n", b"\x00\xff\n"]
    append(rig.journal, line(1) + bad[0] + line(2) + line(3) + bad[1] + bad[2] + line(4))
    rig.run()
    rig.wait()
    assert sorted(rig.ids()) == ["e1", "e2", "e3", "e4"]
    with rig.store.reader() as client:
        rows = client.query("SELECT reason, event_id, raw, detail FROM quarantine FINAL ORDER BY raw").result_rows
        assert client.query("SELECT uniqExact(quarantine_id) FROM quarantine").result_rows == [(3,)]
    assert [r[0] for r in rows] == ["store_refused"] * 3
    assert {r[2] for r in rows} == {b.decode(errors="replace").rstrip("\n") for b in bad}
    assert any("amount" in r[3] and r[1] == "e100" for r in rows)
    assert rig.drain is not None
    assert rig.drain.refused == 3


def test_an_unavailable_store_delays_and_loses_nothing(rig: Rig) -> None:
    rig.sink.before = [Unavailable("too many parts"), Unavailable("no connection")]
    append(rig.journal, line(1))
    rig.run()
    rig.wait()
    assert rig.ids() == ["e1"]
    assert len(set(rig.sink.calls)) == 1, "a repeat must carry the same token"


def test_a_store_is_asked_for_a_client_when_a_line_has_come_and_again_if_it_had_none(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    reader = rig.store.reader

    def at_first_none() -> AbstractContextManager[Client]:
        asked.append(rig.journal.end)
        if len(asked) == 1:
            raise StoreError("no connection")
        return reader()

    monkeypatch.setattr(rig.store, "reader", at_first_none)
    begun = rig.journal.end
    rig.run()
    assert rig.drain is not None
    rig.drain._thread.join(0.1)
    append(rig.journal, line(1))
    rig.wait()
    assert rig.ids() == ["e1"]
    assert asked[0] > begun, "an empty journal needs no client"


def test_an_error_of_the_store_is_told_from_an_error_of_the_rows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Sink(store, EVENTS)
    with store.reader() as client:
        with pytest.raises(Refused):
            sink.insert(client, b"{\n", "t1")

        def fail(*_arguments: object, **_options: object) -> None:
            error = DatabaseError("Code: 243. DB::Exception: no space")
            error.code = 243
            raise error

        monkeypatch.setattr(client, "raw_insert", fail)
        with pytest.raises(Unavailable):
            sink.insert(client, line(1), "t2")


def test_lines_gather_to_a_block_while_the_table_allows_it_unless_they_are_many(rig: Rig) -> None:
    rig.sink.table = replace(EVENTS, linger=1000)
    append(rig.journal, line(1))
    rig.run(block_bytes=len(line(2) + line(3) + line(10) + line(11)))
    rig.wait()
    append(rig.journal, line(2))
    append(rig.journal, line(3))
    assert (rig.ids(), len(rig.sink.calls)) == (["e1"], 1)  # the last insert was moments ago
    append(rig.journal, line(10) + line(11))
    rig.wait()
    assert (rig.ids(), len(rig.sink.calls)) == (["e1", "e2", "e3", "e10", "e11"], 2)
    append(rig.journal, line(12))
    rig.stop()
    assert rig.ids()[-1] == "e12"


def test_stored_at_rises_strictly_from_insert_to_insert(rig: Rig) -> None:
    append(rig.journal, b"".join(line(i) for i in range(30)))
    rig.run(block_bytes=200)
    rig.wait()
    with rig.store.reader() as client:
        blocks = client.query(
            "SELECT _part, min(stored_at), max(stored_at) FROM events GROUP BY _part ORDER BY 2"
        ).result_rows
        assert client.query("SELECT count() FROM events").result_rows == [(30,)]
    assert len(set(rig.ids())) == 30
    assert all(one[2] < other[1] for one, other in pairwise(blocks))


@pytest.mark.parametrize("when", ["before the insert", "between insert and checkpoint"])
def test_a_crash_at_any_moment_repeats_the_same_block_and_changes_nothing(rig: Rig, when: str) -> None:
    append(rig.journal, b"".join(line(i) for i in range(10)))
    (rig.sink.before if when.startswith("before") else rig.sink.after).append(GivenUp())
    rig.run()
    assert rig.drain is not None
    rig.drain._thread.join(10)
    assert not rig.drain._thread.is_alive()
    rig.drain._checkpoint.close()
    append(rig.journal, line(11))
    rig.run()
    rig.wait()
    assert sorted(rig.ids()) == sorted(f"e{i}" for i in (*range(10), 11))
    assert rig.sink.calls[0] == rig.sink.calls[1]
    with rig.store.reader() as client:
        assert client.query("SELECT count() FROM identities").result_rows == [(11,)]
        assert client.query("SELECT sum(events) FROM heard").result_rows == [(11,)]


def test_a_crash_inside_a_bisection_ends_in_the_same_rows(rig: Rig) -> None:
    append(rig.journal, line(1) + b"broken\n" + line(2) + line(3))
    rig.run()
    rig.wait()
    rig.stop()
    path = rig.journal.folder / "stored"
    path.unlink()
    Checkpoint(path, 0).intend(0, rig.journal.end)
    rig.run()
    rig.wait()
    assert sorted(rig.ids()) == ["e1", "e2", "e3"]
    with rig.store.reader() as client:
        assert client.query("SELECT count() FROM events").result_rows == [(4,)]


def test_segments_go_only_when_their_rows_are_stored(rig: Rig) -> None:
    for i in range(40):
        append(rig.journal, line(i))
    before = len(list(rig.journal.folder.glob("*.ndjson")))
    assert before > 2
    rig.run()
    rig.wait()
    rig.stop()
    assert len(list(rig.journal.folder.glob("*.ndjson"))) == 1
    with rig.store.reader() as client:
        for name in ("events", "identities", "quarantine", "heard", "otel_traces", "otel_traces_trace_id_ts"):
            ((made,),) = client.query(
                f"SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = '{name}'"
            ).result_rows
            assert "fsync_after_insert = 1" in made
            assert "fsync_part_directory = 1" in made


def test_positions_of_a_new_journal_do_not_look_like_those_of_an_old_one(store: Store, tmp_path: Path) -> None:
    for number, name in enumerate(("old", "new")):
        rig = Rig(store, tmp_path / name / "events")
        append(rig.journal, line(number))
        rig.run()
        rig.wait()
        rig.stop()
        rig.journal.close()
    assert rig.ids() == ["e0", "e1"]


def test_a_restarted_collector_stores_what_the_last_one_acknowledged(make_desk: Callable[..., Desk]) -> None:
    first = make_desk(started=False)
    assert first.post(b"\n".join(as_json(i) for i in range(50)), "application/x-ndjson").json()["accepted"] == 50
    first.close()
    second = make_desk()
    stats = second.collector.stats()
    assert second.post_lines([event(99)])["accepted"] == 1
    assert len(second.rows("event_id")) == 51
    assert stats.ready
    assert second.collector.stats().backlog_lines == 0
