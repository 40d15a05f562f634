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
def make_world(make_store: Callable[[], Store], tmp_path: Path) -> Callable[[], World]:
    numbers = itertools.count()

    def make() -> World:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return World(make_store(), folder)

    return make


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


def test_the_higher_rank_supersedes_in_any_order_and_is_no_conflict(make_world: Callable[[], World]) -> None:
    statements = [row("e-1", "10"), row("e-1", "20", rank=1), row("e-1", "30", rank=2)]
    for order in itertools.permutations(statements):
        world = make_world()
        say(world, *order, order[0])
        assert amount(world) == "30"
        assert world.rows("SELECT count() FROM quarantine") == [(0,)]
        assert world.rows("SELECT count(), min(superseded) FROM conflicts FINAL") == [(2, 1)]


def test_equal_ranks_are_a_conflict_that_is_told_once(make_world: Callable[[], World]) -> None:
    found = set()
    for order in itertools.permutations([row("e-1", "10", rank=1), row("e-1", "20", rank=1)]):
        world = make_world()
        say(world, *order)
        found.add(amount(world))
        assert world.rows("SELECT reason FROM quarantine FINAL") == [("conflict",)]
    assert len(found) == 1


def test_what_is_withdrawn_counts_no_more_and_can_be_said_again(make_world: Callable[[], World]) -> None:
    world = make_world()
    say(world, row("e-1", "10"), row("e-2", "20", hours=1))
    withdrawal = row("e-2", "0", hours=1, rank=1, polarity="withdrawn", on_types=[], on_ids=[])
    say(world, withdrawal)
    assert amount(world) == "10"
    assert world.rows("SELECT count() FROM quarantine") == [(0,)]
    say(world, row("e-2", "20", hours=1, rank=2))
    assert amount(world) == "20"


def test_of_two_states_of_one_moment_the_newer_version_says_the_attributes(make_world: Callable[[], World]) -> None:
    states = [row(f"e-{v}", str(v * 10), source_version=v) for v in (1, 2, 3)]
    for order in itertools.permutations(states):
        world = make_world()
        say(world, *order)
        assert amount(world) == "30"
    world = make_world()
    say(world, row("e-9", "10", source_version=9), row("e-1", "20", hours=1, source_version=1))
    assert amount(world) == "20", "what happened later counts before any version"


def test_a_fact_knows_its_message_and_mapping_also_after_it_moved(make_world: Callable[[], World]) -> None:
    world = make_world()
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
