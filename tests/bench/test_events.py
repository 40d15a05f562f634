"""The generated events are what they claim: seeded, about 500 bytes, and taken by the door without exception."""

from __future__ import annotations

from bench import events
from bench.events import NOW


def test_the_same_seed_gives_the_same_events() -> None:
    one, other = ([s.text for s in events.orders(7, 20, "T", NOW)] for _ in range(2))
    assert one == other
    assert len(one) == 20 * events.EVENTS_PER_ORDER
    assert one != [s.text for s in events.orders(8, 20, "T", NOW)]


def test_they_are_about_500_bytes() -> None:
    sizes = [len(s.text) for s in events.orders(1, 50, "T", NOW)]
    assert 480 <= sum(sizes) / len(sizes) <= 540


def test_each_becomes_a_usable_journal_line() -> None:
    lines = events.journal_lines(events.orders(1, 20, "T", NOW), NOW)
    assert len(lines) == 20 * events.EVENTS_PER_ORDER
    assert not [line for line in lines if b'"quarantine"' in line]


def test_batches_hold_every_event_once() -> None:
    bodies = events.batches(events.orders(1, 20, "T", NOW), 100)
    assert [body.count(b"\n") + 1 for body in bodies] == [100, 100, 40]
