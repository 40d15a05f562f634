"""The book of the tick's measurement asks for every kind of finding, and the odd orders are taken by the door."""

from __future__ import annotations

import re
from datetime import timedelta

from bench import events
from bench.events import NOW
from bench.kinds import CONNECTIONS, KINDS, everything_on, odd_orders
from rules.compile import compile_book


def test_every_kind_of_finding_is_in_the_compiled_text() -> None:
    book = everything_on()
    text = compile_book(book, CONNECTIONS.kinds).text
    assert [kind for kind in sorted(KINDS - {"feed_late"}) if not re.search(rf"kind: {kind}\b", text)] == []
    assert [r.id for r in book.findings if f"/* rule: {r.id} */" not in text] == []


def test_all_warnings_go_by_odds_and_some_feed_is_promised() -> None:
    book = everything_on()
    assert [s.id for s in book.stages if s.at_risk is not None] == []
    assert sum(s.odds is not None for s in book.stages) > 8
    assert {f.connection for f in book.feeds} <= {c.name for c in CONNECTIONS.entries}


def test_each_odd_order_becomes_usable_journal_lines_of_a_known_connection() -> None:
    lines = events.journal_lines(odd_orders(8), NOW - timedelta(hours=1), CONNECTIONS)
    assert len(lines) == 20  # four, two, two and two for each four orders
    assert not [line for line in lines if b'"quarantine"' in line or b'"connection":""' in line]
