"""Breaker, rate, budgets and probes on a real store and a real target; a restart forgets none of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rules.model import Breaker, Limit
from tests.actions.desk import Desk
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.world import T0, clock_row


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """Six stuck orders; a target that is left alone after two failures for 60 s."""
    desk = make_desk(attempts=3, first_s=1)
    desk.world.orders([(f"SO-{n}", [clock_row(object_id=f"S{n}")], {}) for n in range(2, 7)])
    aim(desk, breaker=Breaker(failures=2, open_s=60))
    return desk


def aim(desk: Desk, **target: Any) -> None:
    """Change the target in the book."""
    desk.book = replace(desk.book, targets={"middleware": replace(desk.book.targets["middleware"], **target)})


def turn(desk: Desk, times: int = 1) -> None:
    """Step and write down what was answered, once a second."""
    for _ in range(times):
        desk.step()
        desk.collect()
        desk.world.wait(1)


def test_a_target_that_fails_is_left_alone_over_restarts_and_nothing_is_lost_by_waiting(
    desk: Desk, target: TargetStub
) -> None:
    target.plan = [Reply(503)]
    desk.click("SO-1", key="k1")
    turn(desk, 2)
    assert len(target.heard) == 2  # two failures in a row, and it is open
    desk.restart()
    desk.click("SO-2", "SO-3", key="k2")
    turn(desk)
    assert len(target.heard) == 2
    assert desk.runner._gates.state("middleware").state == "open"
    assert [i.attempts for i in desk.items()] == [2, 0, 0]  # waiting costs no attempt
    target.plan = [Reply(200)]
    desk.world.wait(60)
    desk.step()
    assert len(target.heard) == 3  # one call tries, and its answer is never read
    desk.restart()
    desk.step()
    assert len(target.heard) == 4  # one trial, not three
    assert desk.runner._gates.state("middleware").state == "half_open"
    desk.collect()
    turn(desk)
    assert desk.states() == ["accepted"] * 3
    assert desk.runner._gates.state("middleware").state == "closed"


def test_what_finds_no_connection_leaves_the_breaker_closed(make_desk: Callable[..., Desk], target: TargetStub) -> None:
    desk = make_desk(attempts=3, backoff="immediate")
    aim(desk, breaker=Breaker(failures=1))
    target.close()
    desk.click("SO-1")
    turn(desk, 3)
    known = desk.runner._gates.state("middleware")
    assert (known.state, known.failures) == ("closed", 0)
    assert known.unreached_since is not None
    assert desk.states() == ["expired"]


def test_a_target_gets_no_more_calls_than_it_takes(desk: Desk, target: TargetStub) -> None:
    """Two in ten seconds, four in an hour, five in a day."""
    aim(desk, rate=Limit(2, 10), budget=(Limit(4, 3600), Limit(5, 86400)))
    desk.click(*(f"SO-{n}" for n in range(1, 7)))
    turn(desk)
    assert len(target.heard) == 2
    desk.restart()  # what was used is not forgotten
    for wait_s, calls in ((0, 2), (10, 4), (10, 4), (3600, 5)):
        desk.world.wait(wait_s)
        turn(desk)
        assert len(target.heard) == calls


def test_a_probe_tries_the_target_in_the_place_of_an_order(desk: Desk, target: TargetStub) -> None:
    aim(desk, probe="/healthz")
    target.plan = [Reply(500)]
    desk.click("SO-1", "SO-2", key="k1")
    turn(desk, 2)
    target.plan = [Reply(500), Reply(200)]
    desk.world.wait(60)
    turn(desk, 2)
    assert sorted(h.path for h in target.heard) == ["/healthz", "/retry/SO-1", "/retry/SO-2"]
    desk.world.wait(120)
    turn(desk, 3)
    assert target.heard[3].path == "/healthz"
    assert sorted(h.path for h in target.heard[4:]) == ["/retry/SO-1", "/retry/SO-2"]
    assert ("engine", "probe") in desk.acts()


def test_a_person_s_probe_is_audited_and_made_once(desk: Desk, target: TargetStub) -> None:
    with desk.world.store.writer() as client:
        client.insert(
            "target_probes", [["middleware", desk.world.now, "ana"]], column_names=["target", "asked_at", "asked_by"]
        )
    turn(desk, 3)
    assert [(h.method, h.path) for h in target.heard] == [("HEAD", "/")]
    assert desk.acts() == [("ana", "probe")]
    assert desk.runner._gates.state("middleware").well_at == T0
