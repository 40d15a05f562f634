"""Orders told to a real store through events and a tick, and the figures an API makes of them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from rules.model import Book
from rules.parse import parse_book
from rules.vocabulary import ID_FIELDS, deepest, infer_links
from tests.api.conftest import DoorsStub, EngineStub
from tower.api.app import create_app
from tower.api.context import ApiContext
from tower.commands.roi_door import roi_routes
from tower.engine import workspace
from tower.engine.books import compiled_for, record_book
from tower.engine.cycle import run_cycle
from tower.model.connections import Connections
from tower.model.progress import Progress
from tower.settings import Settings
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.keys import Keys

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
TEXT = """
process: {start: [order_captured], done: [delivered, payment_applied], cancelled: [order_cancelled]}
milestones:
  order_captured: {object: order, authority: crm}
  order_cancelled: {object: order, authority: erp}
  shipment_confirmed: {object: shipment, authority: wms}
  delivered: {object: shipment, authority: tms}
  invoice_released: {object: invoice, authority: erp}
  payment_applied: {object: payment, authority: erp}
calendars:
  office: {zone: UTC, open: {mon-fri: ["08:00-16:00"]}}
stages:
  - {id: capture-to-ship, from: order_captured, to: shipment_confirmed, within: 8h}
  - {id: ship-to-invoice, from: shipment_confirmed, to: invoice_released, per: shipment, within: 2h, calendar: office}
value:
  currency: EUR
  rates: [{currency: USD, rate: "0.5", since: "2026-01-01"}]
  cost_per_touch: 12
  minutes_per_touch: 15
  cost_of_capital: 8%
  baseline: 2d
  calendar: office
  phases: {goods: [capture-to-ship], money: [ship-to-invoice]}
"""
BOOK = parse_book({"book.yaml": TEXT})
KINDS = {"order_captured": "crm", "shipment_confirmed": "wms", "delivered": "tms"}


def at(day: int, hour: float) -> datetime:
    """Return an hour of a day counted from Monday."""
    return MONDAY + timedelta(days=day, hours=hour)


def event(milestone: str, moment: datetime, **data: Any) -> dict[str, Any]:
    """Return a row of `events`; ids by their field, `heard` when it was received, other fields are attributes."""
    named = {t: data.pop(f) for f, t in ID_FIELDS.items() if f in data}
    named = {t: v if isinstance(v, list) else [v] for t, v in named.items()}
    name, _, polarity = milestone.partition(".")
    kind = data.pop("kind", KINDS.get(name, "erp"))
    heard = data.pop("heard", moment)
    links = infer_links(named)
    on = deepest(named, links)
    key = f"{milestone}{moment}{named}{kind}"
    number = int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
    return {
        "received_at": heard.isoformat(), "occurred_at": moment.isoformat(), "kind": kind, "source": f"/{kind}",
        "event_id": key, "ev": number, "body": number, "type": f"o2c.{milestone}", "milestone": name,
        "polarity": polarity or "reached", "on_types": [r.type for r in on], "on_ids": [r.id for r in on],
        "child_types": [x.child.type for x in links], "child_ids": [x.child.id for x in links],
        "parent_types": [x.parent.type for x in links], "parent_ids": [x.parent.id for x in links],
        "relations": [x.relation for x in links], "retracts": [0] * len(links),
        **{k: v.isoformat() if isinstance(v, datetime) else str(v) for k, v in data.items()},
    }  # fmt: skip


@dataclass
class World:
    """A store with an engine that ticks when told to, and an API over it."""

    store: Store
    folder: Path
    now: datetime = field(default_factory=lambda: at(4, 12))
    book: Book = BOOK
    recorded: list[Entry] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    _app: tuple[datetime, FastAPI] | None = None

    def __post_init__(self) -> None:
        compiled = compiled_for(self.book, None)
        with self.store.writer("engine") as client:
            record_book(client, compiled, at(0, 0))
            workspace.prepare(client, compiled)
        keys = Keys(self.store)
        self.tokens = {role: keys.add(f"{role}-key", [role]) for role in ("viewer", "admin")}
        self.context = ApiContext(
            settings=Settings(data_dir=self.folder, clickhouse=self.store.dsn),
            store=self.store,
            connections=Connections(),
            book=lambda: self.book,
            authenticate=keys.authenticate,
            progress=Progress(),
            engine_health=lambda _: EngineStub(),
            collector_stats=lambda: DoorsStub(),
            clock=lambda: self.now,
        )

    def app(self) -> FastAPI:
        """Return the application; it is a new one, that has answered nothing yet, after whatever may change an answer."""
        if self._app is None or self._app[0] != self.now:
            self._app = (self.now, create_app(self.context, roi_routes(self.context, self.record)))
        return self._app[1]

    def record(self, entries: Sequence[Entry]) -> None:
        """Be the engine's witness."""
        self._app = None
        self.recorded += entries
        Audit(self.store).append(entries, self.now)

    def say(self, *events: dict[str, Any]) -> None:
        """Store events and let the engine tick."""
        with self.store.writer() as client:
            block = b"\n".join(json.dumps(e).encode() for e in events)
            client.raw_insert("events", insert_block=block, fmt="JSONEachRow")
        self.tick()

    def tick(self) -> None:
        """Judge as of now."""
        self._app = None
        with self.store.writer("engine") as client:
            run_cycle(client, compiled_for(self.book, None), Connections(), self.now, "test", True)

    def call(self, method: str, path: str, role: str = "viewer", **options: Any) -> httpx.Response:
        """Call the API as somebody."""
        headers = {"Authorization": f"Bearer {self.tokens[role]}"}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app(), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://tower") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(ask())

    def roi(self, **query: Any) -> dict[str, Any]:
        """Return the answer of /v1/roi."""
        params = {k.rstrip("_"): v.isoformat() if isinstance(v, datetime) else v for k, v in query.items()}
        reply = self.call("GET", "/v1/roi", params=params)
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def behind(self, metric: str, **query: Any) -> list[dict[str, Any]]:
        """Return the rows behind a figure."""
        params = {k.rstrip("_"): v.isoformat() if isinstance(v, datetime) else v for k, v in query.items()}
        reply = self.call("GET", "/v1/roi/orders", params={"metric": metric, **params})
        assert reply.status_code == 200, reply.text
        rows: list[dict[str, Any]] = reply.json()["orders"]
        return rows
