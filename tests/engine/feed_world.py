"""Made-up feeds that fall silent, come late, skip runs and come back, with a plain reading of what that means.

Nothing here looks at tables or at the product's reading of feeds; the calendar's arithmetic is the only thing shared.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from rules.calendar import Calendar
from rules.parse import parse_book
from tests.engine.oracle import Mark, Said
from tower.model.connections import Connection, Connections

START = datetime(2026, 3, 27, 6, tzinfo=UTC)  # a Friday before the clocks go forward in Berlin
LONG = timedelta(hours=30)
STEP = timedelta(minutes=5)
BOOK = parse_book(
    {
        "book.yaml": """
process: {start: [order_accepted], done: [delivered], cancelled: [order_cancelled]}
milestones:
  order_accepted: {object: order, authority: erp}
  order_cancelled: {object: order, authority: erp}
  credit_held: {object: order, authority: erp}
  credit_released: {object: order, authority: erp}
  pick_released: {object: fulfillment, authority: [{kind: 3pl, when: {warehouse: HAM1}}, wms]}
  picked: {object: fulfillment, authority: [{kind: 3pl, when: {warehouse: HAM1}}, wms], after: [pick_released]}
  delivered: {object: shipment, authority: tms}
calendars:
  warehouse: {zone: Europe/Berlin, open: {mon-fri: ["06:00-22:00"], sat: ["06:00-12:00"]}}
stages:
  - {id: accept-to-release, from: order_accepted, to: pick_released, within: 2h}
  - {id: release-to-pick, from: pick_released, to: picked, per: fulfillment, within: 90m, pause: [{from: credit_held, to: credit_released}]}
  - {id: accept-to-deliver, from: order_accepted, to: delivered, within: 8h, calendar: warehouse}
findings:
  - {id: delivered-unpicked, kind: out_of_order, first: picked, then: delivered, settle: 30m}
  - {id: picked-unreleased, kind: out_of_order, first: pick_released, then: picked, when: {warehouse: "!= HAM1"}}
  - {id: erp-hears-late, kind: sync_late, milestone: picked, system: erp, within: 45m}
  - {id: pick-differs, kind: diverging, fact: picked, systems: [wms, 3pl, erp], settle: 1h}
  - {id: released-twice, kind: duplicate, milestone: pick_released, per: order, settle: 1h}
feeds:
  - {connection: wms-berlin, expects: stream, quiet_after: 20m, calendar: warehouse}
  - {connection: wms-hamburg, expects: stream, quiet_after: 30m}
  - {connection: tms, expects: every 2h, grace: 15m}
  - {connection: erp, expects: {per_hour: {min: 4}}, grace: 10m}
