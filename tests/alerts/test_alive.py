"""A dead tower is heard: pings while it ticks, and a watchdog that needs neither engine nor store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.actions.target_stub import TargetStub
from tests.actions.world import T0
from tests.alerts.tower import SECRET, Tower
from tower.alerts.alive import Watchdog
from tower.model.secret import Secrets


def test_a_receiver_is_pinged_at_its_interval(tower: Tower, target: TargetStub) -> None:
    ops = replace(tower.book.receivers["ops"], ping_s=60)
    tower.book = replace(tower.book, hash="pinged", receivers={"ops": ops})
    for _ in range(7):
        tower.step(20)
    tower.until(lambda: len(target.heard) == 3)
    assert [h.body["type"] for h in target.heard] == ["tower.alive"] * 3
    assert len({h.headers["webhook-id"] for h in target.heard}) == 3


def test_the_watchdog_tells_once_that_the_engine_stands_still_and_once_that_it_ticks(
    tower: Tower, target: TargetStub
) -> None:
    well = True
    dog = Watchdog(
        Secrets({"TOWER_SECRET_HOOK": SECRET}), lambda: (tower.book.routes, tower.book.receivers),
        lambda _: (well, "ticking" if well else "no tick for 9 s"), lambda: T0,
    )  # fmt: skip
    said = []
    for second, state in enumerate([True, False, False, True, True]):
        well = state
        said.append(dog.check(T0 + timedelta(seconds=second)))
    dog.stop()
    assert said == ["", "tower.stands_still", "", "tower.ticks_again", ""]
    assert [h.body["type"] for h in target.heard] == ["tower.stands_still", "tower.ticks_again"]
    assert "no tick for 9 s" in target.heard[0].body["data"]["title"]
    assert [e.act for e in dog.told()] == ["notice", "notice"] and dog.told() == []
