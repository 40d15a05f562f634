"""Gaps in control numbers: late and repeated ones, recycling, restarts, and numberings that were never without gaps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.oracle import Said
from tests.engine.world import line
from tower.engine.numbering import DAYS, Block, Gaps, gaps, read_gaps
from tower.store.client import Store

MONDAY = date(2026, 6, 1)
BLOCK = 4096


def block_up(heard: dict[date, set[int]]) -> list[Block]:
    """Return the blocks that the store makes of the numbers heard on each day."""
    every = set().union(*heard.values())
    made = []
    for number in sorted({n // BLOCK for n in every}):
        held = {n for n in every if n // BLOCK == number}
        by_day = {d: sorted(n for n in numbers if n // BLOCK == number) for d, numbers in heard.items()}
        days = [(d, n[0], n[-1]) for d, n in sorted(by_day.items()) if n]
        missing = [n for n in range(min(held), max(held)) if n not in held]
        made.append(Block(min(held), max(held), missing, days))
    return made


def look(*days: set[int] | range) -> Gaps:
    """Return the gaps of numbers heard on consecutive days."""
    return gaps("isa", block_up({MONDAY + timedelta(days=i): set(n) for i, n in enumerate(days)}))


def test_a_numbering_without_holes_misses_nothing() -> None:
    assert look(range(1, 9000)) == Gaps("isa", 0, (), 0, 8999)


def test_holes_are_told_as_ranges() -> None:
    found = look(set(range(10, 30)) - {15, 17, 18, 19})
    assert (found.missing, found.ranges) == (4, ((15, 15), (17, 19)))


def test_what_comes_late_or_twice_leaves_no_hole() -> None:
    assert look({1, 2, 4, 5}, {3, 4}).missing == 0


def test_a_hole_between_two_days_is_one() -> None:
    assert look(range(1, 500), range(900, 1200)).ranges == ((500, 899),)


def test_a_numbering_that_recycles_has_no_hole_between_its_ends() -> None:
    """X12 counts to 999,999,999 and begins at 1 again; what is missing around the seam is told."""
    top = 999_999_999
    assert look({top - 1, top, 1, 2}).ranges == ()
    found = look({top - 3, top - 2}, {top, 2, 3})
    assert found.restarts == 1
    assert found.ranges == ((1, 1), (top - 1, top - 1))
    assert look({2**31 - 3, 2**31 - 2, 1}).ranges == ((2**31 - 1, 2**31 - 1),)


def test_a_restart_is_no_hole() -> None:
    """A partner's new system counts from 1 again, long before the end."""
    assert look(range(5000, 5011), range(1, 21)) == Gaps("isa", 0, (), 1, 20)
    assert look(range(800, 813), range(1, 21)) == Gaps("isa", 0, (), 1, 20)
    # The other way round the numbers between were skipped, and that is what a hole is.
    assert look(range(1, 800), range(1200, 1300)).ranges == ((800, 1199),)


def test_a_small_hole_is_one_whatever_the_days() -> None:
    assert look({1, 2, 5, 6}, {3}).ranges == ((4, 4),)


def test_offsets_and_times_are_no_numbering_without_gaps() -> None:
    assert look({1, 50, 99, 200, 300}) == Gaps("isa", 0, (), 0, 300)


def test_only_the_latest_ranges_are_listed_but_all_are_counted() -> None:
    found = look(set(range(1, 1000)) - set(range(2, 400, 2)))
    assert (found.missing, len(found.ranges), found.ranges[-1]) == (199, 50, (398, 398))


@settings(max_examples=150, deadline=None)
@given(st.sets(st.integers(1, 400), min_size=1), st.integers(0, 3 * BLOCK), st.lists(st.integers(0, 4), min_size=8))
def test_missing_is_what_lies_between_and_was_not_heard(numbers: set[int], at: int, days: list[int]) -> None:
    """Whatever arrives on which day, across the edges of blocks: plain set arithmetic, unless most is missing."""
    heard: dict[date, set[int]] = {}
    for n in numbers:
        heard.setdefault(MONDAY + timedelta(days=days[n % len(days)]), set()).add(at + n)
    every = {at + n for n in numbers}
    missing = set(range(min(every), max(every))) - every
    found = gaps("x", block_up(heard))
    told = {n for low, high in found.ranges for n in range(low, high + 1)}
    if found.restarts:
        assert told <= missing
    elif len(missing) > len(every):
        assert not told
    elif len(found.ranges) < 50:
        assert told == missing and found.missing == len(missing)


def test_the_store_keeps_numbers_by_connection_and_numbering(make_store: Callable[[], Store]) -> None:
    now = datetime(2026, 6, 20, 12, tzinfo=UTC)

    def row(number: int, sequence_of: str, at: datetime = now, connection: str = "edi") -> bytes:
        said = Said(f"{connection}{sequence_of}{number}{at}", at, "edi", "order_captured", "reached", (("order", "O"),))
        return line(said, at, connection).replace(b"{", b'{"sequence_of": "%s", "sequence": %d, ' % (sequence_of.encode(), number), 1)  # fmt: skip

    rows = [row(n, "isa:ACME") for n in (4094, 4095, 4096, 4099, 4099)]
    rows += [row(n, "isa:GLOBEX") for n in (7, 8)] + [row(n, "/wms", connection="wms") for n in (1, 3, 4)]
    rows += [row(9, "isa:OLD", now - timedelta(days=DAYS + 1)), row(1, "isa:ACME", connection="other")]
    store = make_store()
    with store.writer() as client:
        client.raw_insert("events", insert_block=b"\n".join(rows), fmt="JSONEachRow")
        client.raw_insert("events", insert_block=rows[0], fmt="JSONEachRow")
        found = read_gaps(client, ["edi", "wms"], now.date())
    assert found == {
        "edi": [Gaps("isa:ACME", 2, ((4097, 4098),), 0, 4099), Gaps("isa:GLOBEX", 0, (), 0, 8)],
        "wms": [Gaps("/wms", 1, ((2, 2),), 0, 4)],
    }
