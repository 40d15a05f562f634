"""Made-up order histories for the engine's tests: seeded, small, and nasty on purpose."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rules.parse import parse_book
from tests.engine.oracle import Ref, Said, number

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)  # the day after clocks went forward in Berlin
BOOK = parse_book(
    {
        "book.yaml": """
process: {start: [order_captured, order_accepted], done: [delivered, {milestone: invoice_released, per: shipment}, payment_applied], cancelled: [order_cancelled]}
milestones:
  order_captured: {object: order, authority: [{kind: edi, when: {channel: edi}}, commerce]}
  order_accepted: {object: order, authority: erp, after: [order_captured]}
  order_cancelled: {object: order, authority: erp}
  credit_held: {object: order, authority: erp}
  credit_released: {object: order, authority: erp}
  order_changed: {object: order, authority: erp}
  invoice_waived: {object: shipment, authority: erp}
  stock_held: {object: shipment, authority: wms}
  stock_released: {object: shipment, authority: wms}
  shipment_confirmed: {object: shipment, authority: [{kind: 3pl, when: {warehouse: HH2}}, wms]}
  delivered: {object: shipment, authority: tms}
  invoice_released: {object: invoice, authority: [{kind: billing, when: {order_type: bulk, company: "!= C1"}}, erp]}
  payment_applied: {object: payment, authority: erp}
calendars:
  office: {zone: Europe/Berlin, open: {mon-fri: ["08:00-12:00", "13:00-17:00"], sat: ["22:00-06:00"]}, closed: ["2026-03-27"]}
  night: {zone: America/New_York, open: {daily: ["20:00-04:00"]}}
stages:
  - {id: accept, from: order_captured, to: order_accepted, within: 1h, at_risk: 75%, not_before: 5m}
  - id: ship
    from: order_accepted
    to: shipment_confirmed
    within: 6h
    calendar: office
    at_risk: 50%
    pause: [{from: credit_held, to: credit_released}]
    reset: [order_changed]
    tiers: [{when: {priority: P1}, within: 2h}, {when: {warehouse: HH2}, calendar: night}, {when: {customer_tier: gold}, until: promised_at}]
  - {id: ship-all, from: order_accepted, to: {milestone: shipment_confirmed, pick: complete}, within: 20h, when: {order_type: [standard, bulk]}}
  - id: invoice
    from: shipment_confirmed
    to: invoice_released
    per: shipment
    within: 3h
    calendar: office
    at_risk: 80%
    not_before: 2m
    pause: [{from: credit_held, to: credit_released}, {from: stock_held, to: stock_released}]
    reset: [stock_released]
    cancel: [invoice_waived, order_changed]
  - {id: invoice-last, from: {milestone: shipment_confirmed, pick: last}, to: {milestone: invoice_released, pick: last}, within: 90m, when: {amount: ">= 500"}}
  - {id: deliver, from: order_accepted, to: {milestone: delivered, pick: complete}, until: promised_at, plus: 4h, calendar: office, at_risk: 60%}
  - {id: pay, from: invoice_released, to: payment_applied, per: invoice, within: 30h}
findings:
  - {id: unshipped, kind: out_of_order, first: shipment_confirmed, then: invoice_released, settle: 90m}
  - {id: unaccepted, kind: out_of_order, first: order_accepted, then: shipment_confirmed, when: {order_type: [standard, bulk]}}
  - {id: held-again, kind: out_of_order, first: credit_released, then: shipment_confirmed, since: credit_held, settle: 1h}
  - {id: stale-stock, kind: out_of_order, first: stock_released, then: shipment_confirmed, fresh: 1d}
  - {id: unsettled, kind: out_of_order, first: payment_applied, then: delivered, settle: 2d}
  - {id: billed-twice, kind: duplicate, milestone: invoice_released, per: shipment}
  - {id: paid-twice, kind: duplicate, milestone: payment_applied, per: order, settle: 6h, when: {channel: "!= edi"}}
  - {id: applied-twice, kind: duplicate, milestone: payment_applied, per: payment}
  - {id: invoice-differs, kind: diverging, fact: invoice_released, systems: [billing, erp, middleware], settle: 4h}
  - {id: payment-differs, kind: diverging, fact: payment_applied, systems: [erp, bank]}
  - {id: crm-hears-late, kind: sync_late, milestone: delivered, system: crm, within: 3h}
  - {id: erp-hears-late, kind: sync_late, milestone: shipment_confirmed, system: erp, within: 1d, when: {amount: ">= 500"}}
