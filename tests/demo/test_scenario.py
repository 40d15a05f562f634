"""The simulated world: seeded, repairable, and made of every kind of trouble the tower is there for."""

from __future__ import annotations

import copy
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from tower.demo.catalog import SOURCES
from tower.demo.middleware import Retries
from tower.demo.plan import plan_case
from tower.demo.scenario import Message, World

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def run(seed: int, history_s: int) -> tuple[World, list[Message]]:
    """Let a world run for a while and return it with everything it said."""
    made = World(seed, START)
    made.open(START - timedelta(seconds=history_s))
    said = made.advance(START)
    made.attempts()
    return made, said


_run_once = cache(run)


def world() -> tuple[World, list[Message]]:
    """Return a world of one's own that has run for four minutes, with everything it said."""
    made, said = _run_once(7, 240)
    return copy.deepcopy(made), list(said)


def stuck_order(made: World, answer: str) -> str:
    """Return an order that stands still and whose retry meets this answer."""
    for order, keys in made._unwell.items():
        fault = made._standing[keys[0]].fault
        if len(keys) == 1 and fault is not None and fault.answer == answer:
            return order
    pytest.fail(f"no order meets {answer}")


def test_the_same_seed_says_the_same() -> None:
    said = run(3, 90)[1]
    assert said == run(3, 90)[1]
    assert said != run(4, 90)[1]


def test_time_may_be_cut_into_any_pieces() -> None:
    whole = World(5, START)
    whole.open(START - timedelta(seconds=60))
    pieces = World(5, START)
    pieces.open(START - timedelta(seconds=60))
    said: list[Message] = []
    for second in range(-60, 61):
        said += pieces.advance(START + timedelta(seconds=second))
    assert said == whole.advance(START + timedelta(seconds=60))


def test_messages_leave_in_order_and_never_before_they_happened() -> None:
    _, said = world()
    assert [m.at for m in said] == sorted(m.at for m in said)
    for message in said:
        assert datetime.fromisoformat(message.event["time"]) <= message.at + timedelta(milliseconds=1)


def test_every_kind_of_trouble_occurs() -> None:
    made, said = world()
    identities = Counter((m.event["source"], m.event["id"]) for m in said if m.event["type"] != "o2c.heartbeat")
    types = Counter(m.event["type"] for m in said)
    assert max(identities.values()) == 2, "duplicates are sent under one identity"
    assert any(name.endswith(".failed") for name in types)
    assert types["o2c.order_cancelled"] > 0
    late = [m for m in said if m.at - datetime.fromisoformat(m.event["time"]) > timedelta(seconds=2)]
    assert late, "some reports come after others that happened later"
    kinds = {step.fault.kind for step in made._standing.values() if step.fault}
    assert kinds == {"fails", "drops", "lost"}


def test_shipments_are_partial_invoices_joint_and_payments_shared() -> None:
    _, said = world()
    data = [(m.event["type"], m.event["data"]) for m in said]
    shipments = defaultdict(set)
    for kind, named in data:
        if kind == "o2c.shipment_confirmed":
            shipments[named["fulfillment_id"].rsplit("-", 1)[0]].add(named["shipment_id"])
    assert any(len(s) == 2 for s in shipments.values())
    assert any(isinstance(n.get("shipment_id"), list) for k, n in data if k == "o2c.invoice_released")
    assert any(isinstance(n.get("invoice_id"), list) for k, n in data if k == "o2c.payment_applied")
    assert {n["currency"] for k, n in data if k == "o2c.order_captured"} == {"EUR", "USD", "GBP"}


def test_most_orders_flow_and_the_number_of_open_ones_is_bounded() -> None:
    made, _ = world()
    sizes = []
    for minute in range(1, 4):
        made.advance(START + timedelta(minutes=minute))
        sizes.append(made.running)
        assert 0.02 < len(made._unwell) / made.running < 0.25
    assert max(sizes) < 400


def test_each_connection_keeps_beating_but_the_silent_one_and_the_bank() -> None:
    made, _ = world()
    said = made.advance(START + timedelta(seconds=35))
    beats = Counter(m.connection for m in said if m.event["type"] == "o2c.heartbeat")
    assert set(SOURCES) - set(beats) == {"wms-hamburg", "bank"}
    later = made.advance(START + timedelta(seconds=80))
    assert any(m.connection == "wms-hamburg" for m in later), "it speaks again, and tells what it held back"


def test_the_bank_speaks_in_files() -> None:
    made, said = world()
    said += made.advance(START + timedelta(seconds=120))
    moments = {m.at for m in said if m.connection == "bank"}
    assert all((m - START).total_seconds() % 30 == 0 for m in moments)


def test_a_retry_repairs_through_the_right_system() -> None:
    made, _ = world()
    order = stuck_order(made, "repairs")
    step = made._standing[made._unwell[order][0]]
    assert made.retry(order, START).status == 200
    said = made.advance(START + timedelta(seconds=60))
    wanted = (step.connection, f"o2c.{step.milestone}")
    assert any((m.connection, m.event["type"]) == wanted and m.event["id"] == step.key for m in said)
    assert made.retry(order, START + timedelta(seconds=60)).result == "nothing_to_do"


def test_a_retry_may_be_refused_or_do_nothing() -> None:
    made, _ = world()
    refused = stuck_order(made, "refuses")
    answer = made.retry(refused, START)
    assert (answer.status, answer.result) == (422, "refused")
    assert "fix the data" in answer.detail
    ignored = stuck_order(made, "ignores")
    assert made.retry(ignored, START).status == 202
    assert ignored in made._unwell


def test_one_key_has_one_effect_and_one_answer() -> None:
    made, _ = world()
    order = stuck_order(made, "repairs")
    key = made._unwell[order][0]
    retries = Retries(made)
    first = retries.ask(order, "k1", START)
    again = retries.ask(order, "k1", START + timedelta(seconds=5))
    other = retries.ask(order, "k2", START)
    assert first == again
    assert other.status == 200
    said = made.advance(START + timedelta(seconds=30))
    copies = made_copies(said, key)
    assert 1 <= copies <= 2, "once, or twice where the systems themselves repeat it"


def made_copies(said: list[Message], key: str) -> int:
    """Return how often the authority's report of a step was sent."""
    return sum(1 for m in said if m.event["id"] == key and m.connection not in ("crm", "shop", "billing"))


def test_steps_come_after_those_they_wait_for() -> None:
    for number in range(300):
        case = plan_case(random.Random(number), number, START)
        seen: set[str] = set()
        for step in case.steps.values():
            assert set(step.after) <= seen, step.key
            seen.add(step.key)
