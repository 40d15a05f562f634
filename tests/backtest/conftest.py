"""One store with a made-up history for all tests of backtests, and a live engine that may be given another book."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.compile import compile_book
from rules.model import Book
from rules.parse import parse_book
from tests.engine.world import BOOK, NOW, histories, line
from tests.stores import Shelf
from tower.engine import workspace
from tower.engine.books import record_book
from tower.engine.cycle import run_cycle
from tower.model.connections import Connection, Connections
from tower.store.client import Store

KINDS = ("commerce", "edi", "crm", "erp", "wms", "tms", "billing", "bank")
CONNECTIONS = Connections(tuple(Connection(kind, kind, f"/{kind}") for kind in KINDS), configured=True)
# A clock that can be called off is judged anew whatever its limit, so the one whose limits are tried here cannot.
CALLED_OFF = "    cancel: [invoice_waived, order_changed]\n"
TEXT = (
    BOOK.text["book.yaml"].replace(CALLED_OFF, "")
    + """
feeds:
  - {connection: wms, expects: stream, quiet_after: 10d}
  - {connection: erp, expects: every 6h, grace: 15m}
"""
)
Verdicts = dict[tuple[str, str, str, str], tuple[Any, Any]]


class Live:
    """A store that a live engine fills; verdicts are those that it then holds."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.verdicts: Verdicts = {}
        self._ticks = 0

    def record(self, book: Book) -> None:
        """Put a book in force, a moment after the one before it; nothing is judged."""
        self._ticks += 1
        with self.store.writer("engine") as client:
            record_book(client, compile_book(book, CONNECTIONS.kinds), NOW + timedelta(milliseconds=self._ticks))

    def run(self, book: Book, now: Any = NOW) -> Verdicts:
        """Put a book in force, tick, and return every standing verdict: (order, rule, kind, object) -> (opened, resolved)."""
        self.record(book)
        compiled = compile_book(book, CONNECTIONS.kinds)
        with self.store.writer("engine") as client:
            workspace.prepare(client, compiled)
            # Rows of one instant replace each other; the next book is judged a moment later, by the same clock.
            run_cycle(client, compiled, CONNECTIONS, now + timedelta(milliseconds=self._ticks), "test", everything=True)
            rows = client.query(
                "SELECT order_id, rule, kind, object_id, opened_at, resolved_at FROM breaches FINAL "
                "WHERE state != 'retracted' AND order_no != 0"
            ).result_rows
        self.verdicts = {(o, r, k, i): (opened, resolved) for o, r, k, i, opened, resolved in rows}
        return self.verdicts

    def closed_before(self, moment: datetime) -> set[str]:
        """Return the orders that were closed before a moment."""
        with self.store.reader() as client:
            rows = client.query("SELECT order_id, closed_at FROM orders FINAL WHERE closed_at IS NOT NULL").result_rows
        return {order_id for order_id, at in rows if at < moment}


def _filled(store: Store) -> Live:
    with store.writer() as client:
        body = b"\n".join(line(said, NOW, said.kind if said.kind in KINDS else "") for said in histories(7, 90))
        client.raw_insert("events", insert_block=body, fmt="JSONEachRow")
    return Live(store)


@pytest.fixture(scope="package")
def live(shelf: Shelf) -> Iterator[Live]:
    """Yield a store with 90 nasty cases, judged by the book of the tests; nobody gives it another one."""
    with shelf.lend() as store:
        made = _filled(store)
        made.run(book())
        yield made


@pytest.fixture(scope="package")
def twin(shelf: Shelf) -> Iterator[Live]:
    """Yield another store with the same cases, for the books that are tried."""
    with shelf.lend() as store:
        yield _filled(store)


def book(*changes: tuple[str, str]) -> Book:
    """Return the tests' book with some of its text changed; each text must be there."""
    text = TEXT
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return parse_book({"book.yaml": text})
