"""What a process left half done is finished by the next one, and is no repeat."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.files.places import Places
from collector.files.sink import FileSink
from collector.sink import Unavailable
from collector.stream import Stream
from tests.collector.desk import NOW, Desk
from tests.collector.files.test_watch import archived, failed, put
from tests.collector.files.world import connections, mappings, shipments, until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def watch(make_desk: Callable[..., Desk], folder: Path, tmp_path: Path) -> Callable[..., Desk]:
    mappings(tmp_path / "mappings")

    def started(rule: dict[str, Any] | None = None, **settings: Any) -> Desk:
        return make_desk(connections=connections(folder, **(rule or {})), mappings=tmp_path / "mappings", **settings)

    return started


def claim(folder: Path, name: str, content: str) -> Path:
    """Leave a file as a process does that ends right after its claim."""
    put(folder, name, content)
    places = Places(folder, archive=True)
    places.prepare()
    return places.claim(folder / name, NOW).path


def facts(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("on_ids, toString(quantity)", where="milestone != ''", order="on_ids")


def test_a_claimed_file_is_taken_by_the_next_process(watch: Callable[..., Desk], folder: Path) -> None:
    claim(folder, "a.csv", shipments(("SO-1", "1", "2")))
    desk = watch()
    until(lambda: archived(folder) == ["a.csv"])
    until(lambda: facts(desk) == [(["SO-1"], "2")])


def test_a_durable_file_is_put_away_and_not_taken_twice(watch: Callable[..., Desk], folder: Path) -> None:
    path = claim(folder, "a.csv", shipments(("SO-1", "1", "2")))
    desk = watch()
    until(lambda: archived(folder) == ["a.csv"])
    desk.close()
    (stored,) = (folder / "archive").glob("*/*")
    stored.rename(path)  # as if the process had ended before it put the file away
    again = watch()
    until(lambda: archived(folder) == ["a.csv"])
    assert again.rows("count()", "raw") == [(1,)]
    assert again.rows("count()", "quarantine") == [(0,)]
    assert again.collector.stats().connections["legacy"].duplicate == 0


def test_a_refused_file_is_put_away_and_not_taken_twice(watch: Callable[..., Desk], folder: Path) -> None:
    path = claim(folder, "a.csv", "S;1\n")
    desk = watch()
    until(lambda: len(failed(folder)) == 2)
    desk.close()
    (folder / "failed" / path.name).rename(path)
    again = watch()
    until(lambda: not path.exists())
    assert again.rows("count()", "raw") == [(1,)]
    assert len(failed(folder)) == 2


def test_a_file_that_was_durable_but_not_stored_is_no_repeat(
    watch: Callable[..., Desk], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = claim(folder, "a.csv", shipments(("SO-1", "1", "2")))
    with monkeypatch.context() as broken:
        broken.setattr(FileSink, "insert", _unavailable)
        desk = watch()
        until(lambda: desk.collector._files.journal.end > 0)
        desk.close()
    assert path.exists()
    again = watch()
    until(lambda: archived(folder) == ["a.csv"])
    assert again.rows("count()", "raw") == [(1,)]
    assert again.rows("count()", "quarantine") == [(0,)]


def test_a_companion_that_outlived_its_file_does_not_speak_for_the_next(
    watch: Callable[..., Desk], folder: Path
) -> None:
    done = folder / "a.csv.done"
    done.touch()
    early = NOW.timestamp() - 10
    os.utime(done, (early, early))
    claim(folder, "a.csv", shipments(("SO-1", "1", "2")))
    watch({"done": "*.done"})
    until(lambda: archived(folder) == ["a.csv"])
    assert not done.exists()


def test_the_next_files_companion_is_left_alone(watch: Callable[..., Desk], folder: Path) -> None:
    claim(folder, "a.csv", shipments(("SO-1", "1", "2")))
    done = folder / "a.csv.done"
    done.touch()
    watch({"done": "*.done"})
    until(lambda: archived(folder) == ["a.csv"])
    assert done.exists(), f"it was written at {datetime.fromtimestamp(time.time(), UTC)}, after the claim"


def test_rows_that_were_remembered_before_the_crash_make_their_events_again(
    watch: Callable[..., Desk], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store takes the rows' state, then nothing more until the next process."""
    put(folder, "a.csv", shipments(("SO-1", "1", "2"), ("SO-2", "1", "1")))
    desk = watch(started=False)
    sink = desk.collector._files._sink
    monkeypatch.setattr(sink._rows, "insert", _unavailable)  # type: ignore[attr-defined]  # the raw table of a file sink
    desk.start()
    until(lambda: desk.rows("count()", "file_rows") == [(2,)])
    desk.close()
    monkeypatch.undo()
    again = watch()
    until(lambda: archived(folder) == ["a.csv"])
    assert again.rows("outcome, events, unchanged", "raw") == [("mapped", 2, 0)]
    assert again.rows("uniqExact(ev, body)", where="milestone != ''") == [(2,)]


def _unavailable(*_: object) -> None:
    raise Unavailable("the store is away")


def test_while_a_journal_cannot_be_written_a_file_waits(
    watch: Callable[..., Desk], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.csv", shipments(("SO-1", "1", "2")))
    with monkeypatch.context() as broken:
        broken.setattr(Stream, "commit_here", _unavailable)
        desk = watch()
        until(lambda: "the store is away" in desk.collector.stats().folders.get("legacy", ""))
        assert list((folder / ".taking").iterdir())
    until(lambda: archived(folder) == ["a.csv"])
    until(lambda: facts(desk) == [(["SO-1"], "2")])
