"""Seeded events of a distributor's order to cash: about 500 bytes of CloudEvents JSON each.

An order takes twelve milestones, from the shop to applied cash, mostly in time by the book that ships; every tenth
order has two shipments.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from collector.canonical import canonical
from collector.decode import decode
from collector.senders import Senders
from rules.parse import SHIPPED, load_book
from tower.model.connections import Connections
from tower.model.principal import Principal

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday noon: every calendar of the book is open
EVENTS_PER_ORDER = 12
UNKNOWN = Connections()  # none is configured: a system's kind is the head of its source
_SYSTEMS = ("/commerce/shop", "/erp/main", "/wms/berlin", "/tms/hub", "/billing/main", "/bank/main")
_encode = msgspec.json.Encoder().encode


class Said(NamedTuple):
    """One event: its JSON, and when it happened."""

    text: bytes
    at: datetime


def order(rng: random.Random, name: str, begin: datetime, steps: int = EVENTS_PER_ORDER) -> Iterator[Said]:
    """Yield the first `steps` milestones of one order, in the order in which they happen."""
    warehouse = rng.choice(("HH1", "HH2", "BER", "MUC"))
    customer = f"C-{rng.randrange(5000):05d}"
    parcels = [f"{name}-S{i}" for i in range(2 if rng.random() < 0.1 else 1)]
    own = {
        "order_id": name, "amount": f"{rng.randrange(2_000, 9_000_000) / 100:.2f}",
        "currency": rng.choice(("EUR", "EUR", "EUR", "USD", "PLN")), "customer_id": customer,
        "customer_tier": rng.choice(("standard", "standard", "key", "strategic")),
        "channel": rng.choice(("commerce", "commerce", "edi", "crm")),
        "order_type": rng.choice(("standard", "standard", "bulk", "same_day")),
        "company": "1000", "warehouse": warehouse, "partner": customer,
        "promised_at": (begin + timedelta(days=rng.randrange(4, 12))).isoformat(),
    }  # fmt: skip
    goods: dict[str, Any] = {"order_id": name, "fulfillment_id": f"{name}-F", "warehouse": warehouse, "company": "1000"}
    sent = {**goods, "shipment_id": parcels if len(parcels) > 1 else parcels[0]}
    billed = {"shipment_id": sent["shipment_id"], "invoice_id": f"{name}-I", "company": "1000"}
    paid = {"invoice_id": f"{name}-I", "payment_id": f"{name}-P", "company": "1000"}
    plan: tuple[tuple[str, int, float, dict[str, Any]], ...] = (
        ("order_captured", 0, 0, own),
        ("order_accepted", 1, 0.3, own),
        ("inventory_allocated", 2, 1, goods),
        ("fulfillment_requested", 1, 0.5, goods),
        ("pick_released", 2, 0.7, goods),
        ("packed", 2, 2, goods),
        ("shipment_confirmed", 2, 1, sent),
        ("invoice_released", 1, 1, billed),
        ("invoice_delivered", 4, 2, billed),
        ("delivered", 3, 40, {k: v for k, v in sent.items() if k != "order_id"}),
        ("payment_received", 5, 200, paid),
        ("payment_applied", 1, 20, paid),
    )
    at = begin
    for number, (milestone, system, hours, data) in enumerate(plan[:steps]):
        at += timedelta(hours=hours * rng.uniform(0.4, 1.3))
        yield event(rng, f"{name}/{number}", milestone, _SYSTEMS[system], at, data)


def event(rng: random.Random, key: str, milestone: str, source: str, at: datetime, data: dict[str, Any]) -> Said:
    """Return one event. Fields that the tower does not know pad it to the size of a real message."""
    trace = f"{rng.getrandbits(128) | 1:032x}"
    document = {"document_number": f"{rng.randrange(10**10):010d}", "posted_by": "interface", "correlation": trace[:16]}
    payload = {**data, **document}
    body = {
        "specversion": "1.0", "id": key, "source": source, "type": f"o2c.{milestone}", "time": at.isoformat(),
        "datacontenttype": "application/json", "traceparent": f"00-{trace}-{rng.getrandbits(64) | 1:016x}-01",
        "data": payload,
    }  # fmt: skip
    text = _encode(body)
    if len(text) < 470:
        payload["note"] = "x" * (480 - len(text))
        text = _encode(body)
    return Said(text, at)


def orders(seed: int, count: int, prefix: str, until: datetime, steps: int = EVENTS_PER_ORDER) -> Iterator[Said]:
    """Yield the events of so many orders begun in the four weeks before `until`, mixed as interfaces would send them.

    Twelve milestones take up to two weeks.
    """
    rng = random.Random(seed)
    for start in range(0, count, 50):
        group = [
            said
            for number in range(start, min(start + 50, count))
            for said in order(rng, f"{prefix}{number:07d}", until - timedelta(minutes=rng.randrange(28 * 1440)), steps)
        ]
        group.sort(key=lambda said: said.at)
        yield from group


def journal_lines(events: Iterator[Said], received_at: datetime, connections: Connections = UNKNOWN) -> list[bytes]:
    """Return the events as the collector writes them into its journal."""
    milestones = frozenset(load_book(SHIPPED).milestones)
    senders = Senders(connections, Principal("bench", frozenset({"admin"})), received_at)
    horizon = datetime(2200, 1, 1, tzinfo=UTC)
    lines = []
    for said in events:
        parsed = decode(said.text)
        lines.append(canonical(parsed, said.text, senders.find(parsed.source), milestones, horizon).text)
    return lines


def batches(events: Iterator[Said], size: int) -> list[bytes]:
    """Return NDJSON bodies of so many events each."""
    texts = [said.text for said in events]
    return [b"\n".join(texts[i : i + size]) for i in range(0, len(texts), size)]
