"""The board: filters, sorts, pages, ages, retries, ETags, Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.actions.world import T0, clock_row
from tests.api.conftest import Api, make_api
from tests.stores import Shelf

ARROW = "application/vnd.apache.arrow.stream"
KEYS = [
    "order_id", "state", "stage", "since", "due_at", "age_s", "overdue_s", "priority", "amount", "currency",
    "value_at_risk", "customer_id", "customer_tier", "system", "error", "last_milestone", "last_at",
    "next_milestone", "retries", "retryable", "version", "object_type", "object_id", "budget_s", "used_s",
    "reporting_amount", "closed_at", "order_type", "warehouse", "company", "partner", "channel",
    "odds", "predicted_at", "self_heal_odds", "score", "rate_date",
    "held_by", "assignee", "escalated_by", "closed_by",
]  # fmt: skip


def ids(response: Any) -> list[str]:
    """Return the order ids of an answer in their order."""
    assert response.status_code == 200, response.text
    return [o["order_id"] for o in response.json()["orders"]]


def late() -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    return "SO-late", [clock_row()], {"amount": Decimal("500"), "priority": "P1"}


def test_an_empty_board_is_an_empty_arrow_table(api: Api) -> None:
    reply = api.get("/v1/orders", headers={"Accept": ARROW})
    assert pa.ipc.open_stream(reply.content).read_all().num_rows == 0
    assert api.get("/v1/orders").json()["value_total"] == "0.00"


def test_the_etag_ignores_time_and_sees_change_at_once(api: Api) -> None:
    api.world.orders([late()])
    first = api.get("/v1/orders?state=stuck")
    api.world.wait(600)
    second = api.get("/v1/orders?state=stuck", headers={"If-None-Match": first.headers["etag"]})
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    api.world.order("SO-late", clock_row(verdict="failing"), version="v2", amount=Decimal("500"))
    third = api.get("/v1/orders?state=stuck", headers={"If-None-Match": first.headers["etag"]})
    assert third.status_code == 200
    assert third.headers["etag"] != first.headers["etag"]
    api.world.order("SO-new", clock_row(object_id="S9"))
    assert set(ids(api.get("/v1/orders?state=stuck"))) == {"SO-late", "SO-new"}


@pytest.fixture(scope="module")
def board(one_api: Api) -> Api:
    """Five orders that all tests look at: late, failing on another stage, at risk, on track, done; and an orphan."""
    failing = clock_row(
        "capture-to-ship", "order", "SO-fail", "failing", system="wms", error="Label printer offline", calendar=""
    )
    done = clock_row(verdict="", state="stopped", used_s=60, object_id="S5")
    one_api.world.orders(
        [
            late(),
            ("SO-fail", [failing, clock_row(verdict="at_risk", object_id="S2")],
             {"amount": Decimal("900.25"), "customer_id": "C-9"}),
            ("SO-risk", [clock_row(verdict="at_risk", object_id="S3", due_at=T0 + timedelta(hours=1))], {"partner": "DHL"}),
            ("SO-fine", [clock_row(verdict="on_track", object_id="S4", due_at=T0 + timedelta(hours=9))], {}),
            ("SO-done", [done], {"state": "done", "closed_at": T0, "stage": ""}),
            ("SO-orphan", [], {"on_board": 0}),
        ]
    )  # fmt: skip
    return one_api


@pytest.fixture(scope="module")
def odd(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Of customer C-1 nine orders that are alike but for their names, and four of which little is known.

    Of C-paused one whose clock rests, of C-rate one in a currency without a rate and one in euro.
    """
    with shelf.lend() as store:
        api = make_api(store, tmp_path_factory.mktemp("odd"))
        alike = [(f"SO-{n:02}", [clock_row(object_id=f"S{n}")], {}) for n in range(9)]
        bare = [(f"SN-{n:02}", [], {"value_at_risk": None, "priority": "", "state": "on_track"}) for n in range(4)]
        rests = clock_row(state="paused", verdict="on_track", pauses=[(T0 - timedelta(hours=1), None)])
        no_rate = {"value_at_risk": None, "reporting_amount": None, "currency": "XXX", "customer_id": "C-rate"}
        a_cent = {"value_at_risk": Decimal("0.01"), "customer_id": "C-rate"}
        api.world.orders(
            [
                *alike, *bare, ("SO-rests", [rests], {"customer_id": "C-paused"}),
                ("SO-x", [clock_row(object_id="X")], no_rate), ("SO-y", [clock_row(object_id="Y")], a_cent),
            ]
        )  # fmt: skip
        yield api


