"""Addresses that a handshake wants called: written here as intents, carried out by the engine alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from tower.store.client import Store
from tower.store.sql import load

_COLUMNS = [
    "fetch_id", "kind", "connection", "url", "asked_at", "state", "attempts", "next_at", "status", "detail",
    "updated_at", "revision",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fetch:
    """One address to call with GET. state: asked, done, failed."""

    fetch_id: str
    kind: str
    connection: str
    url: str
    asked_at: datetime
    state: str
    attempts: int
    next_at: datetime
    status: int
    detail: str
    updated_at: datetime
    revision: int

    def moved(self, now: datetime, **changes: object) -> Fetch:
        """Return the fetch with changes, as its newer version."""
        return replace(self, updated_at=now, revision=self.revision + 1, **changes)  # type: ignore[arg-type]  # names are Fetch's own


def ask_fetch(store: Store, kind: str, connection: str, url: str, now: datetime) -> str:
    """Write an intent, synced on return, unless it is there already; return its id."""
    fetch_id = hashlib.sha256("\0".join((kind, connection, url)).encode()).hexdigest()[:32]
    with store.writer() as client:
        if not client.query(load("fetch_one"), parameters={"fetch_id": fetch_id}).result_rows:
            write_fetch(store, Fetch(fetch_id, kind, connection, url, now, "asked", 0, now, 0, "", now, 1))
    return fetch_id


def open_fetches(store: Store, now: datetime) -> list[Fetch]:
    """Return what is to be called now, the oldest first."""
    with store.reader() as client:
        return [Fetch(*row) for row in client.query(load("fetch_open"), parameters={"now": now}).result_rows]


def write_fetch(store: Store, fetch: Fetch) -> None:
    """Write a version of a fetch, synced on return."""
    with store.writer() as client:
        client.insert("fetches", [[getattr(fetch, name) for name in _COLUMNS]], column_names=_COLUMNS)
