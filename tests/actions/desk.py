"""An operator, an engine and a book on one small world."""

from __future__ import annotations

import time
from datetime import datetime

import msgspec

from rules.model import Book
from tests.actions.world import KINDS, World
from tower.actions.intake import Intake, Wish
from tower.actions.item import COLUMNS, Item, read_items
from tower.actions.runner import Actions
from tower.model.secret import Secrets

SECRET = "s3cr3t-token-value"


class Desk:
    """An operator, an engine and a book."""

    def __init__(self, world: World, book: Book) -> None:
        self.world = world
        self.book = book
        self.runners: list[Actions] = []
        self.runner = self.restart()

    def restart(self) -> Actions:
        """Begin a new engine process: nothing but the store is left of the old one."""
        secrets = Secrets({"TOWER_SECRET_MIDDLEWARE": SECRET})
        self.runner = Actions(self.world.store, secrets, self.world.clock)
        self.runners.append(self.runner)
        return self.runner

    def click(self, *order_ids: str, key: str = "k1", version: str | None = None, actor: str = "ana") -> dict[str, str]:
        """Ask for a retry and return the result by order."""
        wish = Wish("retry", tuple((o, version) for o in order_ids), reason="tax fixed")
        reply = Intake(self.world.store, self.book, actor, self.world.now).request(wish, key, f"hash-{order_ids}")
        decoded = msgspec.json.decode(reply)
        self.action_id = decoded["action_id"]
        return {i["order_id"]: i["result"] for i in decoded["items"]}

    def step(self, watermark: datetime | None = None) -> None:
        """Tick once and wait until what was sent is answered."""
        marks = {"erp": watermark} if watermark else {}
        self.runner.step(self.book, KINDS, self.world.now, marks)
        deadline = time.monotonic() + 10
        out = [*self.runner._under_way.values(), *self.runner._probes._out.values()]
        while any(not future.done() for *_, future in out):
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def collect(self) -> None:
        """Write down what was answered, as the next step would first of all."""
        self.runner._collect(self.book)

    def items(self) -> list[Item]:
        """Return every item by order and object."""
        with self.world.store.reader() as client:
            found = client.query(
                f"SELECT {', '.join(COLUMNS)} FROM action_items FINAL ORDER BY requested_at, order_id, object_id"
            )
        return read_items(found.result_rows, found.column_names)

    def states(self) -> list[str]:
        """Return the items' states."""
        return [i.state for i in self.items()]

    def acts(self) -> list[tuple[str, str]]:
        """Return (actor, act) of the audit."""
        with self.world.store.reader() as client:
            return [tuple(r) for r in client.query("SELECT actor, act FROM audit ORDER BY seq").result_rows]
