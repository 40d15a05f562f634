"""The same questions answered from the files alone, in plain pandas: no product code, no converter, no rulebook.

Every number here is worked out again from what the two data sets say, so that an answer of the tower that agrees was
reached twice by ways that share nothing but the question.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import pandas as pd

DAY = pd.Timedelta(days=1)


def instant(text: str) -> pd.Timestamp:
    """Return an aware moment."""
    return pd.Timestamp(text, tz="UTC")


@dataclass(frozen=True)
class Northwind:
    """Orders with a promised day. A row is an order; missing days are NaT."""

    folder: Path

    @cached_property
    def orders(self) -> pd.DataFrame:
        """All orders by id, with their amount as an exact Decimal."""
        orders = pd.read_csv(self.folder / "orders.csv", dtype=str).set_index("OrderID")
        for name in ("OrderDate", "RequiredDate", "ShippedDate"):
            orders[name] = pd.to_datetime(orders[name], utc=True)
        details = pd.read_csv(self.folder / "order_details.csv", dtype=str)
        details["amount"] = [
            Decimal(price) * Decimal(count) * (Decimal(1) - Decimal(off))
            for price, count, off in zip(details.UnitPrice, details.Quantity, details.Discount, strict=True)
        ]
        orders["amount"] = details.groupby("OrderID").amount.agg(lambda part: sum(part, Decimal(0)))
        orders["lines"] = details.groupby("OrderID").ProductID.agg(set)
        return orders

    def placed(self, at: pd.Timestamp) -> pd.DataFrame:
        """Orders that had been placed."""
        return self.orders[at >= self.orders.OrderDate]

    def open(self, at: pd.Timestamp) -> pd.DataFrame:
        """Orders that had been placed and not shipped."""
        placed = self.placed(at)
        return placed[~(placed.ShippedDate <= at)]

    def late(self, at: pd.Timestamp) -> pd.DataFrame:
        """Open orders whose promised day had passed, or, for the larger ones, fourteen days since they were placed."""
        waiting = self.open(at)
        slow = (waiting.OrderDate + 14 * DAY < at) & (waiting.amount >= 1000)
        return waiting[(waiting.RequiredDate < at) | slow]

    def overdue(self, at: pd.Timestamp) -> pd.DataFrame:
        """Open orders whose promised day had passed."""
        waiting = self.open(at)
        return waiting[waiting.RequiredDate < at]

    def at_risk(self, at: pd.Timestamp) -> pd.DataFrame:
        """Open orders that are not late and, being large, have used half of their fourteen days."""
        waiting = self.open(at).drop(self.late(at).index)
        return waiting[(waiting.OrderDate + 7 * DAY <= at) & (waiting.amount >= 1000)]

    @cached_property
    def shipped_late(self) -> set[str]:
        """Orders that were shipped after the promised day."""
        return set(self.orders.index[self.orders.ShippedDate > self.orders.RequiredDate])

    @cached_property
    def never_shipped(self) -> set[str]:
        """Orders without a shipping day."""
        return set(self.orders.index[self.orders.ShippedDate.isna()])

    @cached_property
    def shipping_s(self) -> pd.Series[int]:
        """Seconds from order to shipment of every shipped order, by order."""
        shipped = self.orders.dropna(subset="ShippedDate")
        return (shipped.ShippedDate - shipped.OrderDate).dt.total_seconds().astype("int64")


@dataclass(frozen=True)
class OrderLog:
    """Orders, items and packages, many to many."""

    folder: Path

    @cached_property
    def events(self) -> pd.DataFrame:
        """The log: activity, at, and the ids named, as lists."""
        log = pd.read_csv(self.folder / "order_management_until_2019-08-01.csv.gz", dtype=str)
        log.columns = [name.split(":")[-1] for name in log.columns]
        for name in ("orders", "items", "packages"):
            log[name] = log[name].map(lambda cell: ast.literal_eval(cell) if cell.strip() else [])
        log["at"] = pd.to_datetime(log.timestamp, utc=True)
        return log

    def first(self, activity: str, objects: str, until: pd.Timestamp) -> pd.Series[pd.Timestamp]:
        """When an activity first happened to each object, by then."""
        rows = self.events[(self.events.activity == activity) & (self.events["at"] <= until)]
        return rows.explode(objects).groupby(objects)["at"].min()

    @cached_property
    def item_order(self) -> pd.Series[str]:
        """The order of each item."""
        placed = self.events[self.events.activity == "place order"]
        return placed.explode("items").set_index("items").orders.map(lambda ids: ids[0])

    @cached_property
    def item_package(self) -> pd.Series[str]:
        """The package of each packed item."""
        packed = self.events[self.events.activity == "create package"]
        return packed.explode("items").set_index("items").packages.map(lambda ids: ids[0])

    @cached_property
    def order_packages(self) -> pd.Series[set[str]]:
        """The packages that hold something of each order."""
        return self.item_package.groupby(self.item_package.index.map(self.item_order)).agg(set)

    @cached_property
    def package_orders(self) -> pd.Series[set[str]]:
        """The orders that each package holds something of."""
        orders = pd.Series(self.item_package.index.map(self.item_order), index=self.item_package.to_numpy())
        return orders.groupby(level=0).agg(set)

    def clocks(self, at: pd.Timestamp) -> pd.DataFrame:
        """Every stage on every object of every order as of a moment: order, stage, object, start, stop, limit.

        A row is one clock in one order: the delivery of a package that two orders share is two rows. `stop` is NaT
        while it runs.
        """
        placed, confirmed = self.first("place order", "orders", at), self.first("confirm order", "orders", at)
        paid, picked = self.first("pay order", "orders", at), self.first("pick item", "items", at)
        missing = self.first("item out of stock", "items", at)
        packed = self.first("create package", "packages", at)
        sent, brought = self.first("send package", "packages", at), self.first("package delivered", "packages", at)
        items = pd.DataFrame({"order": self.item_order})
        items = items[items.order.isin(placed.index)].rename_axis("object").reset_index()
        items["package"] = items.object.map(self.item_package)
        items["package"] = items.package.where(items.package.isin(packed.index))
        packages = items.dropna(subset="package")[["order", "package"]].drop_duplicates()
        all_sent = packages.assign(sent=packages.package.map(sent)).groupby("order").sent
        all_sent = all_sent.max().where(all_sent.apply(lambda part: part.notna().all()))
        orders = pd.DataFrame({"order": placed.index, "object": placed.index})
        parts = [
            _clock("confirm", orders, orders.order.map(placed), orders.order.map(confirmed), 1),
            _clock("pick", items, items.order.map(placed), items.object.map(picked), 10),
            _clock("restock", items, items.object.map(missing), items.object.map(picked), 5),
            _clock("pack-and-send", items, items.object.map(picked), items.package.map(sent), 5),
            _clock("send-all", orders, orders.order.map(placed), orders.order.map(all_sent), 21),
            _clock(
                "deliver",
                packages.assign(object=packages.package),
                packages.package.map(sent),
                packages.package.map(brought),
                1,
            ),
            _clock("pay", orders, orders.order.map(confirmed), orders.order.map(paid), 28),
        ]
        return pd.concat(parts, ignore_index=True)

    def done(self, at: pd.Timestamp) -> set[str]:
        """Orders that are paid and whose every item is delivered."""
        brought = self.first("package delivered", "packages", at)
        arrived = self.item_order.index.map(self.item_package).isin(brought.index)
        whole = pd.Series(arrived, index=self.item_order.to_numpy()).groupby(level=0).all()
        return set(whole.index[whole]) & set(self.first("pay order", "orders", at).index)

    def failing(self, at: pd.Timestamp) -> set[str]:
        """Orders with a package whose delivery failed and did not succeed later."""
        rows = self.events[(self.events.activity == "failed delivery") & (self.events["at"] <= at)]
        failed = rows.explode("packages").groupby("packages")["at"].max()
        brought = self.first("package delivered", "packages", at).reindex(failed.index)
        left = failed.index[~(brought > failed)]
        return {order for package in left for order in self.package_orders[package]}

    def states(self, at: pd.Timestamp) -> dict[str, str]:
        """The state of each order that had been placed: what is worst about it."""
        clocks = self.clocks(at)
        running = clocks[clocks.stop.isna()]
        late = set(running.order[running.start + running.limit < at])
        odd = set(clocks.order[clocks.stop < clocks.start])
        pay = running[running.stage == "pay"]
        warned = set(pay.order[pay.start + pay.limit * 0.75 <= at])
        ranks = [
            ("done", self.done(at)),
            ("failing", self.failing(at)),
            ("late", late),
            ("diverging", odd),
            ("at_risk", warned),
        ]
        placed = self.first("place order", "orders", at).index
        return {order: next((state for state, held in ranks if order in held), "on_track") for order in placed}


def _clock(
    stage: str, of: pd.DataFrame, start: pd.Series[pd.Timestamp], stop: pd.Series[pd.Timestamp], days: int
) -> pd.DataFrame:
    made = pd.DataFrame(
        {
            "order": of.order.to_numpy(),
            "stage": stage,
            "object": of.object.to_numpy(),
            "start": pd.to_datetime(start, utc=True).to_numpy(),
            "stop": pd.to_datetime(stop, utc=True).to_numpy(),
            "limit": days * DAY,
        }
    )
    for name in ("start", "stop"):
        made[name] = pd.to_datetime(made[name], utc=True)
    return made.dropna(subset="start")
