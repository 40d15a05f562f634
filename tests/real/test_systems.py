"""What several systems say, each in its own numbers, comes together as the files have it: orders, deliveries, invoices.

Expected sets are worked out from the files in plain loops, with nothing of the product.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from collector.identity import Identities
from collector.intake import take
from collector.senders import Senders
from rules.compile import compile_book
from rules.parse import load_book
from tests.real import convert, systems
from tests.real.logs import FULL
from tests.real.recompute import OrderLog
from tests.stores import Shelf
from tower.engine import workspace
from tower.engine.books import record_calendars
from tower.engine.cycle import run_cycle
from tower.engine.replay import judged
from tower.model.connections import Connections
from tower.model.principal import Principal
from tower.store.client import Store

BOOK = load_book(Path(__file__).with_name("books") / "systems")
COMPILED = compile_book(BOOK)
NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
NOBODY = Connections()
ARRIVALS = 500 if FULL else 60
LOG, FLOW = "order_management_log", "sap_document_flow"
TICKS = 3 if FULL else 2
SHUFFLED = [True, False] if FULL else [True]  # False: once more as the files have it
pytestmark = pytest.mark.timeout(300)
Case = dict[str, set[tuple[str, str]]]


@pytest.fixture(scope="module", params=SHUFFLED, ids=lambda shuffled: "shuffled" if shuffled else "in order")
def found(shelf: Shelf, request: pytest.FixtureRequest) -> Case:
    """Tell one store everything, order log, document flow and arrivals, and return the objects of every order."""
    log, flow = list(told_of(folder(LOG))), list(systems.sap_flow(folder(FLOW)))
    if request.param:
        log, flow = shuffled(log, 1), shuffled(flow, 2)
    told = [*log, *flow, *arrivals(tangled(folder(LOG), order_log_cases(folder(LOG))))]
    with shelf.lend() as store:
        # Cut across, so that each of the three is spread over the ticks.
        return tell(store, [told[start::TICKS] for start in range(TICKS)])


def shuffled(events: list[bytes], seed: int) -> list[bytes]:
    """Return the events in any order, every fifth twice."""
    rng = random.Random(seed)
    events = [*events, *rng.sample(events, k=len(events) // 5)]
    rng.shuffle(events)
    return events


def arrivals(tangle: list[bytes]) -> list[bytes]:
    """Return the same events many times under ids of their own, each time in another order with duplicates."""
    rng = random.Random(3)
    events: list[bytes] = []
    for number in range(ARRIVALS):
        own = [renamed(line, number) for line in tangle]
        own += rng.sample(own, k=len(own) // 5)
        rng.shuffle(own)
        events += own
    return events


def tell(store: Store, shares: list[list[bytes]]) -> Case:
    """Send events through the collector's intake, a tick after each share, and return the objects of every order."""
    milestones, sender = frozenset(BOOK.milestones), Principal("test", frozenset({"admin"}))
    with store.writer() as client:
        record_calendars(client, BOOK)
        workspace.prepare(client, COMPILED)
        for share in shares:
            batch = take(
                share,
                senders=Senders(NOBODY, sender, NOW), milestones=milestones, identities=Identities(), now=NOW, utf8=True,
            )  # fmt: skip
            assert (batch.reply.rejected, batch.reply.quarantined) == ([], 0)
            store_lines(client, bytes(batch.lines))
            run_cycle(client, COMPILED, NOBODY, NOW, "test", everything=False)
    found: Case = defaultdict(set)
    with judged(store, lambda _: BOOK, NOBODY, as_of=NOW, known_at=NOW) as client:
        rows = client.query(
            "SELECT o.order_id, m.object_type, m.object_id FROM judged_members AS m "
            "INNER JOIN judged_orders AS o ON o.order_no = m.order_no WHERE o.on_board AND m.object_type != 'order'"
        ).result_rows
        empty = client.query("SELECT order_id FROM judged_orders WHERE on_board").result_rows
    for order_id, object_type, object_id in rows:
        found[order_id].add((object_type, object_id))
    return {order_id: found[order_id] for (order_id,) in empty}


def folder(name: str) -> Path:
    path = convert.DATA / name
    if not path.is_dir():
        pytest.skip(f"the shared data set {name} is not at {path}")
    return path


@cache
def told_of(path: Path) -> tuple[bytes, ...]:
    """Return the events of the order log, read once."""
    return tuple(systems.order_log(path))


@cache
def order_log_cases(path: Path) -> Case:
    """Every order with its items, the packages that hold one of them, and its payments; worked out once."""
    log = OrderLog(path)
    cases: Case = defaultdict(set)
    for item, order in log.item_order.items():
        cases[str(order)].add(("order_line", str(item)))
        if item in log.item_package.index:
            cases[str(order)].add(("shipment", str(log.item_package[item])))
    for row in convert.order_log_rows(log.folder):
        if row.activity == "pay order":
            for order in row.orders:
                cases[order].add(("payment", f"pay-{row.eid}"))
    return dict(cases)


