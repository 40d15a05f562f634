"""Odds and scores over HTTP: what a row says, what it rests on, and how the order by score pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rules.model import Rate, Score, Value
from rules.score import score_terms, total
from tests.actions.world import T0, clock_row
from tests.api.conftest import Api, make_api
from tests.stores import Shelf
from tower.api.order_query import read_cursor, write_cursor
from tower.engine.books import record_calendars
from tower.engine.curves import build
from tower.store.keys import Keys

# 60 invoices: a third takes half an hour, a third an hour and a half, a third three hours of the two it may take.
TOOK_S = [1800] * 20 + [5400] * 20 + [10800] * 20
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def board(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Return the application on a store with a past, curves fitted to it, and some open orders."""
    with shelf.lend() as store:
        api = make_api(store, tmp_path_factory.mktemp("api"))
        book = api.book[0]
        api.book[0] = replace(
            book,
            score=Score(tiers={"gold": 12.0}),
            value=Value("EUR", (Rate("USD", Decimal("0.9"), "2026-01-01"),), cost_of_capital=Decimal("0.08")),
        )
        early = T0 - timedelta(days=7) - timedelta(hours=2)  # another Monday, 08:00
        done = [
            (
                f"H{i}",
                [
                    clock_row(
                        object_id=f"H{i}",
                        state="stopped",
                        verdict="",
                        started_at=early,
                        stopped_at=early + timedelta(seconds=s),
                        used_s=s,
                    )
                ],
                {"state": "done", "closed_at": early + DAY},
            )
            for i, s in enumerate(TOOK_S)
        ]
        friday = T0 - datetime(2026, 11, 20, 15, 50, tzinfo=UTC)  # ten minutes before the office closed
        began = {"N": timedelta(minutes=45), "L": friday, "M": timedelta(0), "R": timedelta(minutes=45)}
        opened = [
            (
                name,
                [clock_row(object_id=f"S-{name}", verdict="late" if name == "L" else "on_track", started_at=T0 - ago)],
                more,
            )
            for (name, ago), more in zip(
                began.items(),
                (
                    {"customer_tier": "gold", "amount": Decimal("5000")},
                    {},
                    {"amount": Decimal("90000"), "currency": "USD", "reporting_amount": Decimal("81000")},
                    {"promised_at": T0 + DAY},
                ),
                strict=True,
            )
        ]
        api.world.orders(done)
        with store.writer("jeopardy") as client:
            record_calendars(client, api.book[0])
            build(client, api.book[0], T0)
        api.world.orders(opened)
        yield api


@pytest.fixture(scope="module")
def rows(board: Api) -> dict[str, dict[str, Any]]:
    """The open orders on the board, by id."""
    return {o["order_id"]: o for o in board.get("/v1/orders?state=open").json()["orders"]}


@pytest.fixture(scope="module")
def order_n(board: Api) -> dict[str, Any]:
    """The page of the order N."""
    return dict(board.get("/v1/orders/N").json())


def test_a_row_says_its_odds_and_when_half_of_its_like_are_through(rows: dict[str, dict[str, Any]]) -> None:
    """After 45 minutes 40 of 60 still ran and 20 of them beyond two hours; half of the 40 are through after 90."""
    row = rows["N"]
    assert row["odds"] == 0.5
    assert row["predicted_at"] == "2026-11-23T10:45:00.000Z"
    assert row["self_heal_odds"] is None
    late = rows["L"]
    assert (late["odds"], late["predicted_at"]) == (1.0, "2026-11-23T10:50:00.000Z")
    assert late["self_heal_odds"] == 0.0  # none stops within the minute that the retry would be given


def test_an_order_says_what_its_odds_rest_on(board: Api, order_n: dict[str, Any]) -> None:
    (clock,) = order_n["clocks"]
    assert clock["odds_from"] == {
        "rule": "ship-to-invoice", "segment": "P2 / standard / HH2", "cases": 60, "ended": 60, "thin": False,
        "built_at": "2026-11-23T10:00:00.000Z", "outlasts_used": pytest.approx(2 / 3, abs=1e-5),
        "outlasts_budget": pytest.approx(1 / 3, abs=1e-5), "seen_at_used": 40,
    }  # fmt: skip
    assert clock["at_risk_by"] is None
    (late,) = board.get("/v1/orders/L").json()["clocks"]
    assert late["self_heal_by"] == "2026-11-23T10:01:00.000Z"
    assert late["self_heal_from"]["cases"] == 60


def test_before_the_curves_were_there_nothing_was_known(board: Api) -> None:
    page = board.get("/v1/orders?as_of=2026-11-23T09:00:00Z").json()
    assert all(o["odds"] is None for o in page["orders"])


def test_a_score_is_the_sum_of_its_terms(board: Api, order_n: dict[str, Any]) -> None:
    order = order_n
    assert order["score"] == pytest.approx(sum(order["score_terms"].values()), abs=1e-3)
    assert order["score_terms"]["tier"] == 12.0
    assert order["score_terms"]["odds"] == 15.0
    assert board.get("/v1/orders/R").json()["score_terms"]["promise"] == pytest.approx(20 * 6 / 7, abs=1e-3)
    assert board.get("/v1/orders/H1").json()["score"] is None


