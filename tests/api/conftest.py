"""The application on a real store, with an engine and doors that say what a test wants, and one key per role."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from rules.model import Book
from tests.actions.world import World, make_book
from tests.stores import Shelf
from tower.api.app import create_app
from tower.api.context import ApiContext
from tower.model.connections import Connection, Connections
from tower.model.progress import Progress
from tower.settings import Settings
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.keys import Keys

CONNECTIONS = Connections(
    tuple(Connection(name, kind, f"/{kind}/{name}") for name, kind in (("one", "erp"), ("hh", "wms"), ("sf", "crm"))),
    configured=True,
)


class Tokens(dict[str, str]):
    """One token per name; the key of a role is made when it is first used, which costs more than many a question."""

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys

    def __missing__(self, role: str) -> str:
        self[role] = self._keys.add(f"{role}-key", [role])
        return self[role]


@dataclass
class EngineStub:
    """What the engine says about itself."""

    ok: bool = True
    detail: str = ""
    last_tick_at: datetime | None = None
    tick_s: float | None = 0.2
    lag_s: float | None = 0.0
    book_error: str = ""


@dataclass
class DoorsStub:
    """What the collector says about itself."""

    ready: bool = True
    reason: str = ""
    backlog_bytes: int = 0
    accepted: int = 7
    refused: int = 1


@dataclass
class Api:
    """A running application with everything a test may turn."""

    world: World
    app: FastAPI
    tokens: Tokens
    engine: EngineStub
    doors: DoorsStub
    context: ApiContext
    progress: Progress
    book: list[Book] = field(default_factory=list)

    def get(self, path: str, role: str | None = "viewer", **options: Any) -> httpx.Response:
        """GET as somebody; None is nobody."""
        return self.call("GET", path, role, **options)

    def call(self, method: str, path: str, role: str | None = "viewer", **options: Any) -> httpx.Response:
        """Call as somebody; the world has ticked since, so nothing cached is served."""
        self.tick()
        return self.at_once(1, method, path, role, **options)[0]

    def at_once(self, times: int, method: str, path: str, role: str | None, **options: Any) -> list[httpx.Response]:
        """Make the same call several times at the same moment."""
        headers = dict(options.pop("headers", {}))
        if role:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"

        async def call() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://tower") as client:
                calls = [client.request(method, path, headers=headers, **options) for _ in range(times)]
                return await asyncio.gather(*calls)

        return asyncio.run(call())

    def tick(self) -> None:
        """Let the engine have ticked."""
        self.progress.mark_judged(self.progress.judged + 1)
        self.engine.last_tick_at = self.world.now


def _append(store: Store, world: World, entries: Sequence[Entry]) -> None:
    Audit(store).append(entries, world.now)


def make_api(store: Store, folder: Path, url: str = "http://127.0.0.1:9") -> Api:
    """Return the application on a store."""
    world = World(store)
    keys = Keys(store)
    engine, doors, progress = EngineStub(last_tick_at=world.now), DoorsStub(), Progress()
    book = [make_book(url)]
    context = ApiContext(
        settings=Settings(data_dir=folder, clickhouse=store.dsn),
        store=store,
        connections=CONNECTIONS,
        book=lambda: book[0],
        authenticate=keys.authenticate,
        progress=progress,
        engine_health=lambda _: engine,
        collector_stats=lambda: doors,
        clock=world.clock,
        record=lambda entries: _append(store, world, entries),
    )
    return Api(world, create_app(context), Tokens(keys), engine, doors, context, progress, book)


@pytest.fixture(scope="module")
def one_api(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One application for all tests of a module that only look, or that keep to rows of their own."""
    with shelf.lend() as store:
        yield make_api(store, tmp_path_factory.mktemp("api"))


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Api:
    """The application on an empty store."""
    return make_api(store, tmp_path)


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What was logged, instead of a terminal's rendering of it."""
    with structlog.testing.capture_logs() as captured:
        yield captured
