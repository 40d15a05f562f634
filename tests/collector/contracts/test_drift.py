"""What messages look like that they did not before is told once, counted, and remembered across a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.contracts.drift import LEARN_MESSAGES, Drift
from collector.contracts.shape import shape_of
from collector.raw.message import RawMessage
from collector.stats import Totals
from tests.collector.desk import NOW, Desk
from tests.collector.ingest.systems import SECRET, SECRETS, proof, system
from tower.model.connections import Connections
from tower.store.client import Store

ORDER = {"id": 1, "status": "paid", "total": "1.00", "lines": [{"sku": "A-1", "qty": 2}], "note": None}


def message(number: int = 0, minutes: int = 0) -> RawMessage:
    return RawMessage(
        f"r-{number}", "shop", NOW + timedelta(minutes=minutes), "POST", {}, {}, 1, "", "", "orders", "key", ""
    )


class World:
    """A drift watch whose clock stands still unless moved."""

    def __init__(self, store: Store) -> None:
        self.store, self.now, self.number = store, 0.0, 0
        self.totals = Totals()
        self.drift = self.fresh()

    def fresh(self) -> Drift:
        drift = Drift(self.store, self.totals, lambda: self.now)
        drift.load()
        return drift

    def look(self, *, times: int = 1, minutes: int = 0, **changes: Any) -> None:
        for _ in range(times):
            self.number += 1
            self.drift.look(message(self.number, minutes), "orders", {**ORDER, **changes})

    def told(self) -> list[tuple[Any, ...]]:
        self.drift.stop()
        with self.store.reader() as client:
            return [
                tuple(row)
                for row in client.query(
                    "SELECT kind, path, value, was, messages, raw_id FROM shapes FINAL WHERE drifted ORDER BY kind, path, value"
                ).result_rows
            ]


@pytest.fixture
def world(store: Store) -> World:
    made = World(store)
    made.look(times=LEARN_MESSAGES)
    return made


def test_nothing_is_told_while_a_shape_is_learned(store: Store) -> None:
    world = World(store)
    for number in range(LEARN_MESSAGES):
        world.look(**{f"field_{number}": number})
    assert world.told() == []


def test_a_new_field_is_told_once_and_counted(world: World) -> None:
    world.look(gift={"card": "x y", "from": {"a": 1}})
    world.look(gift={"card": "x y"})
    assert world.told() == [("field", "$.gift", "object", "", 2, f"r-{LEARN_MESSAGES + 1}")]
    assert world.totals.of("shop").drift == 1


def test_another_type_is_told_with_the_one_before(world: World) -> None:
    world.look(total=1.5)
    assert [t[:4] for t in world.told()] == [("field", "$.total", "number", "text")]


def test_null_is_no_type(world: World) -> None:
    world.look(total=None, lines=None)
    assert world.told() == []


def test_an_unknown_code_is_told_where_codes_were_learned(world: World) -> None:
    world.look(status="partially_paid")
    world.look(id=2)
    assert [t[:3] for t in world.told()] == [("code", "$.status", "partially_paid")]


def test_a_field_with_many_values_has_no_codes(store: Store) -> None:
    world = World(store)
    for number in range(LEARN_MESSAGES):
        world.look(ref=f"R{number}")
    world.look(ref="R999")
    assert world.told() == []


def test_no_persons_name_is_taken_for_a_code(world: World) -> None:
    for name in ("city", "first_name", "email", "lastName"):
        assert not [path for path, _ in shape_of({name: "BERLIN"}).codes], name


def test_what_was_learned_and_told_is_known_after_a_restart(world: World) -> None:
    world.look(gift=1)
    world.drift.stop()
    world.drift, world.totals.connections = world.fresh(), {}
    world.drift = world.fresh()
    world.look(gift=1, status="partially_paid")
    assert [t[1] for t in world.told()] == ["$.status", "$.gift"]
    assert world.told()[1][4] == 2


def test_what_is_accepted_is_told_no_more(world: World) -> None:
    world.look(gift=1, status="partially_paid")
    assert world.drift.accept("shop") == 2
    world.look(gift=1, status="partially_paid")
    assert world.told() == []
    assert world.totals.of("shop").drift == 0
    assert world.drift.accept("shop") == 0
    world.drift = world.fresh()
    world.look(gift=1)
    assert world.told() == []


def test_learning_ends_after_some_days_too(store: Store) -> None:
    world = World(store)
    world.look(times=3)
    world.look(minutes=3 * 24 * 60 + 1, gift=1)
    assert [t[1] for t in world.told()] == ["$.gift"]


def test_after_learning_a_sample_is_looked_at(world: World) -> None:
    assert not world.drift.due("shop", "orders")
    world.now += 0.21
    assert world.drift.due("shop", "orders")
    assert world.drift.due("shop", "other"), "what is not known yet is always looked at"


def test_ids_as_keys_and_large_documents_stay_small() -> None:
    assert shape_of({f"k{n:06}": {"a": 1} for n in range(5000)}).fields == {
        ("$", "object"),
        ("$.*", "object"),
        ("$.*.a", "number"),
    }
    deep: Any = 1
    for _ in range(500):
        deep = {"a": deep}
    assert len(shape_of(deep).fields) < 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_document_has_a_shape_and_the_same_one_twice(document: Any) -> None:
    assert shape_of(document) == shape_of(json.loads(json.dumps(document)))


def test_messages_through_the_door_are_watched(make_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    connections = Connections((system("shop", proof("bearer"), mapping="shopify"),), configured=True)
    door = make_desk(connections=connections, secrets=SECRETS)
    headers = {"Authorization": f"Bearer {SECRET}", "X-Shopify-Topic": "orders/create"}
    for number in range(LEARN_MESSAGES + 1):
        body = {
            "id": number + 1,
            "created_at": "2026-03-01T10:00:00Z",
            "total_price": "1.00",
            "currency": "EUR",
            "weight": 1.5,
        }
        if number == LEARN_MESSAGES:
            body |= {"brand_new": True}
            monkeypatch.setattr(door.collector.drift, "_clock", lambda: float("inf"))
        last = door.ingest("shop", json.dumps(body).encode(), headers, wait=number >= LEARN_MESSAGES - 1)
    door.collector.drift.stop()
    assert door.rows("topic, path, value, raw_id", "shapes FINAL", "drifted") == [
        ("orders/create", "$.brand_new", "flag", last.json()["raw_id"])
    ]
