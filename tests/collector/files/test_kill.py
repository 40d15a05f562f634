"""kill -9 while files arrive: each is kept once, each row is a fact once, and each file ends in its place."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.collector.files.test_watch import archived, failed, put
from tests.collector.files.world import mappings, shipments, until
from tests.collector.test_kill import ROOT, answers, copy

KILLS = int(os.environ.get("O2C_KILLS", "1"))
ROWS = 20


def start(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.collector.files.server", str(folder)], cwd=ROOT, stdout=log, stderr=log
        )


def content(number: int) -> str:
    """A file of new rows; every seventh does not add up."""
    rows = [(f"SO-{number}-{row}", "1", str(row + 1)) for row in range(ROWS)]
    return shipments(*rows, stated=ROWS + (number % 7 == 0))


@pytest.mark.timeout(300)
def test_no_file_is_lost_half_read_or_taken_twice(tmp_path: Path) -> None:
    copy(tmp_path)
    chance = random.Random(20260303)
    folder = tmp_path / "in"
    folder.mkdir()
    mappings(tmp_path / "mappings")
    number = 0
    for _ in range(KILLS):
        process = start(tmp_path)
        try:
            until(lambda: (folder / ".taking").is_dir(), 60)
            end = time.monotonic() + 0.6 + chance.random()
            while time.monotonic() < end:
                number += 1
                put(folder, f"f{number}.csv", content(number))
                time.sleep(chance.random() * 0.05)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert process.returncode == -signal.SIGKILL
    put(folder, "again.csv", content(1))
    process = start(tmp_path)
    try:
        until(lambda: not [path for path in folder.rglob("*.csv") if path.parent in (folder, folder / ".taking")], 120)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    bad = [n for n in range(1, number + 1) if n % 7 == 0]
    good = [n for n in range(1, number + 1) if n % 7]
    assert sorted(archived(folder)) == sorted([*(f"f{n}.csv" for n in good), "again.csv"])
    assert sorted(name for name in failed(folder) if name.endswith(".csv")) == sorted(f"f{n}.csv" for n in bad)
    queries = [
        "SELECT count(), uniqExact(raw_id), uniqExact(sha256) FROM raw",
        "SELECT uniqExact(topic), sum(events), sum(unchanged) FROM raw WHERE outcome = 'mapped'",
        "SELECT uniqExact(on_ids[1]), uniqExact(ev), uniqExact(ev, body) FROM events WHERE milestone != ''",
        "SELECT uniqExact(raw_id) FROM quarantine FINAL WHERE reason = 'batch_control_total'",
        "SELECT count() FROM quarantine FINAL WHERE reason = 'duplicate_file'",
        "SELECT count() FROM quarantine FINAL WHERE reason NOT IN ('duplicate_file', 'batch_control_total')",
        "SELECT uniqExact(key) FROM file_rows",
    ]
    found = answers(tmp_path, queries)
    rows = len(good) * ROWS
    assert found == [
        [(number, number, number)],
        [(len(good), rows, 0)],
        [(rows, rows, rows)],
        [(len(bad),)],
        [(1,)],
        [(0,)],
        [(rows,)],
    ]
