"""The whole application of `tower run` in this process, engine and doors included, and callers with keys of any kind."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from tests.acceptance.events import NDJSON, lines
from tests.commands.process import migrated
from tower.commands.serve import tower
from tower.settings import Settings
from tower.store.keys import Keys

BOOK = """
process: {start: [order_accepted], done: [{milestone: shipment_confirmed, per: order}]}
milestones:
  order_accepted: {object: order, authority: erp}
  shipment_confirmed: {object: shipment, authority: wms, after: [order_accepted]}
stages:
  - {id: accept-to-ship, from: order_accepted, to: shipment_confirmed, within: 2h}
feeds:
  - {connection: acme-edi, expects: stream, quiet_after: 1000d}
  - {connection: beta-edi, expects: stream, quiet_after: 1000d}
targets:
  middleware: {kind: http, url: "http://127.0.0.1:9"}
actions:
  - {id: again, kind: retry, stage: accept-to-ship, target: middleware, request: {method: POST, path: "/{order_id}"},
     verify: {milestone: shipment_confirmed, within: 60s}, policy: {attempts: 1}}
"""
CONNECTIONS = """
connections:
  - {name: erp, kind: erp, source: /erp/main}
  - {name: wms, kind: wms, source: /wms/main}
  - {name: acme-edi, kind: edi, source: /edi/acme, partner: ACME}
  - {name: beta-edi, kind: edi, source: /edi/beta, partner: BETA}
"""
Call = tuple[str, str, str, dict[str, Any]]  # whose key ('' for nobody), method, path with query, options


@dataclass
class Whole:
    """A running tower without a port; its engine ticks when there is something to do, and not by the clock."""

    app: FastAPI
    keys: Keys
    tokens: dict[str, str] = field(default_factory=dict)

    def key(self, name: str, roles: Iterable[str], connections: Iterable[str] = (), scopes: Iterable[str] = ()) -> str:
        """Make a key once and return its name."""
        if name not in self.tokens:
            ends = self.app.state.context.clock() + timedelta(days=1)
            self.tokens[name] = self.keys.add(name, roles, connections, scopes, ends)
        return name

    def calls(self, wanted: Sequence[Call]) -> list[httpx.Response]:
        """Return the answers to calls made one after the other."""

        async def run() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://tower") as client:
                found: list[httpx.Response] = []
                for name, method, path, options in wanted:
                    headers = dict(options.get("headers", {}))
                    if name:
                        headers["Authorization"] = f"Bearer {self.tokens[name]}"
                    found.append(await client.request(method, path, **{**options, "headers": headers}))
                return found

        return asyncio.run(run())

    def call(self, name: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to one call."""
        return self.calls([(name, method, path, options)])[0]

    def send(self, *events: dict[str, Any]) -> dict[str, Any]:
        """Send events as a sender for all connections and wait for the verdicts."""
        who = self.key("sender", ["viewer"], ["*"])
        reply = self.call(who, "POST", "/v1/events?wait=stored", content=lines(list(events)), headers=NDJSON)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep the engine from ticking, so that one tick does all that is asked for meanwhile."""
        with self.app.state.context.store.writer("engine"):
            yield


@contextmanager
def whole_tower(folder: Path) -> Iterator[Whole]:
    """Run a tower in this process."""
    (folder / "book").mkdir()
    shutil.copytree(migrated(), folder / "var" / "store", symlinks=True)
    (folder / "book" / "book.yaml").write_text(BOOK)
    (folder / "connections.yaml").write_text(CONNECTIONS)
    settings = Settings.from_env(
        {
            "TOWER_DATA_DIR": str(folder / "var"), "TOWER_BOOK": str(folder / "book"), "TOWER_TICK_S": "3600",
            "TOWER_CONNECTIONS": str(folder / "connections.yaml"), "TOWER_DISK_FLOOR_MB": "1",
        }
    )  # fmt: skip
    with tower(settings) as app:
        assert isinstance(app, FastAPI)
        yield Whole(app, Keys(app.state.context.store))
