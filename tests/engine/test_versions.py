"""Which of several statements counts: the newer reading of a message supersedes, the newer state says the attributes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_engine import World
from tests.engine.world import NOW
from tower.store.client import Store

AT = NOW - timedelta(hours=3)


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    return World(store, tmp_path)


def row(event_id: str, amount: str, *, order: str = "SO-1", hours: int = 0, **columns: Any) -> bytes:
    at = f"{AT + timedelta(hours=hours):%F %T}.000"
    made = {
        "received_at": f"{NOW:%F %T}.000", "occurred_at": at, "connection": "shop", "kind": "commerce",
        "source": "/commerce/shop", "event_id": event_id, "type": "o2c.order_captured", "milestone": "order_captured",
        "polarity": "reached", "on_types": ["order"], "on_ids": [order], "amount": amount, "currency": "EUR", **columns,
    }  # fmt: skip
    return json.dumps(made).encode()


def say(world: World, *rows: bytes) -> None:
    for one in rows:
        with world.store.writer() as client:
            client.raw_insert("events", insert_block=one, fmt="JSONEachRow")
        world.engine.tick(world.clock.now)


def amount(world: World, order: str = "SO-1") -> str:
    ((found,),) = world.rows(f"SELECT toString(amount) FROM orders FINAL WHERE order_id = '{order}'")
    return str(found)


def in_every_order(world: World, statements: Callable[[int], list[bytes]], *, again: bool = False) -> int:
    """Say the statements about one order in every order of arrival, each about an order of its own: SO-0, SO-1 ...

    They arrive side by side, one statement of each order per tick. With `again` the first comes once more at the end.
    """
    arrivals = [list(order) for order in itertools.permutations(range(len(statements(0))))]
    for number, arrival in enumerate(arrivals):
        arrivals[number] = [*arrival, arrival[0]] if again else arrival
    for step in range(len(arrivals[0])):
        say(world, b"\n".join(statements(number)[arrival[step]] for number, arrival in enumerate(arrivals)))
    return len(arrivals)


def test_the_higher_rank_supersedes_in_any_order_and_is_no_conflict(world: World) -> None:
    def statements(number: int) -> list[bytes]:
        said = {"event_id": f"e-{number}", "order": f"SO-{number}"}
        return [row(**said, amount="10"), row(**said, amount="20", rank=1), row(**said, amount="30", rank=2)]

    orders = in_every_order(world, statements, again=True)
    for number in range(orders):
        assert amount(world, f"SO-{number}") == "30"
    assert world.rows("SELECT count() FROM quarantine") == [(0,)]
    told = world.rows("SELECT count(), min(superseded) FROM conflicts FINAL GROUP BY ev")
    assert told == [(2, 1)] * orders


def test_equal_ranks_are_a_conflict_that_is_told_once(world: World) -> None:
    def statements(number: int) -> list[bytes]:
        said = {"event_id": f"e-{number}", "order": f"SO-{number}", "rank": 1}
        return [row(**said, amount="20", body=200), row(**said, amount="10", body=100)]

    orders = in_every_order(world, statements)
    assert {amount(world, f"SO-{number}") for number in range(orders)} == {"10"}, "the smaller body counts"
    told = world.rows("SELECT event_id, reason FROM quarantine FINAL")
    assert sorted(told) == [(f"e-{number}", "conflict") for number in range(orders)]


def test_what_is_withdrawn_counts_no_more_and_can_be_said_again(world: World) -> None:
    say(world, row("e-1", "10"), row("e-2", "20", hours=1))
    withdrawal = row("e-2", "0", hours=1, rank=1, polarity="withdrawn", on_types=[], on_ids=[])
    say(world, withdrawal)
    assert amount(world) == "10"
    assert world.rows("SELECT count() FROM quarantine") == [(0,)]
    say(world, row("e-2", "20", hours=1, rank=2))
    assert amount(world) == "20"


def test_of_two_states_of_one_moment_the_newer_version_says_the_attributes(world: World) -> None:
    def statements(number: int) -> list[bytes]:
        return [row(f"e-{number}-{v}", str(v * 10), order=f"SO-{number}", source_version=v) for v in (1, 2, 3)]

    for number in range(in_every_order(world, statements)):
        assert amount(world, f"SO-{number}") == "30"
    later = row("e-1", "20", order="SO-9", hours=1, source_version=1)
    say(world, row("e-9", "10", order="SO-9", source_version=9), later)
    assert amount(world, "SO-9") == "20", "what happened later counts before any version"


def test_a_fact_knows_its_message_and_mapping_also_after_it_moved(world: World) -> None:
    say(world, row("e-1", "10", raw_id="r-1", mapping="shop.order@1:abc", on_types=["shipment"], on_ids=["S-1"]))
    link = {
        "child_types": ["shipment"],
        "child_ids": ["S-1"],
        "parent_types": ["order"],
        "parent_ids": ["SO-1"],
        "relations": ["ships"],
        "retracts": [0],
    }
    say(world, row("e-2", "20", on_types=["shipment"], on_ids=["S-1"], milestone="shipment_confirmed", **link))
    assert world.rows("SELECT raw_id, mapping FROM case_facts FINAL WHERE event_id = 'e-1' AND order_no != 0") == [
        ("r-1", "shop.order@1:abc")
    ]