def test_a_row_has_exactly_the_documented_keys(board: Api) -> None:
    reply = board.get("/v1/orders?state=late").json()
    assert list(reply) == ["orders", "total", "value_total", "as_of", "next_cursor"]
    assert list(reply["orders"][0]) == KEYS


def test_a_row_says_how_old_how_late_and_how_much_open_time_is_used(board: Api) -> None:
    row = board.get("/v1/orders?state=late").json()["orders"][0]
    assert row["since"] == "2026-11-23T07:00:00.000Z"
    assert (row["age_s"], row["overdue_s"]) == (3 * 3600, 3600)
    assert (row["used_s"], row["budget_s"]) == (2 * 3600, 7200)  # the office opens at eight
    assert (row["amount"], row["value_at_risk"], row["currency"]) == ("500.00", "500.00", "EUR")
    assert (row["closed_at"], row["retries"], row["retryable"]) == (None, 0, True)


def test_pauses_do_not_use_time_and_a_clock_at_rest_is_not_overdue(odd: Api) -> None:
    row = odd.get("/v1/orders?customer_id=C-paused").json()["orders"][0]
    assert (row["used_s"], row["overdue_s"]) == (3600, 0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"SO-late", "SO-fail", "SO-risk", "SO-fine", "SO-done"}),
        ("state=stuck", {"SO-late", "SO-fail"}),
        ("state=open", {"SO-late", "SO-fail", "SO-risk", "SO-fine"}),
        ("state=closed", {"SO-done"}),
        ("state=late,at_risk", {"SO-late", "SO-risk"}),
        ("stage=ship-to-invoice", {"SO-late", "SO-fail", "SO-risk", "SO-fine"}),
        ("stage=ship-to-invoice&state=at_risk", {"SO-fail", "SO-risk"}),
        ("stage=ship-to-invoice&state=failing", set()),
        ("stage=ship-to-invoice&state=done", {"SO-done"}),
        ("system=wms", {"SO-fail"}),
        ("priority=P1", {"SO-late"}),
        ("customer_id=C-9", {"SO-fail"}),
        ("partner=DHL", {"SO-risk"}),
        ("min_value=500", {"SO-late", "SO-fail"}),
        ("q=so-LATE", {"SO-late"}),
        ("q=printer", {"SO-fail"}),
        ("q=c-9", {"SO-fail"}),
        ("q=%25", set()),
        ("q='; DROP TABLE orders --", set()),
    ],
)
def test_each_filter_selects(board: Api, query: str, expected: set[str]) -> None:
    reply = board.get(f"/v1/orders?{query}")
    assert set(ids(reply)) == expected
    assert reply.json()["total"] == len(expected)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-value_at_risk", ["SO-fail", "SO-late", "SO-risk", "SO-fine"]),
        ("due_at", ["SO-fail", "SO-late", "SO-risk", "SO-fine"]),
        ("-overdue", ["SO-fail", "SO-late", "SO-risk", "SO-fine"]),
        ("state", ["SO-fail", "SO-late", "SO-risk", "SO-fine"]),
        ("-state", ["SO-fine", "SO-risk", "SO-late", "SO-fail"]),
        ("priority", ["SO-late", "SO-fail", "SO-fine", "SO-risk"]),
        ("-order_id", ["SO-risk", "SO-late", "SO-fine", "SO-fail"]),
    ],
)
def test_each_sort_orders_with_ties_by_order_id(board: Api, sort: str, expected: list[str]) -> None:
    assert ids(board.get(f"/v1/orders?state=open&sort={sort}")) == expected