priorities:
  - {name: P1, when: {any: [{amount: ">= 1000"}, {customer_tier: [gold], order_type: bulk}]}}
  - {name: P2, when: {channel: edi}}
  - {name: P3}
value: {currency: EUR, rates: [{currency: USD, rate: "0.9", since: "2026-01-01"}, {currency: USD, rate: "0.8", since: "2026-03-28"}]}
"""
    }
)
_SPAN_S = 6 * 24 * 3600
# The days after the clocks went forward or back in one of the zones of the calendars.
MOMENTS = (
    NOW,
    datetime(2026, 3, 10, 12, tzinfo=UTC),
    datetime(2026, 10, 26, 12, tzinfo=UTC),
    datetime(2026, 11, 2, 12, tzinfo=UTC),
)
_ECHOES = {
    "shipment_confirmed": ["erp"],
    "delivered": ["crm"],
    "invoice_released": ["erp", "billing", "middleware"],
    "payment_applied": ["erp", "bank"],
}


def histories(seed: int, cases: int, now: datetime = NOW) -> list[Said]:
    """Return the events of so many small unrelated cases of the days before a moment, in order of making."""
    rng = random.Random(seed)
    return [said for number in range(cases) for said in _case(rng, f"{number}", now)]


def _case(rng: random.Random, name: str, now: datetime) -> list[Said]:
    orders = [("order", f"O{name}-{i}") for i in range(rng.choice([1, 1, 1, 2]))]
    shipments = [("shipment", f"S{name}-{i}") for i in range(rng.choice([0, 1, 1, 2, 3]))]
    invoices = [("invoice", f"I{name}-{i}") for i in range(rng.choice([0, 1, 1, 2]))]
    payments = [("payment", f"P{name}-{i}") for i in range(rng.choice([0, 0, 1, 2]))]
    parents = {"shipment": orders, "invoice": shipments or orders, "payment": invoices or orders}
    further = {ref: known for ref in [*orders, *shipments] if (known := _further(rng, name, ref))}
    events: list[Said] = []

    def at() -> datetime:
        return now - timedelta(seconds=60 * rng.randrange(-3, _SPAN_S // 60))

    def say(
        milestone: str, kinds: list[str], ref: Ref, polarity: str = "reached", when: datetime | None = None
    ) -> None:
        links: tuple[tuple[Ref, Ref, bool], ...] = ()
        aliases: tuple[tuple[Ref, Ref, bool, bool], ...] = ()
        attributes: dict[str, Any] = {}
        own = ref
        if (known_as := further.get(ref)) and rng.random() < 0.5:
            ref = known_as[0]
            if rng.random() < 0.5:
                aliases = ((known_as[0], own, known_as[1] and rng.random() < 0.9, rng.random() < 0.1),)
        if ref[0] == "order":
            attributes = _attributes(rng, now)
        elif ref[0] == "shipment":
            attributes = {"quantity": Decimal(rng.choice([5, 6, 10]))} if rng.random() < 0.5 else {}
            attributes |= {"warehouse": rng.choice(["HH1", "HH2"])} if rng.random() < 0.4 else {}
            attributes |= {"order_type": "bulk"} if rng.random() < 0.1 else {}
        elif rng.random() < 0.7:
            attributes = _part_attributes(rng)
        if ref[0] != "order" and rng.random() < 0.75:
            pool = parents[ref[0]]
            above = rng.sample(pool, k=min(len(pool), rng.choice([1, 1, 2])))
            above = [further[p][0] if p in further and rng.random() < 0.3 else p for p in above]
            links = tuple((ref, p, rng.random() < 0.07) for p in above)
        error = f"error {rng.randrange(3)}" if polarity == "failed" else ""
        key = f"{name}/{len(events)}"
        events.append(
            Said(key, when or at(), rng.choice(kinds), milestone, polarity, (ref,), links, attributes, error, aliases)
        )

    for ref in orders:
        say("order_captured", ["commerce", "commerce", "edi", "crm"], ref)
        if rng.random() < 0.8:
            say("order_accepted", ["erp", "erp", "erp", "crm"], ref)
        for milestone, chance in (
            ("credit_held", 0.3),
            ("credit_released", 0.25),
            ("credit_held", 0.1),
            ("order_changed", 0.25),
            ("order_changed", 0.1),
            ("order_cancelled", 0.08),
        ):
            if rng.random() < chance:
                say(milestone, ["erp", "erp", "crm"], ref)
        if rng.random() < 0.1:
            say("order_accepted", ["erp", "crm"], ref, "reversed")
        if rng.random() < 0.1:
            say("order_accepted", ["erp", "middleware"], ref, "failed")
    for refs, milestone, kinds in (
        (shipments, "shipment_confirmed", ["wms", "wms", "3pl", "erp"]),
        (shipments, "delivered", ["tms", "tms", "crm"]),
        (invoices, "invoice_released", ["erp", "erp", "billing"]),
        (payments, "payment_applied", ["erp", "erp", "bank"]),
    ):
        for ref in refs:
            for polarity, chance in (("reached", 0.75), ("reached", 0.2), ("reversed", 0.12), ("failed", 0.15)):
                if rng.random() < chance:
                    say(milestone, kinds if polarity != "failed" else [*kinds, "middleware"], ref, polarity)
                    if polarity == "reached" and rng.random() < 0.4:
                        heard = min(events[-1].at + timedelta(minutes=rng.randrange(0, 400)), now)
                        knows = ref if rng.random() < 0.8 else rng.choice(orders)
                        say(milestone, _ECHOES[milestone], knows, when=heard)
            if ref[0] == "shipment" and rng.random() < 0.2:
                say("stock_held", ["wms"], ref)
                if rng.random() < 0.6:
                    say("stock_released", ["wms"], ref)
            if ref[0] == "shipment" and rng.random() < 0.15:
                say("invoice_waived", ["erp"], ref)
            if ref[0] == "shipment" and rng.random() < 0.12:
                say("invoice_released", ["erp", "middleware"], ref, "failed")
    return events


def _further(rng: random.Random, case: str, ref: Ref) -> tuple[Ref, bool] | None:
    """Return a further name of an object and whether it is weak: a weak one may be another object's name too."""
    chance = rng.random()
    if chance < 0.25:
        return (ref[0], f"shop:{ref[1]}"), False
    if chance < 0.5:
        return (ref[0], f"po:{case}/{rng.randrange(2)}"), True
    return None