priorities: [{name: P1}]
"""
    }
)
CONNECTIONS = Connections(
    (
        Connection("wms-berlin", "wms", "/wms/berlin", warehouse="BER1"),
        Connection("wms-hamburg", "3pl", "/wms/hamburg", warehouse="HAM1"),
        Connection("tms", "tms", "/tms"),
        Connection("erp", "erp", "/erp"),
        Connection("crm", "crm", "/crm"),
    ),
    configured=True,
)
KINDS = {c.name: c.kind for c in CONNECTIONS.entries}


@dataclass(frozen=True)
class Told:
    """One message: through which connection, when it arrived, and what it said; no milestone is a heartbeat."""

    connection: str
    received_at: datetime
    said: Said


def messages(seed: int, orders: int = 14) -> list[Told]:
    """Return everything that arrives, in order of arrival: orders of two warehouses, and feeds with gaps."""
    rng = random.Random(seed)
    quiet = {
        name: [(START + LONG * rng.random(), timedelta(hours=rng.choice([0.5, 2, 5]))) for _ in range(rng.choice([1, 2]))]
        for name in ("wms-berlin", "wms-hamburg", "erp")
    }  # fmt: skip
    told: list[Told] = []

    def say(name: str, said: Said) -> None:
        said = replace(said, at=said.at.replace(microsecond=0))
        late = timedelta(seconds=rng.randrange(40))
        for begins, lasts in quiet.get(name, ()):
            if begins <= said.at < begins + lasts:
                if not said.milestone:
                    return
                late += begins + lasts - said.at
        if name == "tms":
            late += 2 * timedelta(hours=1) - (said.at - START) % timedelta(hours=2) + timedelta(minutes=rng.choice([2, 2, 14]))  # fmt: skip
            if rng.random() < 0.25:
                late += timedelta(hours=2)
        told.append(Told(name, (said.at + late).replace(microsecond=0), said))

    for number in range(orders):
        _order(rng, f"O{number}", say)
    for name in ("wms-berlin", "wms-hamburg"):
        at = START
        while at < START + LONG:
            at += timedelta(minutes=rng.choice([4, 8, 12]))
            say(name, Said(f"beat {name} {at:%d%H%M}", at, KINDS[name], "", "reached", ()))
    for number in range(70):
        at = START + LONG * rng.random()
        say("erp", Said(f"noise {number}", at, "erp", "credit_released", "reached", (("order", "NOISE"),)))
    return sorted(told, key=lambda t: t.received_at)


def _order(rng: random.Random, order: str, say: Saying) -> None:
    ref = ("order", order)
    accepted = START + LONG * 0.7 * rng.random()
    houses = rng.choice([["BER1"], ["BER1"], ["HAM1"], ["BER1", "HAM1"], [""]])
    attributes = {"warehouse": houses[0]} if houses[0] else {}
    say("erp", Said(f"{order} a", accepted, "erp", "order_accepted", "reached", (ref,), (), attributes))
    at = accepted
    if rng.random() < 0.2:
        gone = accepted + timedelta(hours=rng.uniform(1, 5))
        say("erp", Said(f"{order} x", gone, "erp", "order_cancelled", "reached", (ref,)))
    for part, house in enumerate(houses):
        work = ("fulfillment", f"{order}-F{part}")
        name = {"BER1": "wms-berlin", "HAM1": "wms-hamburg"}.get(house, rng.choice(["wms-berlin", "wms-hamburg"]))
        kind = KINDS[name]
        here = {"warehouse": house} if house and rng.random() < 0.85 else {}
        at = accepted + timedelta(minutes=rng.uniform(20, 150))
        if rng.random() < 0.85:
            links = ((work, ref, False),)
            released = at if rng.random() < 0.75 else at + timedelta(minutes=rng.uniform(60, 400))  # after the picking
            say(name, Said(f"{order} r{part}", released, kind, "pick_released", "reached", (work,), links, here))
            if rng.random() < 0.3:
                held = at + timedelta(minutes=rng.uniform(10, 120))
                say("erp", Said(f"{order} h{part}", held, "erp", "credit_held", "reached", (ref,)))
                if rng.random() < 0.5:
                    free = held + timedelta(minutes=rng.uniform(5, 60))
                    say("erp", Said(f"{order} f{part}", free, "erp", "credit_released", "reached", (ref,)))
            at += timedelta(minutes=rng.uniform(20, 130))
            if rng.random() < 0.8:
                say(name, Said(f"{order} p{part}", at, kind, "picked", "reached", (work,)))
                if rng.random() < 0.6:
                    heard = at + timedelta(minutes=rng.uniform(0, 90))
                    say("erp", Said(f"{order} s{part}", heard, "erp", "picked", "reached", (rng.choice([work, ref]),)))
            elif rng.random() < 0.5:
                say("erp", Said(f"{order} e{part}", at, "erp", "picked", "reached", (work,)))  # an echo
    if rng.random() < 0.75:
        goods = ("shipment", f"{order}-S")
        at += timedelta(hours=rng.uniform(0.5, 7))
        say("tms", Said(f"{order} d", at, "tms", "delivered", "reached", (goods,), ((goods, ref, False),)))


class Saying:
    """A place that messages are given to; only for types."""

    def __call__(self, name: str, said: Said) -> None: ...


@dataclass(frozen=True)
class Fresh:
    """What a plain reading says of one feed at a moment."""

    state: str
    reason: str
    since: datetime | None
    gate: datetime | None


def reading(heard: list[Told], now: datetime) -> dict[str, Fresh]:
    """Return what each feed is worth, by what arrived until now."""
    warehouse = BOOK.calendars["warehouse"]
    by_name = {name: [t for t in heard if t.connection == name] for name in ("wms-berlin", "wms-hamburg", "tms", "erp")}
    return {
        "wms-berlin": _stream(by_name["wms-berlin"], now, 20, warehouse),
        "wms-hamburg": _stream(by_name["wms-hamburg"], now, 30, None),
        "tms": _every_two_hours(by_name["tms"], now),
        "erp": _hourly(by_name["erp"], now),
    }


def _stream(heard: list[Told], now: datetime, minutes: int, calendar: Calendar | None) -> Fresh:
    def after(at: datetime, spent: float) -> datetime:
        return calendar.add(at, spent) if calendar else at + timedelta(seconds=spent)

    if not heard:
        ends = after(START, minutes * 60)
        return Fresh("late", "never_heard", ends if ends < now else None, None)
    mark = max(t.said.at for t in heard)
    silent = calendar.working_seconds(mark, now) if calendar else (now - mark).total_seconds()
    if silent > minutes * 60:
        return Fresh("late", "silent", after(mark, minutes * 60), mark)
    return Fresh("ok", "", None, now if calendar and not calendar.is_open(now) else mark)


def _every_two_hours(heard: list[Told], now: datetime) -> Fresh:
    """Runs at even hours of UTC; one has arrived when something came from then on."""

    def run(at: datetime) -> datetime:
        return at.replace(hour=at.hour // 2 * 2, minute=0, second=0, microsecond=0)

    grace, between = timedelta(minutes=15), timedelta(hours=2)
    due = run(now - grace)
    if not heard:
        ends = run(START) + between + grace
        return Fresh("late", "never_heard", ends if ends <= now else None, None)
    arrived = run(max(t.received_at for t in heard))
    late = arrived < due
    return Fresh("late" if late else "ok", "run_missing" if late else "", arrived + between + grace if late else None, arrived)  # fmt: skip


def _hourly(heard: list[Told], now: datetime) -> Fresh:
    """At least four events in each hour, told ten minutes after it."""
    mark = max((t.said.at for t in heard), default=None)
    ended = (now - timedelta(minutes=10)).replace(minute=0, second=0, microsecond=0)
    begun = ended - timedelta(hours=1)
    brought = {t.said.key for t in heard if t.said.milestone and begun <= t.said.at < ended}
    few = begun >= START and len(brought) < 4
    return Fresh("late" if few else "ok", "too_few" if few else "", ended if few else None, mark)


def marks(fresh: dict[str, Fresh]) -> list[Mark]:
    """Return the marks of the plain reading."""
    dawn = datetime(1970, 1, 1, tzinfo=UTC)
    scopes = {"wms-berlin": ("wms", "BER1"), "wms-hamburg": ("3pl", "HAM1"), "tms": ("tms", ""), "erp": ("erp", "")}
    return [Mark(kind, fresh[name].gate or dawn, warehouse=house) for name, (kind, house) in scopes.items()]
