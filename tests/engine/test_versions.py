"""Which of several statements counts: the newer reading of a message supersedes, the newer state says the attributes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_engine import World
from tests.engine.world import NOW
from tests.stores import Shelf
from tower.store.client import Store

AT = NOW - timedelta(hours=3)


def row(event_id: str, amount: str, *, order: str = "SO-1", hours: int = 0, **columns: Any) -> bytes:
    at = f"{AT + timedelta(hours=hours):%F %T}.000"
    made = {
        "received_at": f"{NOW:%F %T}.000", "occurred_at": at, "connection": "shop", "kind": "commerce",
        "source": "/commerce/shop", "event_id": event_id, "type": "o2c.order_captured", "milestone": "order_captured",
        "polarity": "reached", "on_types": ["order"], "on_ids": [order], "amount": amount, "currency": "EUR", **columns,
    }  # fmt: skip
    return json.dumps(made).encode()


def forms(name: str, *rows: Callable[[str, str], bytes]) -> dict[str, list[bytes]]:
    """Return the statements about one order in every order of arrival, each about an order of its own: name-0, name-1 ..."""
    return {
        f"{name}-{number}": [make(f"{name}-{number}", f"e-{name}-{number}") for make in arrival]
        for number, arrival in enumerate(itertools.permutations(rows))
    }


RANKS = forms(
    "ranks",
    lambda order, key: row(key, "10", order=order),
    lambda order, key: row(key, "20", order=order, rank=1),
    lambda order, key: row(key, "30", order=order, rank=2),
)
RANKS = {order: [*told, told[0]] for order, told in RANKS.items()}  # the first comes once more at the end
EQUALS = forms(
    "equals",
    lambda order, key: row(key, "20", order=order, rank=1, body=200),
    lambda order, key: row(key, "10", order=order, rank=1, body=100),
)
STATES = forms(
    "states",
    lambda order, key: row(f"{key}-1", "10", order=order, source_version=1),
    lambda order, key: row(f"{key}-2", "20", order=order, source_version=2),
    lambda order, key: row(f"{key}-3", "30", order=order, source_version=3),
)
GONE: dict[str, Any] = {"hours": 1, "rank": 1, "polarity": "withdrawn", "on_types": [], "on_ids": []}
GOODS: dict[str, Any] = {"on_types": ["shipment"], "on_ids": ["S-1"]}
LINK: dict[str, Any] = {
    "child_types": ["shipment"], "child_ids": ["S-1"], "parent_types": ["order"], "parent_ids": ["moved"],
    "relations": ["ships"], "retracts": [0],
}  # fmt: skip
SAID = {
    **RANKS,
    **EQUALS,
    **STATES,
    "later": [row("l-9", "10", order="later", source_version=9), row("l-1", "20", order="later", hours=1, source_version=1)],
    "withdrawn": [
        b"\n".join([row("w-1", "10", order="withdrawn"), row("w-2", "20", order="withdrawn", hours=1)]),
        row("w-2", "0", order="withdrawn", **GONE),
        row("w-2", "20", order="withdrawn", hours=1, rank=2),
    ],
    "moved": [
        row("m-1", "10", raw_id="r-1", mapping="shop.order@1:abc", **GOODS),
        row("m-2", "20", milestone="shipment_confirmed", **GOODS, **LINK),
    ],
}  # fmt: skip


class Side(World):
    """All orders side by side, one statement of each per tick; `amounts` keeps what they were worth after each."""

    def __init__(self, store: Store, folder: Path) -> None:
        super().__init__(store, folder)
        self.amounts: list[dict[str, str]] = []
        for step in itertools.zip_longest(*SAID.values()):
            with store.writer() as client:
                client.raw_insert("events", insert_block=b"\n".join(r for r in step if r), fmt="JSONEachRow")
            self.engine.tick(self.clock.now)
            amounts = self.rows("SELECT order_id, toString(amount) FROM orders FINAL")
            self.amounts.append({str(order): str(amount) for order, amount in amounts})


@pytest.fixture(scope="module")
def world(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    with shelf.lend() as store:
        yield Side(store, tmp_path_factory.mktemp("versions"))


def test_the_higher_rank_supersedes_in_any_order_and_is_no_conflict(world: Side) -> None:
    assert {world.amounts[-1][order] for order in RANKS} == {"30"}
    of_ranks = "SELECT ev FROM events WHERE event_id LIKE 'e-ranks%'"
    told = world.rows(f"SELECT count(), min(superseded) FROM conflicts FINAL WHERE ev IN ({of_ranks}) GROUP BY ev")
    assert told == [(2, 1)] * len(RANKS)


def test_equal_ranks_are_a_conflict_that_is_told_once(world: Side) -> None:
    """And nothing else of what was said is one."""
    assert {world.amounts[-1][order] for order in EQUALS} == {"10"}, "the smaller body counts"
    told = world.rows("SELECT event_id, reason FROM quarantine FINAL")
    assert sorted(told) == [(f"e-{order}", "conflict") for order in EQUALS]


def test_what_is_withdrawn_counts_no_more_and_can_be_said_again(world: Side) -> None:
    assert [amounts["withdrawn"] for amounts in world.amounts[:3]] == ["20", "10", "20"]


def test_of_two_states_of_one_moment_the_newer_version_says_the_attributes(world: Side) -> None:
    assert {world.amounts[-1][order] for order in STATES} == {"30"}
    assert world.amounts[-1]["later"] == "20", "what happened later counts before any version"


def test_a_fact_knows_its_message_and_mapping_also_after_it_moved(world: Side) -> None:
    told = world.rows("SELECT raw_id, mapping FROM case_facts FINAL WHERE event_id = 'm-1' AND order_no != 0")
    assert told == [("r-1", "shop.order@1:abc")]
