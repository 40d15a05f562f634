"""A small real process with a collector that watches a folder, for tests that kill it.

Usage: python -m tests.collector.files.server FOLDER
"""

from __future__ import annotations

import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from collector.collector import Collector
from tests.collector.desk import MILESTONES, Ticker
from tests.collector.files.world import connections
from tower.model.progress import Progress
from tower.settings import Settings
from tower.store.client import Store
from tower.store.migrate import migrate


def main(folder: Path) -> None:
    """Watch until killed, or until SIGTERM asks for an orderly end."""
    store = Store(f"chdb://{folder / 'store'}")
    migrate(store)
    progress = Progress()
    collector = Collector(
        Settings(folder / "data", store.dsn, disk_floor_mb=1, mappings=folder / "mappings"),
        store,
        connections(folder / "in"),
        lambda _header: None,
        lambda: MILESTONES,
        progress,
        lambda: datetime.now(UTC),
    )
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    collector.start()
    ticker = Ticker(progress)
    ended.wait()
    collector.stop()
    ticker.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
