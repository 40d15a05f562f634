"""A verdict that changes after the fact is told beside what was said before, with what changed it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from rules.parse import parse_book
from tests.backtest.test_door import Door
from tests.engine.oracle import Said
from tests.engine.test_engine import BOOK_TEXT, World
from tests.engine.world import NOW, line
from tower.store.client import Store

HOUR = timedelta(hours=1)


def said(key: str, at: datetime, kind: str, milestone: str, *on: tuple[str, str], links: bool = False) -> Said:
    told = ((on[0], on[1], False),) if links else ()
    return Said(key, at, kind, milestone, "reached", on[:1], told, {}, "", ())


def test_what_was_said_before_stands_beside_what_is_said_now(make_store: Callable[[], Store], tmp_path: Path) -> None:
    world = World(make_store(), tmp_path)

    def tell(*events: Said) -> None:
        with world.store.writer() as client:
            rows = b"\n".join(line(s, world.clock.now) for s in events)
            client.raw_insert("events", insert_block=rows, fmt="JSONEachRow")
        world.engine.tick(world.clock.now)

    began = NOW - 3 * HOUR
    tell(
        said("a1", began, "commerce", "order_captured", ("order", "A")),
        said("b1", began, "commerce", "order_captured", ("order", "B")),
        said("c1", began, "commerce", "order_captured", ("order", "C")),
    )
    world.clock.now = NOW + HOUR
    tell(
        said("a2", began + HOUR / 2, "erp", "order_accepted", ("order", "A")),
        said("b2", began + 2 * HOUR, "erp", "order_accepted", ("order", "B")),
    )
    world.clock.now = NOW + 2 * HOUR
    longer = BOOK_TEXT.replace("within: 1h,", "within: 90m,")
    assert longer != BOOK_TEXT
    (tmp_path / "book.yaml").write_text(longer)
    world.engine.tick(world.clock.now)

    door = Door(world.store, tmp_path, lambda: parse_book({"book.yaml": longer}))
    asked = {"since": "2026-03-30T00:00:00Z", "until": "2026-03-31T00:00:00Z", "rule": "accept"}
    found = door.call("GET", "/v1/restated", "viewer", params=asked).json()["restated"]
    told = {(r["order_id"], r["change"]): r for r in found}
    assert sorted(told) == [
        ("A", "found_late"), ("A", "retracted"), ("B", "ended_earlier"), ("B", "found_late"), ("B", "moved"),
        ("C", "found_late"), ("C", "moved"),
    ]  # fmt: skip
    taken_back = told["A", "retracted"]
    assert (taken_back["said"]["state"], taken_back["says"]["state"]) == ("open", "retracted")
    assert (taken_back["reason"], taken_back["cause"]["event_id"]) == ("late_event", "a2")
    assert (told["B", "ended_earlier"]["reason"], told["B", "ended_earlier"]["cause"]["milestone"]) == (
        "late_event", "order_accepted",
    )  # fmt: skip
    moved = told["C", "moved"]
    assert (moved["reason"], moved["said"]["opened_at"][11:16], moved["says"]["opened_at"][11:16]) == (
        "new_book", "10:00", "10:30",
    )  # fmt: skip
    first = door.call("GET", "/v1/restated", "viewer", params={**asked, "limit": 3}).json()
    assert first["restated"] == found[:3] and first["next_cursor"]
    late = door.call("GET", "/v1/restated", "viewer", params={**asked, "min_s": 86_400}).json()["restated"]
    assert {r["change"] for r in late} == {"retracted", "moved"}
