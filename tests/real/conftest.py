"""The two data sets in real towers of their own: loaded once through the public door, asked over HTTP.

The towers run in this process. No endpoint lists the clocks of all orders, and a page per order would take minutes; so
they are read from the tower's own store once it has judged everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pandas as pd
import pytest

from tests.commands.served import Served
from tests.real import convert, recompute
from tower.store.client import Store

BOOKS = Path(__file__).with_name("books")
NDJSON = {"Content-Type": "application/x-ndjson"}
BATCH = 500
CLOCKS = """
SELECT order_id, rule, object_id, clock_state, toUnixTimestamp64Milli(started_at) AS started_ms,
    toUnixTimestamp64Milli(stopped_at) AS stopped_ms, used_s
FROM (SELECT * FROM orders FINAL WHERE on_board)
ARRAY JOIN clocks.rule AS rule, clocks.object_id AS object_id, clocks.state AS clock_state,
    clocks.started_at AS started_at, clocks.stopped_at AS stopped_at, clocks.used_s AS used_s
"""


@dataclass
class Answers:
    """What a tower that holds a data set answers; each page of an order is asked for once."""

    client: httpx.Client
    sent: int
    replies: list[dict[str, Any]]
    clocks: pd.DataFrame
    _pages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def orders(self, **query: str) -> dict[str, Any]:
        """Return the board, all of it on one page."""
        reply = self.client.get("/v1/orders", params={"limit": "5000", **query})
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def ids(self, **query: str) -> set[str]:
        """Return the ids on the board, each seen once."""
        found = [row["order_id"] for row in self.orders(**query)["orders"]]
        assert len(found) == len(set(found))
        return set(found)

    def pages(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the pages of orders, by id."""
        wanted = list(ids)
        self._pages.update({name: self._page(name) for name in wanted if name not in self._pages})
        return {name: self._pages[name] for name in wanted}

    def _page(self, name: str) -> dict[str, Any]:
        reply = self.client.get(f"/v1/orders/{quote(name, safe='')}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def breaches(self, **query: str) -> list[dict[str, Any]]:
        """Return every breach that matches, page by page."""
        found: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(100):
            params = {"limit": "1000", **query, **({"cursor": cursor} if cursor else {})}
            reply = self.client.get("/v1/breaches", params=params)
            assert reply.status_code == 200, reply.text
            found += reply.json()["breaches"]
            cursor = reply.json()["next_cursor"]
            if not cursor:
                return found
        raise AssertionError("the list of breaches does not end")


def _loaded(folder: Path, data: str, book: str, read: Callable[[Path], Iterator[bytes]]) -> Iterator[Answers]:
    replies = []
    lines = list(read(convert.DATA / data))
    with Served(folder / "var", TOWER_BOOK=str(BOOKS / book)) as tower, tower.client() as client:
        client.timeout = httpx.Timeout(120)
        for start in range(0, len(lines), BATCH):
            wait = {"wait": "stored"} if start + BATCH >= len(lines) else {}
            body = b"\n".join(lines[start : start + BATCH])
            reply = client.post("/v1/events", params=wait, content=body, headers=NDJSON)
            assert reply.status_code == 200, reply.text
            replies.append(reply.json())
        yield Answers(client, len(lines), replies, _clocks(folder / "var" / "store"))


def _clocks(folder: Path) -> pd.DataFrame:
    """Return every stored clock: order_id, rule, object_id, clock_state, started_at, stopped_at (NaT: runs), used_s."""
    with Store(f"chdb://{folder}").reader() as client:
        clocks = pd.DataFrame(list(client.query(CLOCKS).named_results()))
    for name in ("started", "stopped"):
        clocks[f"{name}_at"] = pd.to_datetime(clocks.pop(f"{name}_ms"), unit="ms", utc=True)
    return clocks


def _folder(data: str) -> Path:
    folder = convert.DATA / data
    if not folder.is_dir():
        pytest.skip(f"the shared data set {data} is not at {folder}")
    return folder


@pytest.fixture(scope="module")
def northwind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """Yield the answers of a tower that holds the trading company."""
    _folder("northwind")
    yield from _loaded(tmp_path_factory.mktemp("northwind"), "northwind", "northwind", convert.northwind)


@pytest.fixture(scope="module")
def order_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """Yield the answers of a tower that holds the order log."""
    _folder("order_management_log")
    yield from _loaded(tmp_path_factory.mktemp("order_log"), "order_management_log", "order_log", convert.order_log)


@pytest.fixture(scope="module")
def northwind_files() -> recompute.Northwind:
    """Return the trading company recomputed from its files."""
    return recompute.Northwind(_folder("northwind"))


@pytest.fixture(scope="module")
def order_log_files() -> recompute.OrderLog:
    """Return the order log recomputed from its file."""
    return recompute.OrderLog(_folder("order_management_log"))