def _part_attributes(rng: random.Random) -> dict[str, Any]:
    """Return what is told of an invoice or a payment: mostly the same, so that systems often agree."""
    values: dict[str, Any] = {
        "amount": Decimal(rng.choice([250, 250, 250, 500])),
        "currency": rng.choice(["EUR", "EUR", "EUR", "USD"]),
        "quantity": Decimal(rng.choice([5, 5, 6])),
    }
    told = {k: v for k, v in values.items() if rng.random() < 0.8}
    return told | ({"company": rng.choice(["C1", "C2"])} if rng.random() < 0.3 else {})


def _attributes(rng: random.Random, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {
        "amount": Decimal(rng.choice([50, 499, 500, 999, 1000, 2500])),
        "currency": rng.choice(["EUR", "EUR", "USD", "PLN"]),
        "customer_tier": rng.choice(["gold", "silver"]),
        "channel": rng.choice(["edi", "web"]),
        "order_type": rng.choice(["standard", "bulk", "same_day"]),
        "warehouse": rng.choice(["HH1", "HH2"]),
        "quantity": Decimal(rng.choice([5, 11, 20])),
        "promised_at": now - timedelta(minutes=rng.randrange(-600, _SPAN_S // 60)),
    }
    return {k: v for k, v in values.items() if rng.random() < 0.7}


def line(said: Said, received_at: datetime, connection: str = "", body: int | None = None) -> bytes:
    """Return the row of `events` for what was said; a heartbeat has no milestone.

    `body` is the hash of its body, else one made from its key.
    """
    stated = [(c, p, retract, "x") for c, p, retract in said.links]
    stated += [(n, o, retract, "weak_alias" if weak else "alias") for n, o, weak, retract in said.aliases]
    row: dict[str, Any] = {
        "received_at": received_at.isoformat(), "occurred_at": said.at.isoformat(), "connection": connection, "kind": said.kind,
        "source": f"/{said.kind}", "event_id": said.key, "ev": number(said.key), "body": number(said.key + "!") if body is None else body,
        "type": f"o2c.{said.milestone}", "milestone": said.milestone, "polarity": said.polarity, "error": said.error,
        "on_types": [t for t, _ in said.on], "on_ids": [i for _, i in said.on],
        "child_types": [c[0] for c, *_ in stated], "child_ids": [c[1] for c, *_ in stated],
        "parent_types": [p[0] for _, p, *_ in stated], "parent_ids": [p[1] for _, p, *_ in stated],
        "relations": [r for *_, r in stated], "retracts": [int(r) for _, _, r, _ in stated],
    }  # fmt: skip
    for name, value in said.attributes.items():
        row[name] = value.isoformat() if isinstance(value, datetime) else str(value)
    return json.dumps(row).encode()
