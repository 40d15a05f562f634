"""A process that acts until it is killed: `python -m tests.actions.victim FOLDER URL begin|resume`.

Prints one JSON line of (order, state, attempts, key) whenever a state changes.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rules.model import Limit
from tests.actions.world import KINDS, World, clock_row, make_book
from tower.actions.intake import Intake, Wish
from tower.actions.runner import Actions
from tower.model.secret import Secrets
from tower.store.audit import Audit
from tower.store.client import Store
from tower.store.migrate import migrate

ORDERS = ["quick-1", "quick-2", "moved-1", "silent-1", "silent-2", "busy-1", "late-1", "late-2"]


def main(folder: str, url: str, mode: str) -> None:
    """Begin with a click for every order and a budget that leaves the last two waiting, or go on after a kill."""
    store = Store(f"chdb://{folder}/store")
    migrate(store)
    world = World(store, now=datetime.now(UTC))
    book = make_book(url, attempts=5, first_s=1)
    target = replace(book.targets["middleware"], timeout_s=20.0 if mode == "begin" else 5.0)
    if mode == "begin":
        target = replace(target, budget=(Limit(len(ORDERS) - 2, 3600),))
        world.orders([(o, [clock_row(object_id=f"S-{o}")], {}) for o in ORDERS])
        for n, part in enumerate((ORDERS[:-2], ORDERS[-2:])):
            wish = Wish("retry", tuple((o, None) for o in part), reason="kill me")
            Intake(store, book, "ana", world.now + timedelta(milliseconds=n)).request(wish, f"k{n}", "h")
    book = replace(book, targets={"middleware": target})
    runner = Actions(store, Secrets({"TOWER_SECRET_MIDDLEWARE": "s"}), lambda: datetime.now(UTC))
    told, moved = "", False
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        runner.step(book, KINDS, datetime.now(UTC), {})
        with store.reader() as client:
            rows = client.query(
                "SELECT order_id, state, attempts, attempt_key, next_at IS NULL FROM action_items FINAL ORDER BY order_id"
            ).result_rows
        states = {row[0]: row[1] for row in rows}
        if mode == "begin" and not moved and states["moved-1"] == "accepted":
            world.numbers = {"moved-1": ORDERS.index("moved-1") + 1}
            world.now = datetime.now(UTC)
            world.fact("moved-1", "invoice_released", ("shipment", "S-moved-1"))
            moved = True
        line = json.dumps(rows)
        if line != told:
            told = line
            say(line)
        if mode == "resume" and not {"requested", "sent"} & set(states.values()):
            say(json.dumps({"audit": Audit(store).verify()}))
            return
        time.sleep(0.3)  # a step costs about as much


def say(line: str) -> None:
    """Tell the test."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
