"""429 orders, 1751 items and 252 packages, many to many: states, clocks and links as plain pandas has them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.real.conftest import Answers
from tests.real.logs import FULL
from tests.real.recompute import OrderLog

END = "2019-08-01T00:00:00Z"
MIDDLE = "2019-07-10T00:00:00Z"
# Each look back judges all orders.
MOMENTS = ("2019-06-10T12:00:00Z", MIDDLE, END) if FULL else (MIDDLE,)
STAGES = ("confirm", "pick", "restock", "pack-and-send", "send-all", "deliver", "pay")
LATE_STAGES = ("pick", "deliver") if FULL else ("deliver",)
NEVER = pd.Timestamp("2200-01-01", tz="UTC")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def ended(order_log_files: OrderLog) -> pd.DataFrame:
    """Return the clocks of all orders as of the end of the log."""
    return order_log_files.clocks(pd.Timestamp(END))


def objects_of(page: dict[str, Any], kind: str) -> set[str]:
    """Return the ids of the objects of a type on an order's page."""
    return {o["object_id"] for o in page["objects"] if o["object_type"] == kind}


def test_every_event_is_accepted_once(order_log: Answers, order_log_files: OrderLog) -> None:
    assert order_log.sent == len(order_log_files.events) == 4397
    assert sum(reply["accepted"] for reply in order_log.replies) == 4397


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_state_of_every_order_as_of_a_moment(order_log: Answers, order_log_files: OrderLog, moment: str) -> None:
    expected = order_log_files.states(pd.Timestamp(moment))
    rows = order_log.orders(as_of=moment)
    assert {row["order_id"]: row["state"] for row in rows["orders"]} == expected
    assert rows["total"] == len(expected)


def test_open_orders_are_those_that_are_not_done(order_log: Answers, order_log_files: OrderLog) -> None:
    expected = order_log_files.states(pd.Timestamp(MIDDLE))
    still_open = {order for order, state in expected.items() if state != "done"}
    assert order_log.ids(as_of=MIDDLE, state="open") == still_open


@pytest.mark.parametrize("stage", LATE_STAGES)
def test_late_orders_of_a_stage(order_log: Answers, order_log_files: OrderLog, ended: pd.DataFrame, stage: str) -> None:
    at = pd.Timestamp(END)
    running = ended[(ended.stage == stage) & ended.stop.isna()]
    late = set(running.order[running.start + running.limit < at]) - order_log_files.done(at)
    found = order_log.ids(as_of=END, stage=stage, state="late")
    # A delivery that failed is failing, which is worse than late.
    failing = order_log_files.failing(at) if stage == "deliver" else set()
    assert found - failing == late - failing


def test_every_clock_runs_in_its_own_order_only(order_log: Answers, ended: pd.DataFrame) -> None:
    """The clocks of all orders and objects are those of the log, none more: no order has one of another's items."""
    stopped = ended.stop.clip(lower=ended.start)
    wanted = set(zip(ended.order, ended.stage, ended.object, ended.start, stopped.fillna(NEVER), strict=True))
    found = order_log.clocks
    ends = found.stopped_at.where(found.clock_state == "stopped")
    assert len(found) == len(ended) > 5000
    assert (
        set(zip(found.order_id, found.rule, found.object_id, found.started_at, ends.fillna(NEVER), strict=True))
        == wanted
    )


@pytest.mark.parametrize("stage", STAGES)
def test_median_and_p95_of_a_stage(order_log: Answers, ended: pd.DataFrame, stage: str) -> None:
    """Every stopped clock in every order has the elapsed seconds of the log, and so have their median and p95."""
    expected = ended[(ended.stage == stage) & ended.stop.notna()].set_index(["order", "object"])
    elapsed = (expected.stop - expected.start).dt.total_seconds().clip(lower=0).astype("int64")
    found = order_log.clocks[(order_log.clocks.rule == stage) & (order_log.clocks.clock_state == "stopped")]
    used = found.set_index(["order_id", "object_id"]).used_s.astype("int64")
    assert used.to_dict() == elapsed.to_dict()
    assert used.median() == elapsed.median()
    assert used.quantile(0.95) == elapsed.quantile(0.95)


def test_an_order_in_several_packages(order_log: Answers, order_log_files: OrderLog) -> None:
    widest = order_log_files.order_packages.map(len).idxmax()
    packages = order_log_files.order_packages[widest]
    assert len(packages) == 5
    page = order_log.pages([widest])[widest]
    assert objects_of(page, "shipment") == packages
    sent = {m["object_id"] for m in page["milestones"] if m["milestone"] == "shipment_confirmed"}
    assert sent == packages & set(order_log_files.first("send package", "packages", pd.Timestamp(END)).index)


def test_a_package_for_several_orders(order_log: Answers, order_log_files: OrderLog) -> None:
    """Each order sees the package and its milestones through its own items, down and up again."""
    fullest = order_log_files.package_orders.map(len).idxmax()
    orders = order_log_files.package_orders[fullest]
    assert len(orders) == 8
    held = set(order_log_files.item_package.index[order_log_files.item_package == fullest])
    for name, page in order_log.pages(sorted(orders)[:2]).items():
        own = set(order_log_files.item_order.index[order_log_files.item_order == name])
        up = {li["parent_id"] for li in page["links"] if li["child_type"] == "shipment" and li["child_id"] == fullest}
        assert up & own == held & own != set()
        down = {li["child_id"] for li in page["links"] if li["parent_type"] == "order" and li["parent_id"] == name}
        assert down == own
        assert fullest in {m["object_id"] for m in page["milestones"] if m["milestone"] == "packed"}


def test_orders_that_share_packages_are_never_merged(order_log: Answers, order_log_files: OrderLog) -> None:
    """An order has exactly its own items and their packages, and no event of another order's items."""
    neighbours = order_log_files.package_orders[order_log_files.package_orders.map(len).idxmax()]
    for name, page in order_log.pages(sorted(neighbours)[:2]).items():
        own = set(order_log_files.item_order.index[order_log_files.item_order == name])
        assert objects_of(page, "order") == {name}
        assert objects_of(page, "order_line") == own
        assert objects_of(page, "shipment") == order_log_files.order_packages.get(name, set())
        assert {e["object_id"] for e in page["events"] if e["object_type"] == "order_line"} <= own


def test_years_later_the_same_orders_are_done(order_log: Answers, order_log_files: OrderLog) -> None:
    """The stored board, judged now, closes exactly the orders that were done when the log ends."""
    assert order_log.ids(state="done") == order_log_files.done(pd.Timestamp(END))