def test_the_default_sort_is_the_value_at_risk_falling_and_its_sum_is_given(board: Api) -> None:
    reply = board.get("/v1/orders?state=stuck")
    assert ids(reply) == ["SO-fail", "SO-late"]
    assert reply.json()["value_total"] == "1400.25"


@pytest.mark.parametrize("sort", ["-value_at_risk", "value_at_risk", "-age", "due_at", "priority", "state", "overdue"])
def test_pages_join_without_gap_or_double_when_every_key_ties(odd: Api, sort: str) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(13):
        reply = odd.get(f"/v1/orders?customer_id=C-1&sort={sort}&limit=5" + (f"&cursor={cursor}" if cursor else ""))
        seen += ids(reply)
        cursor = reply.json()["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 13
    assert seen == ids(odd.get(f"/v1/orders?customer_id=C-1&sort={sort}&limit=5000"))


@pytest.mark.parametrize("cursor", ["x", "bm8", "WyJhIl0", "WyItdmFsdWVfYXRfcmlzayIsIm5hbiIsIngiXQ", "ä"])
def test_a_cursor_that_is_not_ours_is_refused(board: Api, cursor: str) -> None:
    reply = board.get("/v1/orders", params={"cursor": cursor})
    assert (reply.status_code, reply.json()["code"]) == (400, "bad_cursor")


def test_a_cursor_of_another_sort_is_refused(board: Api) -> None:
    cursor = board.get("/v1/orders?limit=1&sort=due_at").json()["next_cursor"]
    assert board.get(f"/v1/orders?limit=1&sort=state&cursor={cursor}").json()["code"] == "bad_cursor"


def test_unknown_parameters_are_named(board: Api) -> None:
    reply = board.get("/v1/orders?colour=red&state=late")
    assert (reply.status_code, reply.json()["code"]) == (400, "unknown_parameter")
    assert "colour" in reply.json()["detail"]
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query", ["state=lost", "sort=colour", "limit=0", "limit=5001", "limit=x", "min_value=nan", "min_value=1e40",
              "as_of=now",
              "as_of=2026-11-23T10:00:00", "as_of=0001-01-01T00:00:00Z", "q=%00"],
)  # fmt: skip
def test_values_that_mean_nothing_are_refused(board: Api, query: str) -> None:
    reply = board.get(f"/v1/orders?{query}")
    assert (reply.status_code, reply.json()["status"]) == (400, 400)
    assert reply.json()["errors"][0]["name"] == query.split("=")[0]


def test_arrow_says_the_same_as_json(board: Api) -> None:
    rows = board.get("/v1/orders?limit=4").json()
    reply = board.get("/v1/orders?limit=4", headers={"Accept": ARROW})
    assert reply.headers["content-type"] == ARROW
    table = pa.ipc.open_stream(reply.content).read_all()
    assert table.column_names == KEYS
    assert table.schema.field("amount").type == pa.decimal128(38, 6)
    assert table.schema.field("due_at").type == pa.timestamp("ms", tz="UTC")
    for got, want in zip(table.to_pylist(), rows["orders"], strict=True):
        for name, value in want.items():
            told = got[name]
            if isinstance(told, Decimal):
                assert told == Decimal(value)
            elif hasattr(told, "isoformat"):
                assert told.isoformat(timespec="milliseconds").replace("+00:00", "Z") == value
            else:
                assert told == value
    metadata = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
    assert metadata == {k: str(rows[k]) for k in ("total", "value_total", "as_of", "next_cursor")}


def test_twenty_viewers_cause_one_query(board: Api) -> None:
    before = board.app.state.board.computed
    replies = board.at_once(20, "GET", "/v1/orders?state=stuck", "viewer")
    assert {r.status_code for r in replies} == {200}
    assert board.app.state.board.computed - before == 1


def test_an_amount_without_rate_has_no_value_and_sorts_last(odd: Api) -> None:
    for sort in ("-value_at_risk", "value_at_risk"):
        reply = odd.get(f"/v1/orders?customer_id=C-rate&sort={sort}")
        assert ids(reply) == ["SO-y", "SO-x"]
    assert reply.json()["orders"][1]["value_at_risk"] is None