def sap_cases(path: Path) -> Case:
    """Every order with its deliveries, their goods movements and invoices, and invoices straight from the order."""
    after: dict[tuple[str, str], set[str]] = defaultdict(set)
    rows = systems.sap_rows(path)
    for row in rows:
        after[f"{row['VBTYP_V']}{row['VBTYP_N']}", row["VBELV"]].add(row["VBELN"])
    billed_by_delivery = {row["VBELN"] for row in rows if row["VBTYP_V"] == "J" and row["VBTYP_N"] == "M"}
    cases: Case = {}
    for order in {row["VBELV"] for row in rows if row["VBTYP_V"] == "C"}:
        mine = {("fulfillment", delivery) for delivery in after["CJ", order]}
        for delivery in after["CJ", order]:
            mine |= {("shipment", moved) for moved in after["JR", delivery]}
            mine |= {("invoice", invoice) for invoice in after["JM", delivery]}
        mine |= {("invoice", invoice) for invoice in after["CM", order] - billed_by_delivery}
        cases[order] = mine
    return cases


def different(found: Case, expected: Case) -> list[str]:
    wrong = [f"{order}: only on one side" for order in found.keys() ^ expected.keys()]
    wrong += [
        f"{order}: {sorted(found[order] ^ expected[order])[:4]}"
        for order in found.keys() & expected.keys()
        if found[order] != expected[order]
    ]
    return sorted(wrong)[:8]


def test_the_order_log_of_five_systems_and_the_document_flow_of_four(found: Case) -> None:
    """Deliveries of several orders and invoices over several deliveries are under each of them and join none."""
    log, flow = order_log_cases(folder(LOG)), sap_cases(folder(FLOW))
    shared = Counter(ref for case in flow.values() for ref in case)
    assert len(log) == 429
    assert len(flow) > 150
    assert not log.keys() & flow.keys()
    assert max(shared.values()) > 1
    assert different({order: case for order, case in found.items() if "~" not in order}, log | flow) == []


def test_random_arrivals_end_in_one_result(found: Case) -> None:
    """The same two tangled orders, many times under ids of their own, each time in another order with duplicates."""
    expected = order_log_cases(folder(LOG))
    pair = orders_of(tangled(folder(LOG), expected))
    copies = {order: case for order, case in found.items() if "~" in order}
    results = {
        frozenset((order.split("~")[0], *(part.split("~")[0] for part in ref)) for ref in case)
        for order, case in copies.items()
    }
    assert results == {frozenset((order, *ref) for ref in expected[order]) for order in pair}
    assert len(copies) == ARRIVALS * len(pair)


def tangled(path: Path, expected: Case) -> list[bytes]:
    """Return the events of two orders that share a package, and of nothing else."""
    holders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for order, case in expected.items():
        for ref in case:
            holders[ref].add(order)
    pair = min(
        (orders for ref, orders in holders.items() if ref[0] == "shipment" and len(orders) == 2),
        key=lambda orders: (sum(len(expected[o]) for o in orders), sorted(orders)),
    )
    own = pair | {ref[1] for order in pair for ref in expected[order]}
    return [line for line in told_of(path) if named(line) <= own]


def named(line: bytes) -> set[str]:
    """Return the bare ids that an event names."""
    found: set[str] = set()
    for key, value in json.loads(line)["data"].items():
        if key.endswith("_id"):
            found |= {i.rpartition("/")[2] for i in ([value] if isinstance(value, str) else value)}
    return {i for i in found if not i.startswith("pay-")} or found


def orders_of(lines: list[bytes]) -> set[str]:
    """Return the ERP's numbers of the orders that are accepted."""
    return {json.loads(line)["data"]["order_id"] for line in lines if b"o2c.order_accepted" in line}


def renamed(line: bytes, number: int) -> bytes:
    """Return an event with every id, its own too, under a copy's name."""
    made = json.loads(line)
    made["id"] += f"~{number}"
    data = made["data"]
    for key, value in data.items():
        if key.endswith("_id"):
            data[key] = f"{value}~{number}" if isinstance(value, str) else [f"{i}~{number}" for i in value]
        elif key == "links":
            data[key] = [{**link, **{end: f"{link[end]}~{number}" for end in ("from", "to")}} for link in value]
    return json.dumps(made).encode()


def store_lines(client: Client, lines: bytes) -> None:
    """Insert journal lines as the drain does."""
    client.raw_insert(
        "arrivals", insert_block=lines, fmt="JSONEachRow", settings={"date_time_input_format": "best_effort"}
    )
