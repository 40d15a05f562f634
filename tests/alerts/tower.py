"""Alerts on a real store, with a clock of their own and breaches as the engine writes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import wait
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from rules.model import Book
from rules.parse import parse_book
from tests.actions.world import T0, World
from tower.alerts.alerts import Alerts
from tower.alerts.links import Links
from tower.model.connections import Connections
from tower.model.secret import Secrets
from tower.store.client import Store

BASE = (Path(__file__).parents[1] / "rules" / "base.yaml").read_text()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ROUTES = """
receivers:
  ops: {{inbox: true, webhook: {{url: "{url}/hook", secret: "env:TOWER_SECRET_HOOK"}}}}
routes: {{receiver: ops, group_by: [stage], group_wait: 10s, group_interval: 1m, repeat_interval: 1h}}
"""


class Tower:
    """Alerts on a store with a clock of their own; `restart` is what a kill leaves."""

    def __init__(self, store: Store, url: str) -> None:
        self.store, self.world, self.now = store, World(store), T0
        self.book: Book = parse_book({"base.yaml": BASE, "routes.yaml": ROUTES.format(url=url)})
        self.made: list[Alerts] = []
        self.secrets = {"TOWER_SECRET_HOOK": SECRET}
        self.restart()

    def restart(self) -> None:
        self.alerts = Alerts(
            self.store,
            Secrets(self.secrets),
            Connections(),
            lambda: self.now,
            lambda: None,
            Links([b"k" * 32], "http://tower"),
            "http://tower",
        )
        self.made.append(self.alerts)

    def close(self) -> None:
        for alerts in self.made:
            alerts.close()

    def breach(self, name: str, state: str = "open", **order: Any) -> None:
        """Write a breach and its order as the engine does, at this moment."""
        self.now += timedelta(milliseconds=1)  # in the tick that comes
        number = self.world.numbers.get(name) if not order else None
        if number is None:
            number = self._order(name, order)
        over = None if state == "open" else self.now
        with self.store.writer() as client:
            client.insert(
                "breaches",
                [[number, name, "accept-to-ship", "late", number, "order", name, f"b-{name}", state, self.now, self.now, over,
                  "shipment_confirmed", "wms", "", self.now]],
                column_names=["order_no", "order_id", "rule", "kind", "object", "object_type", "object_id", "breach_id", "state",
                              "opened_at", "detected_at", "resolved_at", "milestone", "system", "error", "updated_at"],
            )  # fmt: skip

    def _order(self, name: str, columns: dict[str, Any]) -> int:
        number = self.world.numbers.setdefault(name, len(self.world.numbers) + 1)
        row = {
            "order_no": number,
            "order_id": name,
            "priority": "P2",
            "value_at_risk": Decimal(100),
            "judged_at": self.now,
            **columns,
        }
        with self.store.writer() as client:
            client.insert("orders", [list(row.values())], column_names=list(row))
        return number

    def step(self, seconds: float = 0) -> int:
        self.now += timedelta(seconds=seconds)
        return self.alerts.step(self.book, self.now)

    def until(self, done: Callable[[], bool]) -> None:
        """Step without time passing until an answer has been written down."""
        deadline = time.monotonic() + 10
        while not done():
            assert time.monotonic() < deadline
            self.step(0.001)
            wait([sent for sent, _ in self.alerts._courier._under_way.values()], timeout=10)
            time.sleep(0.01)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.store.reader() as client:
            return [tuple(r) for r in client.query(sql).result_rows]

    def notices(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT channel, reason, state FROM notices FINAL ORDER BY at, number, channel")
