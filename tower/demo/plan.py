"""What one customer's purchase will go through: its steps, in which order, and what goes wrong with them.

A case is one order, or two orders that are billed together. It is planned whole from a seed; running it is the
scenario's work.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tower.demo.catalog import BERLIN, CAPTURED_BY, CUSTOMERS, ERRORS, HAMBURG, Customer, Warehouse

Ids = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Echo:
    """Another system tells the same, later. kept: also told when the authority's own report is lost."""

    connection: str
    delay_s: float
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a step until somebody repairs it.

    kind: `fails` says so and stands still, `drops` stands still without a word, `lost` goes on but the authority's
    report never reaches the tower. answer is what a retry meets: repairs, refuses, ignores.
    """

    kind: str
    error: str
    answer: str
    heals_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """One milestone of a case. It happens gap_s after the last of the steps it waits for."""

    key: str
    milestone: str
    connection: str
    objects: Ids
    after: tuple[str, ...]
    gap_s: float
    orders: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    echoes: tuple[Echo, ...] = ()
    late_s: float = 0.0  # reported so much after it happened
    copies: int = 1  # reported so many times
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """All steps by key, in an order in which each comes after those it waits for."""

    orders: tuple[str, ...]
    steps: dict[str, Step]

    def waiting_for(self, key: str) -> list[Step]:
        """Return the steps that wait for this one."""
        return [s for s in self.steps.values() if key in s.after]


def plan_case(rng: random.Random, number: int, at: datetime) -> Case:
    """Return the plan of the case whose first order has this number and is captured at this instant.

    A case takes at most two numbers. Equal arguments give an equal plan.
    """
    customer = rng.choice(CUSTOMERS)
    joint = customer.channel == "edi" and rng.random() < 0.12
    numbers = (number, number + 1) if joint else (number,)
    steps: list[Step] = []
    for n in numbers:
        steps += _order_to_shipment(rng, n, customer, at)
    steps += _to_cash(rng, number, customer, steps)
    if not joint and rng.random() < 0.03:
        steps = _cancelled(rng, steps)
    steps = [_disturbed(rng, s) for s in steps]
    return Case(tuple(f"SO-{n}" for n in numbers), {s.key: s for s in steps})


def _order_to_shipment(rng: random.Random, number: int, customer: Customer, at: datetime) -> list[Step]:
    order = f"SO-{number}"
    own = (order,)
    captured_by = CAPTURED_BY[customer.channel]
    order_type = rng.choices(("standard", "same_day", "project"), (8, 2, 1))[0]
    first = rng.choices((BERLIN, HAMBURG), (3, 1))[0]
    attributes = {
        "amount": f"{min(rng.lognormvariate(8.3, 1.25), 480_000):.2f}",
        "currency": customer.currency,
        "customer_id": customer.id,
        "customer_tier": customer.tier,
        "channel": customer.channel,
        "order_type": order_type,
        "company": {"GBP": "2000", "USD": "3000"}.get(customer.currency, "1000"),
        "partner": customer.name,
        "warehouse": first.code,
        "quantity": 4 + number % 37,
        "promised_at": instant(at + timedelta(seconds=rng.uniform(170, 260))),
    }

    def step(milestone: str, connection: str, after: str, low: float, high: float, **more: Any) -> Step:
        waits = (f"{order}/{after}",) if after else ()
        gap_s = rng.uniform(low, high)
        return Step(f"{order}/{milestone}", milestone, connection, {"order_id": order}, waits, gap_s, own, **more)

    hears = () if captured_by == "crm" else (Echo("crm", rng.uniform(1, 4)),)
    steps = [
        step("order_captured", captured_by, "", 0, 0, attributes=attributes, echoes=hears),
        step("order_accepted", "erp", "order_captured", 1, 6, attributes=attributes),
        step("credit_released", "erp", "order_accepted", 1, 4),
        step("tax_calculated", "tax", "order_accepted", 2, 7),
    ]
    parts = [first] if rng.random() < 0.75 else [first, BERLIN if first is HAMBURG else HAMBURG]
    for part, warehouse in enumerate(parts, 1):
        steps += _fulfillment(rng, order, part, warehouse, customer, shipped(number, part, len(parts)))
    return steps


def shipped(number: int, part: int, parts: int) -> int:
    """Return how much a part of an order ships. Now and then the shelf holds one piece less than was ordered."""
    ordered = 4 + number % 37
    share = ordered // parts + (ordered % parts if part == 1 else 0)
    return share - (1 if part == 1 and number % 23 == 0 else 0)


def _fulfillment(
    rng: random.Random, order: str, part: int, warehouse: Warehouse, customer: Customer, pieces: int
) -> list[Step]:
    fulfillment, shipment = f"{order}-F{part}", f"{order}-S{part}"
    work: Ids = {"order_id": order, "fulfillment_id": fulfillment}
    move: Ids = {"fulfillment_id": fulfillment, "shipment_id": shipment}
    wms, pace, own = warehouse.connection, warehouse.pace, (order,)
    portal = "shop" if customer.channel == "commerce" else "crm"
    crm_s = rng.uniform(2, 8) if rng.random() > 0.05 else rng.uniform(30, 70)
    here = {"warehouse": warehouse.code}

    def step(milestone: str, connection: str, objects: Ids, after: str, low: float, high: float, **more: Any) -> Step:
        tail = "" if after in ("credit_released",) else f"/{part}"
        return Step(
            f"{order}/{milestone}/{part}",
            milestone,
            connection,
            objects,
            (f"{order}/{after}{tail}",),
            rng.uniform(low, high),
            own,
            **more,
        )

    return [
        step("inventory_allocated", wms, work, "credit_released", 1, 5, attributes=here),
        step("fulfillment_requested", "erp", work, "inventory_allocated", 1, 3, attributes=here),
        step("pick_released", wms, work, "fulfillment_requested", 2 * pace, 6 * pace),
        step("picked", wms, work, "pick_released", 3 * pace, 10 * pace),
        step("packed", wms, work, "picked", 2 * pace, 6 * pace),
        step(
            "shipment_confirmed",
            wms,
            move,
            "packed",
            1 * pace,
            5 * pace,
            attributes={**here, "quantity": pieces},
            echoes=(Echo("erp", rng.uniform(1, 5), kept=True), Echo("crm", crm_s)),
        ),
        step("in_transit", "tms", move, "shipment_confirmed", 2, 6),
        step("delivered", "tms", move, "in_transit", 6, 22, echoes=(Echo(portal, rng.uniform(1, 6), kept=True),)),
    ]


def _to_cash(rng: random.Random, number: int, customer: Customer, before: list[Step]) -> list[Step]:
    """Bill each shipment, or all of two orders at once; pay each invoice, or two with one transfer."""
    shipped = [s for s in before if s.milestone == "shipment_confirmed"]
    orders = tuple(dict.fromkeys(o for s in shipped for o in s.orders))
    bills = [shipped] if len(orders) > 1 else [[s] for s in shipped]
    steps: list[Step] = []
    invoices: list[tuple[str, tuple[str, ...]]] = []
    for part, billed in enumerate(bills, 1):
        invoice = f"INV-{number}-{part}"
        own = tuple(dict.fromkeys(o for s in billed for o in s.orders))
        shipments = [str(s.objects["shipment_id"]) for s in billed]
        taxed = tuple(f"{o}/tax_calculated" for o in own)
        objects: Ids = {"invoice_id": invoice, "shipment_id": shipments if len(shipments) > 1 else shipments[0]}
        bill: Ids = {"invoice_id": invoice}
        sender = "edi" if customer.channel == "edi" else "billing"
        steps += [
            Step(
                f"{invoice}/released",
                "invoice_released",
                "erp",
                objects,
                (*(s.key for s in billed), *taxed),
                rng.uniform(3, 10),
                own,
                echoes=(Echo("billing", rng.uniform(1, 4), kept=True),),
            ),
            Step(
                f"{invoice}/delivered",
                "invoice_delivered",
                sender,
                bill,
                (f"{invoice}/released",),
                rng.uniform(2, 6),
                own,
            ),
        ]
        invoices.append((invoice, own))
    together = len(invoices) > 1 and rng.random() < 0.6
    portal = "shop" if customer.channel == "commerce" else "crm"
    for part, paid in enumerate([invoices] if together else [[i] for i in invoices], 1):
        payment = f"PAY-{number}-{part}"
        own = tuple(dict.fromkeys(o for _, orders_of in paid for o in orders_of))
        names = [i for i, _ in paid]
        objects = {"payment_id": payment, "invoice_id": names if len(names) > 1 else names[0]}
        steps += [
            Step(
                f"{payment}/received",
                "payment_received",
                "bank",
                objects,
                tuple(f"{i}/delivered" for i in names),
                rng.uniform(5, 25),
                own,
            ),
            Step(
                f"{payment}/applied",
                "payment_applied",
                "erp",
                objects,
                (f"{payment}/received",),
                rng.uniform(5, 25),
                own,
                echoes=(Echo(portal, rng.uniform(1, 6), kept=True),),
            ),
        ]
    return steps


def _cancelled(rng: random.Random, steps: list[Step]) -> list[Step]:
    """The customer takes the order back after acceptance: nothing but the cancellation follows."""
    kept = [s for s in steps if s.milestone in ("order_captured", "order_accepted", "credit_released")]
    order = kept[0].orders[0]
    waits = (kept[-1].key,)
    why = {"reason": "cancelled by customer"}
    key = f"{order}/order_cancelled"
    objects: Ids = {"order_id": order}
    return [*kept, Step(key, "order_cancelled", "erp", objects, waits, rng.uniform(2, 10), (order,), why)]


_DROPS = (
    "order_accepted",
    "pick_released",
    "shipment_confirmed",
    "invoice_released",
    "invoice_delivered",
    "payment_applied",
)
_LOST = ("shipment_confirmed", "delivered", "invoice_released", "payment_applied")


def _disturbed(rng: random.Random, step: Step) -> Step:
    """Give a step its share of bad luck: standing faults, slowness, late reports, repeats."""
    fault = None
    heals_s = 60 + min(rng.expovariate(1 / 130), 600)
    answer = rng.choices(("repairs", "refuses", "ignores"), (80, 10, 10))[0]
    luck = rng.random()
    if step.milestone in ERRORS and luck < 0.0028:
        error = rng.choice(ERRORS[step.milestone]).format(n=rng.randrange(1000, 9999))
        fault = Fault("fails", error, answer, heals_s)
    elif step.milestone in _DROPS and luck < 0.0048:
        fault = Fault("drops", "", answer, heals_s)
    elif step.milestone in _LOST and luck < 0.0068:
        fault = Fault("lost", "", answer, heals_s)
    slow = rng.uniform(4, 9) if rng.random() < 0.012 else 1.0
    late_s = rng.uniform(3, 12) if rng.random() < 0.04 else 0.0
    copies = 2 if rng.random() < 0.03 else 1
    return replace(step, fault=fault, gap_s=step.gap_s * slow, late_s=late_s, copies=copies)


def instant(at: datetime) -> str:
    """Return an instant as events carry it: RFC 3339 with milliseconds and Z."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