def test_the_order_by_score_pages_as_of_its_first_page(board: Api, rows: dict[str, dict[str, Any]]) -> None:
    wanted = sorted(rows, key=lambda name: -rows[name]["score"])
    first = board.get("/v1/orders?state=open&sort=-score&limit=2").json()
    assert [o["order_id"] for o in first["orders"]] == wanted[:2]
    board.world.wait(3600)
    rest = board.get(f"/v1/orders?state=open&sort=-score&limit=2&cursor={first['next_cursor']}").json()
    board.world.wait(-3600)
    assert [o["order_id"] for o in rest["orders"]] == wanted[2:]
    assert rest["next_cursor"] is None
    rising = board.get("/v1/orders?state=open&sort=score").json()["orders"]
    assert [o["order_id"] for o in rising] == wanted[::-1]


def test_the_sql_of_the_score_is_the_python_of_it(board: Api, rows: dict[str, dict[str, Any]]) -> None:
    """Every point of every row, through the keys that the cursors of one-row pages hold."""
    cursor = ""
    for _ in range(len(rows) - 1):
        page = board.get(f"/v1/orders?state=open&sort=-score&limit=1{cursor}").json()
        (row,) = page["orders"]
        _, value, _ = read_cursor(page["next_cursor"])
        assert int(value.partition("@")[0]) == pytest.approx(row["score"] * 10_000, abs=1.5)
        cursor = f"&cursor={page['next_cursor']}"


def test_a_cursor_of_a_score_that_is_none_is_refused(board: Api) -> None:
    for value in ("12", "12@yesterday", "x@2026-11-23T10:00:00Z"):
        reply = board.get(f"/v1/orders?sort=-score&cursor={write_cursor('-score', value, 'N')}")
        assert (reply.status_code, reply.json()["code"]) == (400, "bad_cursor")


def test_an_amount_that_was_converted_says_since_when_its_rate_holds(rows: dict[str, dict[str, Any]]) -> None:
    assert {name: row["rate_date"] for name, row in rows.items()} == {
        "N": None,
        "L": None,
        "M": "2026-01-01",
        "R": None,
    }


def test_jeopardy_shows_curves_and_how_predictions_came_out(board: Api) -> None:
    rows = [["ship-to-invoice", n, n, 0, T0 - DAY, T0 - DAY, "", 900_000, 7_200_000, odds, outcome, T0 if outcome else None, int(bool(outcome))]
            for n, (odds, outcome) in enumerate([(0.25, "kept")] * 30 + [(0.25, "breached")] * 10 + [(0.9, "breached")] * 5 + [(0.9, "gone"), (0.1, "")])]  # fmt: skip
    with board.world.store.writer() as client:
        client.insert(
            "predictions",
            rows,
            column_names=[
                "rule",
                "order_no",
                "object",
                "quarter",
                "made_at",
                "curve_at",
                "segment",
                "used_ms",
                "budget_ms",
                "odds",
                "outcome",
                "settled_at",
                "revision",
            ],
        )
    body = board.get("/v1/jeopardy").json()
    whole = next(c for c in body["curves"] if c["segment"] == "" and c["rule"] == "ship-to-invoice")
    assert (whole["cases"], whole["ended"], whole["median_s"], whole["budget_s"]) == (60, 60, 5400, 7200)
    assert whole["points"][0] == [0, 1.0] and whole["points"][-1][0] == 10800
    everything, stage = body["calibration"]
    assert (everything["rule"], stage["rule"]) == (None, "ship-to-invoice")
    assert (stage["settled"], stage["breached"], stage["waiting"], stage["gone"]) == (45, 15, 1, 1)
    assert stage["bins"] == [
        {"from": 0.2, "to": 0.3, "predictions": 40, "predicted": 0.25, "breached": 0.25},
        {"from": 0.9, "to": 1.0, "predictions": 5, "predicted": 0.9, "breached": 1.0},
    ]
    assert stage["brier"] == pytest.approx((30 * 0.0625 + 10 * 0.5625 + 5 * 0.01) / 45, abs=1e-4)
    assert stage["brier_mean"] == pytest.approx(15 * 30 / 45 / 45, abs=1e-4)
    assert stage["brier_share"] == pytest.approx(15 / 45, abs=1e-4)
    assert stage["worst_gap"] == 0.0


def test_ageing_lets_no_small_order_starve() -> None:
    score = Score()

    def points(amount: float, since: datetime) -> float:
        return total(
            score_terms(score, Value(), amount=amount, tier="", since=since, promised_at=None, odds=1.0, now=T0)
        )

    assert points(50, T0 - timedelta(hours=1)) < points(500_000, T0 - timedelta(hours=1))
    assert points(50, T0 - timedelta(days=30)) > points(10**9, T0 - timedelta(hours=1))


def test_a_scope_reads_odds_but_not_how_many_orders_they_rest_on(board: Api, order_n: dict[str, Any]) -> None:
    keys = Keys(board.world.store)
    board.tokens["place"] = keys.add("place", ["viewer"], [], ["warehouse=HH2"])
    (whole,), (part,) = order_n["clocks"], board.get("/v1/orders/N", "place").json()["clocks"]
    assert whole["odds_from"]["cases"] and part["odds"] == whole["odds"]
    assert (part["odds_from"], part["self_heal_from"]) == (None, None)
