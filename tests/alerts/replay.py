"""Alerts under kill -9: a process that opens and closes breaches step by step, for `tests.alerts.test_kill` and the bench.

`python -m tests.alerts.replay FOLDER URL` goes on where the rows say it stopped. Each step is one moment of a script, so
what must have been told is known however often the process was killed.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from tests.actions.world import T0
from tests.alerts.tower import Tower
from tower.store.client import Store
from tower.store.migrate import migrate

# second -> (order, state): two orders join, the group is told, grows, and ends.
SCRIPT: dict[int, list[tuple[str, str]]] = {
    2: [("SO-1", "open"), ("SO-2", "open")],
    20: [("SO-3", "open")],
    90: [("SO-1", "resolved"), ("SO-2", "resolved"), ("SO-3", "resolved")],
}
MOMENTS = (0, 2, 5, 12, 13, 20, 21, 72, 73, 90, 91, 132, 133, 134)
REASONS = ["new", "more", "resolved"]
DONE = "SELECT count() FROM notices FINAL WHERE state IN ('due', 'sending')"


def run(folder: Path, url: str) -> None:
    """Live through the script from the first moment on that was not finished, until every notice has its answer."""
    store = Store(f"chdb://{folder}/store")
    migrate(store)
    mark = folder / "moment"
    finished = int(mark.read_text()) if mark.exists() else -1
    tower = Tower(store, url)
    for number, second in enumerate(MOMENTS):
        if number <= finished:
            continue
        tower.now = T0 + timedelta(seconds=second)
        present = {(row[0], row[1]) for row in tower.rows("SELECT order_id, toString(state) FROM breaches")}
        for order, state in SCRIPT.get(second, []):
            if (order, state) not in present:
                tower.breach(order, state)
        tower.step(0.1)
        tower.until(lambda: tower.rows(DONE) == [(0,)])
        mark.write_text(str(number))
    tower.close()
    store.close()


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2])
