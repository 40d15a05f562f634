"""at_risk by odds: the instant at which they are reached, and what is said where too few cases are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rules.odds import Curve, Curves, segment_of
from rules.parse import parse_book
from tests.engine.oracle import Said
from tests.engine.test_engine import World as Running
from tests.engine.world import line
from tests.stores import Shelf
from tower.engine import predictions, workspace
from tower.engine.books import compiled_for, record_book
from tower.engine.curves import build, read_curves
from tower.engine.cycle import run_cycle
from tower.engine.replay import judged
from tower.engine.why import explain
from tower.model.connections import Connections
from tower.store.client import Store

T0 = datetime(2026, 3, 2, 8, tzinfo=UTC)  # a Monday; the office opens at 8 UTC
BOOK = parse_book(
    {
        "book.yaml": """
process: {start: [taken], done: [paid]}
milestones: {taken: {object: order, authority: erp}, sent: {object: order, authority: wms}, paid: {object: order, authority: erp}}
calendars: {office: {zone: UTC, open: {mon-fri: ["08:00-16:00"]}}}
stages: [{id: send, from: taken, to: sent, within: 100m, calendar: office, at_risk: {odds: 50%}}]
"""
    }
)
COMPILED = compiled_for(BOOK, None)


class World:
    """A store that ticks when told to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.writer("engine") as client:
            record_book(client, COMPILED, T0)
            workspace.prepare(client, COMPILED)
            workspace.set_curves(client, COMPILED, T0)

    def say(self, said: list[tuple[str, str, datetime]], now: datetime, *, curves: bool = False) -> None:
        """Store what was told of orders (order, milestone, when), and tick; curves: bind new ones first."""
        rows = [
            Said(f"{o}/{m}", at, "erp" if m != "sent" else "wms", m, "reached", (("order", o),)) for o, m, at in said
        ]
        with self.store.writer("engine") as client:
            if rows:
                client.raw_insert("events", insert_block=b"\n".join(line(s, now) for s in rows), fmt="JSONEachRow")
            if curves:
                workspace.set_curves(client, COMPILED, now)
            run_cycle(client, COMPILED, Connections(), now, "test", everything=False, fresh_curves=curves)

    def history(self, minutes: list[int], cancelled: int = 0) -> None:
        """Let orders take so many minutes each, all in the morning of the first day."""
        said = [(f"H{i}", "taken", T0) for i in range(len(minutes) + cancelled)]
        said += [(f"H{i}", "sent", T0 + timedelta(minutes=m)) for i, m in enumerate(minutes)]
        said += [(f"H{i}", "paid", T0 + timedelta(minutes=1)) for i in range(len(minutes), len(minutes) + cancelled)]
        self.say(said, T0 + timedelta(days=1))
        with self.store.writer("jeopardy") as client:
            build(client, BOOK, T0 + timedelta(days=1))
        self.say([], T0 + timedelta(days=1), curves=True)

    def clock(self, order: str) -> tuple[object, ...]:
        """Return state, at_risk_at and next_at of an order with one clock."""
        with self.store.reader() as client:
            sql = "SELECT state, clocks.at_risk_at[1], next_at FROM orders FINAL WHERE order_id = {o:String}"
            (row,) = client.query(sql, parameters={"o": order}).result_rows
            return tuple(row)


# 40 clocks: ten stop after 10, 20, 40 and 80 minutes each.
MINUTES = [10] * 10 + [20] * 10 + [40] * 10 + [80] * 10
NEXT = T0 + timedelta(days=1)
AT = NEXT + timedelta(minutes=40)  # 20 of 50 run longer, and 10 of those beyond 100 minutes
HALF_DAY = T0 + timedelta(hours=12)


