"""The plain engine, in a process of its own: journal bytes into the same tables with the same settings, nothing else.

`python -m bench.floor FOLDER FILE` prints the seconds and processor seconds that the inserts took; `--count` prints
how many events a folder's store holds.
"""

from __future__ import annotations

import atexit
import gc
import subprocess
import sys
import time
from pathlib import Path

from collector.collector import EVENTS
from collector.sink import Sink
from tower.store.client import Store
from tower.store.migrate import migrate

GROUP_BYTES = 8 << 20  # as the drain reads the journal
_SETTINGS = {
    "input_format_parallel_parsing": 0,
    "date_time_input_format": "best_effort",
    "max_partitions_per_insert_block": 0,
}


def floor(folder: Path, file: Path) -> tuple[float, float]:
    """Return the seconds, and processor seconds, that a fresh store elsewhere takes to ingest journal lines."""
    seconds, cpu_s = _run(str(folder), str(file)).split()
    return float(seconds), float(cpu_s)


def stored_events(folder: Path) -> int:
    """Return how many events the store of a stopped tower holds."""
    return int(_run(str(folder / "store"), "--count"))


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.floor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=True).stdout


def _groups(lines: bytes) -> list[bytes]:
    groups, at = [], 0
    while at < len(lines):
        end = len(lines) if at + GROUP_BYTES >= len(lines) else lines.rfind(b"\n", at, at + GROUP_BYTES) + 1
        groups.append(lines[at:end])
        at = end
    return groups


def _ingest(store: Store, file: Path) -> tuple[float, float]:
    migrate(store)
    Sink(store, EVENTS).prepare()
    groups = _groups(file.read_bytes())
    with store.writer() as client:
        began, cpu = time.perf_counter(), time.process_time()
        for number, group in enumerate(groups):
            settings = {**_SETTINGS, "insert_deduplication_token": f"bench:{number}"}
            client.raw_insert(EVENTS.name, insert_block=group, fmt="JSONEachRow", settings=settings)
        return time.perf_counter() - began, time.process_time() - cpu


def _main(folder: str, what: str) -> None:
    store = Store(f"chdb://{folder}")
    if what == "--count":
        with store.reader() as client:
            print(client.query("SELECT count() FROM events").result_rows[0][0])
    else:
        print(*_ingest(store, Path(what)))
    store.close()


if __name__ == "__main__":
    atexit.register(gc.freeze)  # the reason is in tower/cli.py
    _main(sys.argv[1], sys.argv[2])
