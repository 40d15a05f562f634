"""Real process logs and an SAP document flow under small books: every finding equals a plain recomputation from the rows."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.compile import compile_book
from rules.parse import load_book
from tests.engine.oracle import Said
from tests.engine.world import line
from tests.real import plain_logs
from tests.real.convert import DATA
from tests.real.logs import BOOKS, FULL, LOGS, document_flow, documents
from tower.engine import workspace
from tower.engine.books import record_calendars
from tower.engine.cycle import run_cycle
from tower.model.connections import Connections
from tower.store.client import Store

# Findings by rule and kind in the share of the cases that a test takes (tests/real/logs.py).
COUNTS: dict[str, dict[tuple[str, str], int]] = {
    "bills": {("bill", "late"): 30, ("billed-uncoded", "out_of_order"): 8, ("coded.failed", "failing"): 10},
    "documents": {("billed-twice", "duplicate"): 1, ("issue", "late"): 44},
    "fines": {
        ("paid-twice", "duplicate"): 13, ("paid-unsent", "out_of_order"): 4, ("pay", "late"): 10, ("pay", "out_of_order"): 3,
        ("send", "late"): 18, ("send", "too_fast"): 7,
    },
    "purchases": {
        ("billed-unreceived", "out_of_order"): 16, ("clear", "late"): 59, ("clear", "out_of_order"): 8,
        ("erp-hears-late", "sync_late"): 77, ("invoice-differs", "diverging"): 100, ("recorded-twice", "duplicate"): 39,
    },
    "tickets": {("complete", "late"): 15},
}  # fmt: skip


BY_TIME_ALONE = {"fines", "documents"}  # the others are judged in one tick, but for O2C_LOGS=full
pytestmark = pytest.mark.skipif(
    not (DATA / "process_logs").is_dir(), reason=f"the shared process logs are not at {DATA}"
)


def found(store: Store, book_name: str, said: list[Said], now: datetime) -> plain_logs.Found:
    """Return the findings of the engine in two ticks, the second by time alone; in one where others show that."""
    book = load_book(BOOKS / book_name)
    compiled = compile_book(book)
    with store.writer() as client:
        record_calendars(client, book)
        workspace.prepare(client, compiled)
        body = b"\n".join(line(s, now) for s in said)
        client.raw_insert("events", insert_block=body, fmt="JSONEachRow")
        for moment in (now - timedelta(days=20), now) if FULL or book_name in BY_TIME_ALONE else (now,):
            run_cycle(client, compiled, Connections(), moment, "test", everything=False)
        rows = client.query(
            "SELECT rule, kind, object_id, opened_at, resolved_at FROM breaches FINAL WHERE state != 'retracted'"
        ).result_rows
    return {(rule, kind, name): (opened, ended) for rule, kind, name, opened, ended in rows}


def differences(engine: plain_logs.Found, plain: plain_logs.Found) -> list[Any]:
    """Return the first places where the two differ."""
    keys = sorted(k for k in engine.keys() | plain.keys() if engine.get(k, "-") != plain.get(k, "-"))
    return [(key, engine.get(key, "-"), plain.get(key, "-")) for key in keys[:6]]


@pytest.mark.parametrize("name", sorted(LOGS))
def test_findings_in_a_real_log_are_those_of_a_plain_recomputation(store: Store, name: str) -> None:
    log = LOGS[name]
    rows = log.rows()
    now = rows["at"].max() + timedelta(days=1)
    plain = getattr(plain_logs, name)(rows, now)
    engine = found(store, name, list(log.says(rows)), now.to_pydatetime())
    assert differences(engine, plain) == []
    assert FULL or dict(Counter(key[:2] for key in engine)) == COUNTS[name]


def test_findings_in_a_document_flow_are_those_of_a_plain_recomputation(store: Store) -> None:
    orders, flows = document_flow()
    now = max(f.at for f in flows) + timedelta(days=1)
    engine = found(store, "documents", list(documents()), now)
    assert differences(engine, plain_logs.documents(orders, flows, now)) == []
    assert dict(Counter(key[:2] for key in engine)) == COUNTS["documents"]