class Day(World):
    """A day by curves of 50 clocks that stopped and 30 cancelled ones; what was seen on the way is kept.

    EARLY was taken before there were curves, N, A, B and C when the office opens, EVENING ten minutes before it closes.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.say([("EARLY", "taken", T0 + timedelta(hours=8))], HALF_DAY)
        self.early = self.clock("EARLY")
        self.history([*MINUTES, *[200] * 10], cancelled=30)
        self.say([(n, "taken", NEXT) for n in ("N", "A", "B", "C")], NEXT)
        self.first = self.clock("N")
        self.kept = {15: self.keep(15), 20: self.keep(20)}
        self.say([], AT - timedelta(milliseconds=1))
        self.before = self.clock("N")
        self.say([], AT)
        self.reached = self.clock("N")
        ended = [("A", "sent", NEXT + timedelta(minutes=42)), ("B", "paid", NEXT + timedelta(minutes=43))]
        self.say(ended, NEXT + timedelta(minutes=45))
        self.kept[45] = self.keep(45)
        self.say([], NEXT + timedelta(minutes=101))
        self.kept[101] = self.keep(101)
        self.say([("EVENING", "taken", NEXT + timedelta(hours=7, minutes=50))], NEXT + timedelta(hours=8))

    def keep(self, minutes: int) -> list[tuple[object, ...]]:
        """Settle and record predictions at so many minutes of the day, and return those of A, B and C."""
        now = NEXT + timedelta(minutes=minutes)
        with self.store.writer("jeopardy") as client:
            predictions.settle(client, now)
            predictions.record(client, BOOK, now)
            sql = """
                SELECT order_id, quarter, round(odds, 3), outcome
                FROM (SELECT * FROM predictions FINAL) AS p
                INNER JOIN (SELECT DISTINCT order_no, order_id FROM order_objects) AS o ON o.order_no = p.order_no
                WHERE order_id IN ('A', 'B', 'C') ORDER BY ALL"""
            return [tuple(r) for r in client.query(sql).result_rows]

    def back(self, then: datetime, order: str) -> list[tuple[object, ...]]:
        """Return state, at_risk_at and next_at of an order by a look back."""
        with judged(self.store, lambda _: BOOK, Connections(), as_of=then, known_at=then) as client:
            sql = "SELECT state, clocks.at_risk_at[1], next_at FROM judged_orders WHERE order_id = {o:String}"
            return [tuple(r) for r in client.query(sql, parameters={"o": order}).result_rows]


@pytest.fixture(scope="module")
def day(shelf: Shelf) -> Iterator[Day]:
    with shelf.lend() as store:
        yield Day(store)


def test_a_clock_is_at_risk_from_the_instant_its_odds_are_reached(day: Day) -> None:
    """A fifth of all clocks outlasts the budget; of those that ran for 40 minutes more than a half does.

    The thirty that were cancelled after a minute neither breach nor keep: the curve of the others stays as it is.
    """
    assert day.first == ("on_track", AT, AT)
    assert day.before[0] == "on_track"
    assert day.reached[0] == "at_risk"
    assert day.back(AT, "N") == [day.reached]


def test_the_instant_lies_in_open_time(day: Day) -> None:
    assert day.clock("EVENING")[1] == NEXT + timedelta(days=1, minutes=30)


def test_too_few_cases_fall_back_to_three_quarters_of_the_time(store: Store) -> None:
    world = World(store)
    with store.reader() as client:
        assert read_curves(client, T0) == Curves(None, {}), "nothing known gives no curves"
    world.history(MINUTES[:20])
    world.say([("N", "taken", NEXT)], NEXT)
    assert world.clock("N")[1] == NEXT + timedelta(minutes=75)


def test_new_curves_move_the_clocks_that_run_and_no_look_back(day: Day) -> None:
    """Without curves 75 % counts; once they are bound the open clock is judged anew, and the past stays as it was."""
    assert day.clock("EARLY")[1] != day.early[1]
    assert day.back(HALF_DAY, "EARLY") == [day.early]


def test_why_shows_the_curves_that_odds_are_read_off(day: Day) -> None:
    told = explain(day.store, BOOK, Connections(), "N", "send", NEXT, NEXT)
    whole, curve = told["curves"]  # of the stage, and of the segment of orders that say nothing of themselves
    assert (whole["segment"], curve["segment"]) == ("", segment_of(["", "", ""]))
    # The thirty that were cancelled and EARLY, which still ran, were watched for a while and did not end.
    assert (curve["rule"], curve["cases"], curve["ended"]) == ("send", 81, 50)
    points = [(p["open_ms"] // 60_000, round(p["outlasts"], 3), p["watched"]) for p in curve["points"]]
    assert points == [(10, 0.8, 50), (20, 0.6, 40), (40, 0.4, 30), (80, 0.2, 20), (200, 0.0, 10)]
    then = NEXT - timedelta(days=1)
    assert explain(day.store, BOOK, Connections(), "EARLY", "send", then, then)["curves"] == []


def test_predictions_are_kept_once_a_quarter_and_settled_when_the_clock_ends(day: Day) -> None:
    first = [(n, 0, 0.25, "") for n in "ABC"]  # 10 of the 40 that ran longer than 10 minutes
    assert day.kept[15] == day.kept[20] == first
    assert day.kept[45] == [("A", 0, 0.25, "kept"), ("B", 0, 0.25, "gone"), ("C", 0, 0.25, ""), ("C", 1, 0.5, "")]
    assert day.kept[101][-2:] == [("C", 0, 0.25, "breached"), ("C", 1, 0.5, "breached")]


def test_a_curve_reads_as_the_definition_says() -> None:
    curve = Curve("send", "", T0, 50, 50, 200, (10, 20, 40, 80, 200), (0.8, 0.6, 0.4, 0.2, 0.0), (50, 40, 30, 20, 10))
    assert [curve.outlasts(ms) for ms in (0, 9, 10, 39, 40, 300)] == [1.0, 1.0, 0.8, 0.6, 0.4, 0.0]
    assert curve.odds(0, 100) == pytest.approx(0.2)
    assert curve.odds(40, 100) == pytest.approx(0.5)
    assert curve.odds(101, 100) == 1.0
    assert curve.odds(200, 300) is None  # no clock was seen to run so long
    assert curve.moves_within(100, 99) == pytest.approx(0.0)
    assert curve.moves_within(100, 100) == pytest.approx(1.0)
    assert (curve.median_from(0), curve.median_from(40), curve.median_from(250)) == (40, 80, None)
    thin = Curve("send", "", T0, 20, 20, 20, (10, 20), (0.5, 0.0), (20, 10))
    assert (thin.odds(0, 15), thin.moves_within(0, 15), thin.median_from(0)) == (None, None, None)
    own = segment_of(["P1", "standard", ""])
    curves = Curves(T0, {("send", ""): curve, ("send", own): thin})
    assert curves.choose("send", own) is curves.choose("send", "") is curve
    assert curves.choose("other", "") is None


def test_the_engine_binds_what_its_keeper_has_fitted(make_store: Callable[[], Store], tmp_path: Path) -> None:
    """The keeper works beside the ticks: a later tick judges by its curves."""
    (tmp_path / "other").mkdir()
    running = Running(make_store(), tmp_path / "other")
    (running.folder / "book.yaml").write_text(BOOK.text["book.yaml"] + "\n")
    said = []
    for i, minutes in enumerate([*MINUTES, *[200] * 10]):
        said.append(Said(f"t{i}", T0, "erp", "taken", "reached", (("order", f"H{i}"),)))
        said.append(Said(f"s{i}", T0 + timedelta(minutes=minutes), "wms", "sent", "reached", (("order", f"H{i}"),)))
    said.append(Said("n", NEXT, "erp", "taken", "reached", (("order", "N"),)))
    running.clock.now = NEXT
    running.say(*said)
    assert running.rows("SELECT clocks.at_risk_at[1] FROM orders FINAL WHERE order_id = 'N'") == [
        (NEXT + timedelta(minutes=75),)
    ]
    running.engine.stop()  # waits for the keeper
    running.engine.tick(NEXT + timedelta(seconds=1))
    running.engine.tick(NEXT + timedelta(seconds=2))
    assert running.rows("SELECT clocks.at_risk_at[1] FROM orders FINAL WHERE order_id = 'N'") == [
        (NEXT + timedelta(minutes=40),)
    ]
