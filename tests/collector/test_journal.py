"""What the journal has acknowledged it keeps, and it keeps nothing half."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.checkpoint import Checkpoint
from collector.journal import Journal, JournalError
from collector.lock import FolderLock, JournalInUse
from collector.segments import segment_path, starts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    opened = Journal(folder, segment_bytes=100)
    yield opened
    opened.close()


def append(journal: Journal, data: bytes) -> int | JournalError:
    """Append and wait for the outcome."""
    outcomes: list[int | JournalError] = []
    told = threading.Event()

    def done(outcome: int | JournalError) -> None:
        outcomes.append(outcome)
        told.set()

    journal.submit(data, done)
    assert told.wait(10)
    return outcomes[0]


def everything(journal: Journal, limit: int = 1000) -> bytes:
    at, found = journal.read(journal.begin, limit)
    out = b""
    while found:
        assert found.endswith(b"\n")
        out += found
        at, found = journal.read(at + len(found), limit)
    return out


def test_positions_rise_over_segments_and_restarts(folder: Path) -> None:
    first = Journal(folder, segment_bytes=100)
    assert [append(first, b"x" * 39 + b"\n") for _ in range(5)] == [40, 80, 120, 160, 200]
    assert starts(folder) == [0, 80, 160]
    first.release(120, 3)
    assert starts(folder) == [80, 160]
    first.close()
    second = Journal(folder, segment_bytes=100)
    assert (second.begin, second.end, second.id) == (80, 200, first.id)
    assert append(second, b"y\n") == 202
    assert everything(second, 45) == (b"x" * 39 + b"\n") * 3 + b"y\n"
    second.close()


def test_a_torn_last_line_is_cut_at_start(folder: Path, journal: Journal) -> None:
    append(journal, b'{"a":1}\n')
    journal.close()
    with segment_path(folder, 0).open("ab") as file:
        file.write(b'{"b":2}\n{"torn":')
    again = Journal(folder)
    assert everything(again) == b'{"a":1}\n{"b":2}\n'
    assert append(again, b"c\n") == 18
    again.close()
    assert segment_path(folder, 0).read_bytes() == b'{"a":1}\n{"b":2}\nc\n'


def test_a_line_longer_than_the_read_limit_is_read_whole(journal: Journal) -> None:
    append(journal, b"z" * 5000 + b"\nshort\n")
    at, lines = journal.read(0, 10)
    assert at == 0
    assert lines.startswith(b"z" * 5000 + b"\n")


def test_many_writers_share_syncs_and_every_byte_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []
    real = os.fdatasync

    def counted(handle: int) -> None:
        syncs.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", counted)
    journal = Journal(folder)
    left = threading.Semaphore(0)
    for i in range(500):
        journal.submit(b"%d\n" % i, lambda _outcome: left.release())
    for _ in range(500):
        assert left.acquire(timeout=10)
    assert everything(journal) == b"".join(b"%d\n" % i for i in range(500))
    assert len(syncs) < 500
    journal.close()
    assert isinstance(append(journal, b"late\n"), JournalError)


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_a_full_disk_keeps_nothing_of_what_it_refused(folder: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    journal = Journal(folder)
    assert append(journal, b"good\n") == 5

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, call, full)
        refused = append(journal, b"refused\n")
        assert isinstance(refused, JournalError)
        assert "No space left" in str(refused)
        assert "No space left" in (journal.failure or "")
    assert append(journal, b"after\n") == 11
    assert journal.failure is None
    assert everything(journal) == b"good\nafter\n"
    journal.close()
    again = Journal(folder)
    assert everything(again) == b"good\nafter\n"
    again.close()


def test_a_write_that_only_partly_fits_is_taken_back(folder: Path) -> None:
    """A real limit of the system, not a stand-in: the file may not grow beyond 4 kB."""
    script = """
import resource, sys, threading
from pathlib import Path
from collector.journal import Journal
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
journal = Journal(Path(sys.argv[1]))
for data in (b"a" * 3000 + b"\\n", b"b" * 3000 + b"\\n", b"c\\n"):
    told = threading.Event()
    journal.submit(data, lambda outcome: (print(outcome), told.set()))
    told.wait(10)
journal.close()
"""
    assert resource.RLIMIT_FSIZE
    ran = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=True, timeout=60)
    first, second, third = [line for line in ran.stdout.splitlines() if "journal_write_failed" not in line]
    assert (first, third) == ("3001", "3003")
    assert "cannot be written" in second
    assert b"".join(segment_path(folder, s).read_bytes() for s in starts(folder)) == b"a" * 3000 + b"\nc\n"


def test_a_lost_segment_does_not_hold_up_the_rest(folder: Path, journal: Journal) -> None:
    for _ in range(3):
        append(journal, b"x" * 79 + b"\n")
    segment_path(folder, 80).unlink()
    at, lines = journal.read(80, 1000)
    assert (at, len(lines)) == (160, 80)


def test_two_processes_cannot_share_a_journal(folder: Path) -> None:
    lock = FolderLock(folder)
    script = (
        "import sys; from pathlib import Path; from collector.lock import FolderLock; FolderLock(Path(sys.argv[1]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, folder], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode != 0
    assert f"in use by process {os.getpid()}" in ran.stderr
    assert "TOWER_DATA_DIR" in ran.stderr
    with pytest.raises(JournalInUse):
        FolderLock(folder)
    lock.close()
    FolderLock(folder).close()


def test_the_checkpoint_remembers_the_range_in_flight(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    first = Checkpoint(path, 7)
    assert (first.stored, first.in_flight) == (7, None)
    first.intend(7, 20)
    assert Checkpoint(path, 0).in_flight == (7, 20)
    second = Checkpoint(path, 0)
    second.done(20)
    second.intend(20, 33)
    with path.open("ab") as file:
        file.write(b"insert 33 4")
    third = Checkpoint(path, 0)
    assert (third.stored, third.in_flight) == (20, (20, 33))
    for checkpoint in (first, second, third):
        checkpoint.close()
