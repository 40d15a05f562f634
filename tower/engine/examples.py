"""The examples a rulebook carries, run on a real store: given events, expected findings and states."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from clickhouse_connect.driver.client import Client

from rules.compile import Compiled
from rules.model import Book, Example
from rules.vocabulary import ID_FIELDS, ORDER_ATTRIBUTES, POLARITIES, deepest, infer_links
from tower.engine import verdicts, workspace
from tower.engine.books import compiled_for, record_calendars
from tower.engine.correlate import correlate
from tower.engine.cycle import DAWN
from tower.store.client import Store

_FAR = datetime(2199, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """How one example went; detail says expected against found."""

    name: str
    ok: bool
    detail: str = ""


def run_examples(book: Book, store: Store) -> list[ExampleResult]:
    """Run every example of the book on a store that holds nothing else, and return how each went.

    All examples are taken in at once, their ids kept apart by a prefix, and judged moment by moment.
    """
    compiled = compiled_for(book, None)
    by_moment: dict[datetime, list[int]] = {}
    for number, example in enumerate(book.examples):
        by_moment.setdefault(datetime.fromisoformat(example.as_of.replace("Z", "+00:00")), []).append(number)
    results: dict[int, ExampleResult] = {}
    with store.writer() as client:
        record_calendars(client, book)
        workspace.prepare(client, compiled)
        lines = [
            _event(book, f"{number}:", place, given)
            for number, example in enumerate(book.examples)
            for place, given in enumerate(example.given)
        ]
        if lines:
            client.raw_insert("events", insert_block=b"\n".join(lines), fmt="JSONEachRow")
        client.command("CREATE OR REPLACE TEMPORARY TABLE touched (order_no UInt64) ENGINE = Memory")
        correlate(client, DAWN, _FAR)
        workspace.set_marks(client, [])
        for moment, numbers in by_moment.items():
            found, states = _judge(client, compiled, moment, numbers)
            for number in numbers:
                prefix = f"{number}:"
                rows = [(r, k, o.removeprefix(prefix)) for r, k, o in found if o.startswith(prefix)]
                own = {o.removeprefix(prefix): state for o, state in states.items() if o.startswith(prefix)}
                results[number] = _compare(book.examples[number], rows, own)
    return [results[number] for number in sorted(results)]


def _judge(
    client: Client, compiled: Compiled, moment: datetime, numbers: list[int]
) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    select = (
        "SELECT DISTINCT order_no, object, order_id FROM order_objects "
        "WHERE toUInt32OrZero(splitByChar(':', order_id)[1]) IN {numbers:Array(UInt32)}"
    )
    orders = workspace.set_scope(client, select, {"numbers": numbers})
    workspace.judge(client, compiled, moment, moment, orders)
    verdicts.shape_breaches(client, compiled, moment)
    found = client.query("SELECT rule, kind, object_id FROM judged_breaches").result_rows
    on_board = client.query("SELECT order_id, state FROM judged_orders WHERE on_board").result_rows
    return [(str(r), str(k), str(o)) for r, k, o in found], {str(o): str(state) for o, state in on_board}


def _compare(example: Example, found: Iterable[Any], states: dict[str, str]) -> ExampleResult:
    rule = example.expect.get("rule")
    wanted = sorted(
        (str(f.get("rule") or rule), str(f["kind"]), str(f.get("object") or ""))
        for f in example.expect.get("findings", ())
    )
    rows = sorted((str(r), str(k), str(o)) for r, k, o in found)
    if rule:
        rows = [r for r in rows if r[0] == rule]
    wrong: list[str] = []
    if [w[:2] for w in wanted] != [r[:2] for r in rows] or any(w[2] and w not in rows for w in wanted):
        wrong.append(f"findings: expected {wanted}, found {rows}")
    for order_id, state in (example.expect.get("states") or {}).items():
        if states.get(order_id) != state:
            wrong.append(f"order {order_id}: expected {state}, found {states.get(order_id, 'not on the board')}")
    if wrong and example.where:
        wrong.insert(0, f"{example.where}:")
    name = f"{rule}: {example.name}" if rule else example.name
    return ExampleResult(name, not wrong, "\n".join(wrong))


def _event(book: Book, prefix: str, place: int, given: dict[str, Any]) -> bytes:
    """Return the row of `events` that a given event stands for."""
    name, _, suffix = str(given["milestone"]).partition(".")
    polarity = suffix if suffix in POLARITIES else "reached"
    owners = book.milestones[name].authority
    usual = next((o for o in owners if not o.when.any_of), owners[0] if owners else None)
    kind = str(given.get("from") or (usual.kind if usual else "example"))
    named: dict[str, list[str]] = {}
    for field, object_type in ID_FIELDS.items():
        value = given.get(field)
        if value:
            ids = value if isinstance(value, list | tuple) else [value]
            named[object_type] = [f"{prefix}{v}" for v in ids]
    links = infer_links(named)
    on = deepest(named, links)
    at = str(given["at"])
    key = f"example-{prefix}{place:03d}"
    number = int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
    row: dict[str, Any] = {
        "received_at": at, "occurred_at": at, "connection": "", "kind": kind, "source": f"/{kind}",
        "event_id": key, "ev": number, "body": number, "type": f"o2c.{given['milestone']}",
        "milestone": name, "polarity": polarity,
        "on_types": [r.type for r in on], "on_ids": [r.id for r in on],
        "child_types": [x.child.type for x in links], "child_ids": [x.child.id for x in links],
        "parent_types": [x.parent.type for x in links], "parent_ids": [x.parent.id for x in links],
        "relations": [x.relation for x in links], "retracts": [0] * len(links),
    }  # fmt: skip
    for field in (*ORDER_ATTRIBUTES, "reason", "error"):
        if given.get(field) is not None:
            row[field] = str(given[field])
    return json.dumps(row).encode()
