"""Retries of the engine's own: where the book allows them, with an audit, few at a time, and never over a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rules.compile.retry import own_retries_sql
from rules.model import Condition, ErrorClass, Policy, PolicyCase, When
from tests.actions.desk import Desk
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import T0, World, clock_row, make_book
from tests.stores import Shelf
from tower.actions.own import AT_ONCE

ERRORS = (ErrorClass("transport", ("timeout",), (503,)), ErrorClass("data", ("TAX code",)))
SAME_DAY = When(((Condition("order_type", "in", ("same_day",)),),))


def automatic(desk: Desk, *cases: PolicyCase, **policy: Any) -> None:
    """Make the retry of the book automatic."""
    base = Policy(**{"attempts": 3, "backoff": "fixed", "first_s": 30, "automatic": True, **policy})
    action = replace(desk.book.actions[0], policy=replace(base, cases=cases))
    desk.book = replace(desk.book, actions=(action,), errors=ERRORS)


def fill(desk: Desk, count: int, **columns: Any) -> None:
    desk.world.orders(
        [(f"SO-X{n}", [clock_row(object_id=f"X{n}", error="gateway Timeout")], dict(columns)) for n in range(count)]
    )


def turn(desk: Desk, times: int = 1, wait_s: float = 5) -> None:
    for _ in range(times):
        desk.step()
        desk.collect()
        desk.world.wait(wait_s)


CASES: list[tuple[str, tuple[PolicyCase, ...], dict[str, Any], int]] = [
    ("not automatic", (), {"automatic": False}, 0),
    ("a class that is", (PolicyCase(When(), ("data",), Policy(3, automatic=True)),), {"automatic": False}, 1),
    ("a class that is not", (PolicyCase(When(), ("data",), Policy(3)),), {}, 0),
    ("another class", (PolicyCase(When(), ("transport",), Policy(3)),), {}, 1),
    ("never", (PolicyCase(When(), ("data",), Policy(0)),), {}, 0),
    ("other orders", (PolicyCase(SAME_DAY, (), Policy(3)),), {}, 1),
    ("too old", (), {"give_up_s": 3599}, 0),
    ("not too old", (), {"give_up_s": 3700}, 1),
]


@pytest.fixture(scope="module")
def stuck(shelf: Shelf) -> Iterator[Desk]:
    """An order that is stuck for an hour because of its tax code, and an engine that only looks what it would do."""
    with shelf.lend() as store:
        world = World(store)
        world.order("SO-1", clock_row(error="tax code missing"))
        desk = Desk(world, make_book())
        yield desk
        desk.runner.close()


@pytest.mark.parametrize(("cases", "policy", "due"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_policy_for_the_order_and_its_error_decides(
    stuck: Desk, cases: Any, policy: dict[str, Any], due: int
) -> None:
    automatic(stuck, *cases, **policy)
    policies = own_retries_sql(stuck.book)
    assert len(stuck.runner._own._due(stuck.book, policies, T0) if policies else ()) == due


def test_the_engine_asks_by_itself_again_after_no_effect_and_its_wait_and_never_after_a_refusal(
    make_desk: Callable[..., Desk], target: TargetStub
) -> None:
    desk = make_desk()
    automatic(desk, attempts=2)
    turn(desk)
    assert desk.acts() == [("engine", "retry"), ("engine", "accepted")]
    item = desk.items()[0]
    assert (item.requested_by, item.state, len(target.heard)) == ("engine", "accepted", 1)
    verify_by = item.verify_by
    assert verify_by is not None
    desk.world.now = verify_by + timedelta(seconds=1)
    desk.step()
    assert desk.states() == ["no_effect"]
    desk.world.wait(29)
    desk.step()
    assert len(target.heard) == 1
    target.plan = [Reply(422, "tax code")]
    desk.world.wait(2)
    turn(desk, 2)
    assert len(target.heard) == 2
    assert desk.states() == ["no_effect", "failed"]
    desk.world.wait(4000)
    turn(desk)
    assert len(target.heard) == 2


def test_its_own_retries_are_few_and_go_behind_a_person_s(make_desk: Callable[..., Desk], target: TargetStub) -> None:
    desk = make_desk()
    automatic(desk)
    fill(desk, AT_ONCE + 5)
    desk.click("SO-X1", key="k1")
    desk.runner.step(desk.book, frozenset({"erp"}), T0, {}, behind=True)
    assert [i.requested_by for i in desk.items()] == ["ana"]  # the tower itself is slow
    desk.step()
    mine = [i for i in desk.items() if i.requested_by == "engine"]
    assert len(mine) <= AT_ONCE
    turn(desk, 2)
    assert len(target.heard) == AT_ONCE + 6  # each stuck object once
    assert len({h.path for h in target.heard}) == AT_ONCE + 6


def test_a_hundred_waiting_items_of_people_leave_the_engine_little_room(
    make_desk: Callable[..., Desk], target: TargetStub
) -> None:
    desk = make_desk()
    automatic(desk)
    fill(desk, 45)
    target.plan = [Reply(503)]
    desk.click(*(f"SO-X{n}" for n in range(40)), key="k1")
    desk.runner._own.step(desk.book, T0, desk.runner._live(T0), behind=False)
    assert sum(i.requested_by == "engine" for i in desk.items()) == AT_ONCE // 3
