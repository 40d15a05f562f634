"""The alerting step on a real store: what is written, what a restart makes of it, and what goes over the wire."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from standardwebhooks import Webhook

from rules.model import Book
from rules.parse import parse_book
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import T0, World
from tests.rules.test_broken import BASE
from tower.alerts.alerts import Alerts
from tower.model.connections import Connections
from tower.model.secret import Secrets
from tower.store.client import Store
from tower.store.migrate import migrate

_numbers = itertools.count(1)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ROUTES = """
receivers:
  ops: {{inbox: true, webhook: {{url: "{url}/hook", secret: "env:TOWER_SECRET_HOOK"}}}}
routes: {{receiver: ops, group_by: [stage], group_wait: 10s, group_interval: 1m, repeat_interval: 1h}}
"""


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    address = f"chdb://{tmp_path_factory.mktemp('store')}"
    keeper = Store(address, database="keeper")
    yield address
    keeper.close()


@pytest.fixture
def store(dsn: str) -> Iterator[Store]:
    opened = Store(dsn, database=f"alerts_{next(_numbers)}")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def target() -> Iterator[TargetStub]:
    stub = TargetStub()
    yield stub
    stub.close()


class Tower:
    """Alerts on a store with a clock of their own; `restart` is what a kill leaves."""

    def __init__(self, store: Store, url: str) -> None:
        self.store, self.world, self.now = store, World(store), T0
        self.book: Book = parse_book({"base.yaml": BASE, "routes.yaml": ROUTES.format(url=url)})
        self.made: list[Alerts] = []
        self.restart()

    def restart(self) -> None:
        secrets = Secrets({"TOWER_SECRET_HOOK": SECRET})
        self.alerts = Alerts(self.store, secrets, Connections(), lambda: self.now, lambda: None, "http://tower")
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
            time.sleep(0.01)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.store.reader() as client:
            return [tuple(r) for r in client.query(sql).result_rows]

    def notices(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT channel, reason, state FROM notices FINAL ORDER BY at, number, channel")


@pytest.fixture
def fresh(store: Store, target: TargetStub) -> Iterator[Tower]:
    made = Tower(store, target.url)
    yield made
    made.close()


@pytest.fixture
def tower(fresh: Tower) -> Tower:
    fresh.step()  # takes up the rulebook: what is open by then is history
    return fresh


def test_a_breach_is_told_in_the_inbox_and_over_the_wire_signed(tower: Tower, target: TargetStub) -> None:
    tower.breach("SO-1")
    assert tower.step(1) == 0
    assert tower.step(10) == 1
    tower.until(lambda: ("webhook", "new", "sent") in tower.notices())
    assert tower.notices() == [("inbox", "new", "sent"), ("webhook", "new", "sent")]
    [request] = target.heard
    body = request.body
    assert body["type"] == "alert.new" and [b["order_id"] for b in body["data"]["breaches"]] == ["SO-1"]
    assert body["data"]["link"].startswith("http://tower/alerts?id=") and body["data"]["value"] == "100.000000"
    headers = request.headers
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), T0.tzinfo)
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    assert headers["webhook-signature"] == Webhook(SECRET).sign(headers["webhook-id"], moment, text)
    [audit] = tower.rows("SELECT act, subject FROM audit WHERE act = 'notice'")
    assert headers["webhook-id"] in audit[1]
    assert not any(
        SECRET in str(row) for row in tower.rows("SELECT * FROM notices") + tower.rows("SELECT * FROM audit")
    )


def test_a_restart_at_any_step_neither_loses_nor_doubles(tower: Tower) -> None:
    tower.breach("SO-1")
    for _ in range(14):
        tower.restart()
        tower.step(1)
    tower.breach("SO-2")
    for _ in range(65):
        tower.step(1)
    tower.restart()
    tower.breach("SO-1", "resolved")
    tower.breach("SO-2", "resolved")
    for _ in range(65):
        tower.step(1)
    inbox = tower.rows("SELECT reason FROM notices FINAL WHERE channel = 'inbox' ORDER BY at")
    assert inbox == [("new",), ("more",), ("resolved",)]
    assert tower.rows("SELECT closed_at IS NOT NULL, notices FROM alerts FINAL") == [(1, 3)]


def test_what_is_open_when_a_rulebook_is_taken_up_is_history(fresh: Tower) -> None:
    fresh.breach("SO-1")
    for _ in range(30):
        fresh.step(5)
    assert fresh.notices() == []
    assert fresh.rows("SELECT quiet, state FROM alert_breaches FINAL") == [(1, "open")]


def test_a_quiet_step_writes_nothing(tower: Tower) -> None:
    tower.breach("SO-1")
    tower.step(1)
    sizes = "SELECT (SELECT count() FROM alerts), (SELECT count() FROM notices), (SELECT count() FROM alert_cursor)"
    before = tower.rows(sizes)
    for _ in range(5):
        tower.step(0.5)
    assert tower.rows(sizes) == before


def test_a_refusal_is_tried_again_later_and_gone_switches_the_receiver_off(tower: Tower, target: TargetStub) -> None:
    target.plan = [Reply(500)]
    tower.breach("SO-1", priority="P1")
    tower.step(1)
    tower.until(lambda: bool(tower.rows("SELECT 1 FROM notices FINAL WHERE channel = 'webhook' AND next_at > at")))
    target.plan = [Reply(410)]
    tower.step(8)
    tower.until(lambda: ("webhook", "new", "failed") in tower.notices())
    ids = {r.headers["webhook-id"] for r in target.heard}
    assert len(target.heard) == 2 and len(ids) == 1
    tower.breach("SO-2", priority="P1")
    tower.step(1)
    assert len(target.heard) == 2
    assert tower.rows("SELECT receiver FROM receivers_off FINAL") == [("ops",)]
    assert [s for c, r, s in tower.notices() if c == "inbox"] == ["sent", "sent"]
