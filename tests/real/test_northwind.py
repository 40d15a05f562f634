"""830 orders of a trading company: the tower answers as a plain recomputation does, to the second and the cent."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from tests.real.conftest import Answers
from tests.real.logs import FULL
from tests.real.recompute import Northwind, instant

MIDDLE = "2018-01-29T00:00:00Z"
# Each look back judges all orders.
MOMENTS = ("2017-01-12T00:00:00Z", MIDDLE, "2018-05-05T23:59:59Z") if FULL else (MIDDLE,)
pytestmark = pytest.mark.timeout(300)


def test_every_event_is_accepted_once(northwind: Answers, northwind_files: Northwind) -> None:
    expected = len(northwind_files.orders) + int(northwind_files.orders.ShippedDate.notna().sum())
    assert northwind.sent == expected
    assert sum(reply["accepted"] for reply in northwind.replies) == expected


def test_all_orders_are_there_with_their_amounts(northwind: Answers, northwind_files: Northwind) -> None:
    board = northwind.orders()
    amounts = {row["order_id"]: Decimal(row["amount"]) for row in board["orders"]}
    assert board["total"] == len(northwind_files.orders) == 830
    assert amounts == northwind_files.orders.amount.to_dict()
    assert northwind.ids(state="open") == northwind_files.never_shipped


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_board_as_of_a_moment(northwind: Answers, northwind_files: Northwind, moment: str) -> None:
    at = pd.Timestamp(moment)
    board = northwind.orders(as_of=moment)
    assert board["total"] == len(board["orders"])
    states = {row["order_id"]: row["state"] for row in board["orders"]}
    assert set(states) == set(northwind_files.placed(at).index)
    assert {o for o, state in states.items() if state != "done"} == set(northwind_files.open(at).index)
    assert {o for o, state in states.items() if state == "late"} == set(northwind_files.late(at).index)
    assert {o for o, state in states.items() if state == "at_risk"} == set(northwind_files.at_risk(at).index)


def test_the_late_orders_of_a_stage_and_their_value(northwind: Answers, northwind_files: Northwind) -> None:
    overdue = northwind_files.overdue(pd.Timestamp(MIDDLE))
    late = northwind.orders(as_of=MIDDLE, state="late", stage="ship-by-required")
    assert len(overdue) > 0
    assert {row["order_id"] for row in late["orders"]} == set(overdue.index)
    assert Decimal(late["value_total"] or 0) == sum(overdue.amount, Decimal(0))


def test_the_day_of_the_promise_is_not_late_and_the_next_second_is(
    northwind: Answers, northwind_files: Northwind
) -> None:
    """At the promised instant itself nothing is late yet; one second later it is, unless it was shipped."""
    required = northwind_files.orders.RequiredDate[northwind_files.orders.index.isin(northwind_files.never_shipped)]
    day, order = required.min(), required.idxmin()
    at, after = day.isoformat(), (day + pd.Timedelta(seconds=1)).isoformat()
    assert order not in northwind.ids(as_of=at, stage="ship-by-required", state="late")
    assert order in northwind.ids(as_of=after, stage="ship-by-required", state="late")


def test_late_orders_are_open_or_resolved_breaches(northwind: Answers, northwind_files: Northwind) -> None:
    found = northwind.breaches(rule="ship-by-required", kind="late")
    assert {b["order_id"] for b in found if b["state"] == "resolved"} == northwind_files.shipped_late
    assert {b["order_id"] for b in found if b["state"] == "open"} == northwind_files.never_shipped
    assert len(found) == len(northwind_files.shipped_late) + len(northwind_files.never_shipped)
    orders = northwind_files.orders
    assert {b["order_id"]: pd.Timestamp(b["opened_at"]) for b in found} == {
        b["order_id"]: orders.RequiredDate[b["order_id"]] for b in found
    }
    assert {b["order_id"]: pd.Timestamp(b["resolved_at"]) for b in found if b["resolved_at"]} == {
        order: orders.ShippedDate[order] for order in northwind_files.shipped_late
    }


def test_median_and_p95_of_the_time_to_ship(northwind: Answers, northwind_files: Northwind) -> None:
    clocks = northwind.clocks[
        (northwind.clocks.rule == "ship-by-required") & (northwind.clocks.clock_state == "stopped")
    ]
    used = clocks.set_index("order_id").used_s.astype("int64")
    assert used.to_dict() == northwind_files.shipping_s.to_dict()
    assert used.median() == northwind_files.shipping_s.median() == 604800.0
    assert used.quantile(0.95) == northwind_files.shipping_s.quantile(0.95) == 2160000.0


def test_each_order_has_its_own_lines_and_shipment(northwind: Answers, northwind_files: Northwind) -> None:
    orders = northwind_files.orders
    sample = [*orders.index[::400], *sorted(northwind_files.never_shipped)[:1], orders.lines.map(len).idxmax()]
    for name, page in northwind.pages(sample).items():
        objects = {(o["object_type"], o["object_id"]) for o in page["objects"]}
        lines = {("order_line", f"{name}/{product}") for product in orders.lines[name]}
        shipped = set() if name in northwind_files.never_shipped else {("shipment", f"{name}-1")}
        assert objects == {("order", name)} | lines | shipped


def test_nothing_is_there_before_the_first_order(northwind: Answers, northwind_files: Northwind) -> None:
    first = northwind_files.orders.OrderDate.min()
    assert first == instant("2016-07-04")
    assert northwind.ids(as_of="2016-07-03T23:59:59.999Z") == set()
    assert northwind.ids(as_of="2016-07-04T00:00:00Z") == set(northwind_files.placed(first).index)
