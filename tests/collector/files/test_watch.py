"""A watched folder: complete files are taken whole, once, and put away; what is wrong with one is told."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.drain import Drain
from collector.sink import Unavailable
from collector.stream import Stream
from tests.collector.decoders.test_x12 import interchange
from tests.collector.desk import NOW, Desk
from tests.collector.files.world import connections, mappings, shipments, until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


@pytest.fixture
def watch(make_desk: Callable[..., Desk], folder: Path, tmp_path: Path) -> Callable[..., Desk]:
    """Start a collector that watches the folder by some rule."""

    def started(rule: dict[str, Any] | None = None, **settings: Any) -> Desk:
        own = tmp_path / "mappings"
        return make_desk(
            connections=connections(folder, **(rule or {})),
            mappings=own if own.exists() else mappings(own),
            **settings,
        )

    return started


def put(folder: Path, name: str, content: str | bytes) -> None:
    """Bring a file into a folder as a careful sender does."""
    scratch = folder / f".{name}"
    scratch.write_bytes(content.encode() if isinstance(content, str) else content)
    scratch.rename(folder / name)


def archived(folder: Path) -> list[str]:
    return sorted(path.name.split("-", 1)[1] for path in (folder / "archive").glob("*/*"))


def failed(folder: Path) -> list[str]:
    return sorted(path.name.split("-", 1)[1] for path in (folder / "failed").glob("*"))


def test_a_file_becomes_events_and_is_archived(watch: Callable[..., Desk], folder: Path) -> None:
    put(folder, "s1.csv", shipments(("SO-1", "1", "2"), ("SO-2", "1", "3.5")))
    desk = watch()
    until(lambda: archived(folder) == ["s1.csv"])
    until(lambda: len(desk.rows("ev")) == 3)
    rows = desk.rows(
        "on_ids, quantity, attributes['file'], raw_id != '', mapping LIKE 'legacy.shipments@1:%'",
        where="milestone != ''",
        order="on_ids",
    )
    assert [(ids, str(quantity), *rest) for ids, quantity, *rest in rows] == [
        (["SO-1"], "2.000000", "s1.csv", 1, 1),
        (["SO-2"], "3.500000", "s1.csv", 1, 1),
    ]
    (row,) = desk.rows(
        "connection, method, scheme, topic, outcome, events, quarantined, unchanged, headers['x-file-name']", "raw"
    )
    assert row == ("legacy", "FILE", "folder", "s1.csv", "mapped", 2, 0, 0, "s1.csv")
    assert [path.name for path in folder.iterdir() if path.is_file()] == []


def test_the_connection_was_heard_even_if_a_file_has_no_news(watch: Callable[..., Desk], folder: Path) -> None:
    put(folder, "none.csv", shipments())
    desk = watch()
    until(lambda: archived(folder) == ["none.csv"])
    until(lambda: len(desk.rows("ev")) == 1)
    assert desk.rows("type, milestone, occurred_at >= received_at") == [("o2c.heartbeat", "", 1)]
    assert desk.rows("outcome", "raw") == [("ignored",)]


def test_the_same_content_under_another_name_is_told_and_makes_nothing(
    watch: Callable[..., Desk], folder: Path
) -> None:
    put(folder, "a.csv", shipments(("SO-1", "1", "2")))
    desk = watch()
    until(lambda: archived(folder) == ["a.csv"])
    put(folder, "b.csv", shipments(("SO-1", "1", "2")))
    until(lambda: archived(folder) == ["a.csv", "b.csv"])
    until(lambda: len(desk.rows("reason", "quarantine")) == 1)
    ((reason, detail, raw_id, first),) = desk.rows(
        "reason, detail, raw_id, (SELECT raw_id FROM raw)", "quarantine FINAL"
    )
    assert (reason, raw_id) == ("duplicate_file", first)
    assert detail.endswith(f"-b.csv: its content was taken before as message {first}")
    assert desk.collector.stats().connections["legacy"].duplicate == 1


def test_rows_of_a_full_extract_that_did_not_change_make_no_event(watch: Callable[..., Desk], folder: Path) -> None:
    put(folder, "1.csv", shipments(("SO-1", "1", "2"), ("SO-2", "1", "3")))
    desk = watch()
    until(lambda: len(archived(folder)) == 1)
    put(folder, "2.csv", shipments(("SO-1", "1", "2"), ("SO-2", "1", "4"), ("SO-3", "1", "1")))
    until(lambda: len(archived(folder)) == 2)
    put(folder, "3.csv", shipments(("SO-3", "1", "1"), ("SO-1", "1", "2"), ("SO-2", "1", "3")))
    until(lambda: len(archived(folder)) == 3)
    assert desk.rows("topic, events, unchanged", "raw", order="raw_id") == [
        ("1.csv", 2, 0),
        ("2.csv", 2, 1),
        ("3.csv", 1, 2),
    ]


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (shipments(("SO-1", "1", "2"), stated=7), "batch_control_total", "the file says rows is 7, it has 1"),
        ("S;SO-1;1\n", "undecodable", "it has 3 fields, 5 are expected"),
        (shipments(("SO-1", "1", "2"), ("SO-2", "1", "many")), "mapping_failed", "'many'"),
        ("", "undecodable", "the file is empty"),
    ],
)
def test_a_file_with_one_fault_is_refused_whole(
    watch: Callable[..., Desk], folder: Path, content: str, reason: str, detail: str
) -> None:
    put(folder, "bad.csv", content)
    desk = watch()
    until(lambda: len(failed(folder)) == 2)
    assert failed(folder) == ["bad.csv", "bad.csv.why.txt"]
    (why,) = (folder / "failed").glob("*.why.txt")
    assert why.read_text().startswith(f"{reason}: ")
    assert detail in why.read_text()
    assert desk.rows("outcome, events", "raw") == [("quarantined", 0)]
    assert desk.rows("quarantine") == [(reason,)], "not even a heartbeat"
    assert desk.rows("count()", "file_rows") == [(0,)]


def test_a_refused_file_may_come_again(watch: Callable[..., Desk], folder: Path, tmp_path: Path) -> None:
    content = shipments(("SO-1", "1", "many"))
    put(folder, "a.csv", content)
    desk = watch()
    until(lambda: failed(folder)[:1] == ["a.csv"])
    put(folder, "a.csv", content)
    until(lambda: failed(folder)[:2] == ["a.csv", "a.csv"])
    assert desk.rows("reason", "quarantine FINAL") == [("mapping_failed",)] * 2


def test_a_document_that_no_mapping_knows_waits_and_refuses_nothing_else(
    watch: Callable[..., Desk], folder: Path
) -> None:
    put(folder, "mixed.csv", interchange("ST*850*1", "BEG*00*SA*PO-1**20260201", "SE*3*1", "ST*864*2", "SE*2*2"))
    desk = watch()
    until(lambda: archived(folder) == ["mixed.csv"])
    until(lambda: len(desk.rows("ev")) == 3)
    assert desk.rows("outcome, events, quarantined, length(stated), numbers.sequence", "raw") == [
        ("partly", 1, 1, 1, [91, 91])
    ]
    until(lambda: desk.rows("reason", "quarantine FINAL") == [("unmapped_payload",)])


def test_a_broken_transaction_refuses_the_whole_file(watch: Callable[..., Desk], folder: Path) -> None:
    put(folder, "cut.csv", interchange("ST*850*1", "BEG*00*SA*PO-1**20260201", "SE*3*1", "ST*850*2", trailer=False))
    desk = watch()
    until(lambda: failed(folder)[:1] == ["cut.csv"])
    assert desk.rows("milestone, quarantine") == [("", "undecodable")]


def test_a_gzip_file_is_unpacked(watch: Callable[..., Desk], folder: Path) -> None:
    content = shipments(("SO-1", "1", "2")).encode()
    put(folder, "a.csv.gz", gzip.compress(content[:10]) + gzip.compress(content[10:]))
    put(folder, "b.csv.gz", b"no gzip")
    put(folder, "c.csv.gz", gzip.compress(content)[:-9])
    desk = watch({"pattern": "*.csv.gz"})
    until(lambda: archived(folder) == ["a.csv.gz"] and len(failed(folder)) == 4)
    assert desk.rows("topic, outcome", "raw") == [("a.csv.gz", "mapped")]
    until(lambda: len(desk.rows("reason", "quarantine")) == 2)
    details = " ".join(detail for (detail,) in desk.rows("detail", "quarantine FINAL"))
    assert "this is no gzip file" in details
    assert "the gzip file ends too early" in details


def test_a_file_beyond_the_limit_is_put_away_and_told(watch: Callable[..., Desk], folder: Path) -> None:
    put(folder, "large.csv", b"x" * (2 << 20))
    put(folder, "bomb.csv.gz", gzip.compress(b"x" * (2 << 20)))
    desk = watch({"pattern": "*.csv*"}, max_file_mb=1)
    until(lambda: len(failed(folder)) == 4)
    until(lambda: len(desk.rows("reason", "quarantine")) == 2)
    assert {reason for (reason,) in desk.rows("reason", "quarantine FINAL")} == {"undecodable"}
    assert all("larger than 1 MiB (TOWER_MAX_FILE_MB)" in d for (d,) in desk.rows("detail", "quarantine FINAL"))


def test_only_plain_files_of_the_pattern_are_taken(watch: Callable[..., Desk], folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(shipments(("SO-9", "1", "1")))
    (folder / "link.csv").symlink_to(secret)
    (folder / "sub.csv").mkdir()
    (folder / ".scratch.csv").write_text("x")
    (folder / "notes.txt").write_text("x")
    os.mkfifo(folder / "pipe.csv")
    put(folder, "good.csv", shipments(("SO-1", "1", "2")))
    desk = watch()
    until(lambda: archived(folder) == ["good.csv"])
    assert desk.rows("topic", "raw") == [("good.csv",)]
    assert secret.exists()


def test_a_name_that_is_no_text_is_taken_all_the_same(watch: Callable[..., Desk], folder: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9.csv")).write_text(shipments(("SO-1", "1", "2")))
    desk = watch()
    until(lambda: len(archived(folder)) == 1)
    assert desk.rows("topic", "raw") == [("caf\ufffd.csv",)]


def test_without_an_archive_taken_files_are_removed(watch: Callable[..., Desk], folder: Path) -> None:
    put(folder, "a.csv", shipments(("SO-1", "1", "2")))
    desk = watch({"archive": False})
    until(lambda: len(desk.rows("raw_id", "raw")) == 1)
    until(lambda: not list(folder.rglob("*.csv")))
    assert not (folder / "archive").exists()


def test_what_was_put_away_goes_with_the_raw_bodies(watch: Callable[..., Desk], folder: Path) -> None:
    def put_away(days: int, place: Path) -> Path:
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{int((NOW - timedelta(days=days)).timestamp() * 1000):013d}-a.csv"
        path.write_text("x")
        return path

    old = put_away(11, folder / "archive" / "2026-02-18")
    older = put_away(12, folder / "failed")
    young = put_away(9, folder / "archive" / "2026-02-20")
    foreign = folder / "archive" / "notes.txt"
    foreign.write_text("x")
    watch(raw_days=10)
    until(lambda: not old.exists() and not older.exists())
    until(lambda: not old.parent.exists())
    assert young.exists()
    assert foreign.exists()


def test_a_folder_that_is_not_there_is_told_and_taken_up_when_it_comes(
    watch: Callable[..., Desk], folder: Path
) -> None:
    folder.rmdir()
    desk = watch()
    until(lambda: "No such file" in desk.collector.stats().folders.get("legacy", ""))
    assert desk.collector.stats().ready
    folder.mkdir()
    put(folder, "a.csv", shipments(("SO-1", "1", "2")))
    until(lambda: (folder / "archive").is_dir() and archived(folder) == ["a.csv"])
    until(lambda: desk.collector.stats().folders == {})


def test_lines_beyond_memory_are_committed_in_parts_and_go_on_where_they_stood(
    watch: Callable[..., Desk], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with more lines than are synced in one go, and a journal that refuses every other part."""
    monkeypatch.setattr("collector.files.sink._CHUNK_BYTES", 20_000)
    monkeypatch.setattr("collector.files.reader._IN_MEMORY", 10_000)
    commit, parts = Stream.commit_here, 0

    def grudging(stream: Stream, data: bytes) -> int:
        nonlocal parts
        parts += 1
        if stream.journal.folder.name == "events" and parts % 2:
            raise Unavailable("not now")
        return commit(stream, data)

    monkeypatch.setattr(Stream, "commit_here", grudging)
    pause = Drain._pause
    monkeypatch.setattr(Drain, "_pause", lambda drain, seconds: pause(drain, min(seconds, 0.01)))
    put(folder, "a.csv", shipments(*((f"SO-{n}", "1", "1") for n in range(300))))
    desk = watch()
    until(lambda: archived(folder) == ["a.csv"])
    until(lambda: desk.rows("uniqExact(ev)", where="milestone != ''") == [(300,)])
    assert desk.rows("count()", where="milestone != ''") == [(300,)], "no part is said twice"
    assert desk.rows("outcome, events", "raw") == [("mapped", 300)]
    assert parts > 10
