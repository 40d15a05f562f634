"""The shipped book with every kind of finding switched on, its connections, and open orders in which each is found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bench import events
from bench.events import NOW, Said
from rules.model import Book, Feed, Stage
from rules.parse import SHIPPED, load_book
from tower.model.connections import Connection, Connections

# feed_late is found by the feeds themselves, the others by rules.
KINDS = frozenset({"late", "too_fast", "failing", "out_of_order", "duplicate", "diverging", "sync_late", "feed_late"})
CONNECTIONS = Connections(
    (
        Connection("shop", "commerce", "/commerce/shop"),
        Connection("crm", "crm", "/crm/main"),
        Connection("edi", "edi", "/edi/main"),
        Connection("erp", "erp", "/erp/main"),
        Connection("wms-berlin", "wms", "/wms/berlin"),
        Connection("tms", "tms", "/tms/hub"),
        Connection("billing", "billing", "/billing/main"),
        Connection("bank", "bank", "/bank/main"),
        Connection("psp", "psp", "/psp/main"),
    ),
    configured=True,
)
_LEAST_S = 600  # an order that is accepted sooner is suspicious; every fourth is


def everything_on() -> Book:
    """Return the shipped book with odds instead of shares, a least time, and feeds: two are heard, one is silent."""
    book = load_book(SHIPPED)
    feeds = (
        Feed("erp", quiet_after_s=6 * 3600),
        Feed("shop", quiet_after_s=30 * 86400),
        Feed("tms", quiet_after_s=3600),
    )
    return replace(book, hash=f"{book.hash}-all", stages=tuple(_on(s) for s in book.stages), feeds=feeds)


def _on(stage: Stage) -> Stage:
    odds = stage.odds if stage.at_risk is None else Decimal("0.5")
    least = _LEAST_S if stage.id == "capture-to-accept" else stage.not_before_s
    return replace(stage, at_risk=None, odds=odds, not_before_s=least)


def odd_orders(count: int) -> Iterator[Said]:
    """Open orders with something odd in turns: billed twice, billed and not shipped, a failure, a silent CRM."""
    rng = random.Random(4)
    for number in range(count):
        name, at = f"O{number:05d}", NOW - timedelta(hours=50)
        own = {"order_id": name, "company": "1000", "amount": "900", "currency": "EUR", "channel": "crm"}
        goods = {"order_id": name, "shipment_id": f"{name}-S", "company": "1000"}
        bill = {**goods, "invoice_id": f"{name}-I"}
        told: list[tuple[str, str, dict[str, str]]] = [("order_accepted", "/erp/main", own)]
        if number % 4 == 0:
            told += [("shipment_confirmed", "/wms/berlin", goods), ("invoice_released", "/erp/main", bill)]
            told.append(("invoice_released", "/erp/main", {**bill, "invoice_id": f"{name}-J"}))
        elif number % 4 == 1:
            told.append(("invoice_released", "/erp/main", {"order_id": name, "invoice_id": f"{name}-I"}))
        elif number % 4 == 2:
            told.append(("inventory_allocated.failed", "/wms/berlin", {"order_id": name, "error": "no such item"}))
        else:
            told.append(("shipment_confirmed", "/wms/berlin", goods))
        for step, (milestone, source, data) in enumerate(told):
            yield events.event(rng, f"{name}/{step}", milestone, source, at + timedelta(hours=step), data)
