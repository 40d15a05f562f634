"""Which numbers of a sender's numbering are missing: interchange control numbers, or the `sequence` of CloudEvents.

Only the set of numbers heard counts, not the order in which they came. Numberings recycle (after 999,999,999 comes 1)
and are restarted by hand; a hole of more than MOST_MISSING numbers, or one whose upper side was heard on earlier days
than its lower side, is taken for that and not for missing messages. A numbering with more holes than numbers is none
that runs without gaps (offsets, times), so that nothing can be missing from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

from clickhouse_connect.driver.client import Client

from tower.store.sql import load

DAYS = 14  # how far back numbers are compared
MOST_MISSING = 10_000
SURELY_MISSING = 100  # a hole so small is never a restart
_SEAM = 1_000  # how far from its ends a numbering may have stopped and started again
_TOPS = (2**31 - 1, *(10**digits - 1 for digits in range(5, 20)))
MOST_RANGES = 50


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers heard that lie close together: the least, the greatest and what is missing between them.

    days: on which days numbers between which bounds were heard.
    """

    least: int
    most: int
    missing: Sequence[int]
    days: Sequence[tuple[date, int, int]]


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing from one numbering. ranges holds the latest MOST_RANGES holes, both ends included, lowest first."""

    sequence_of: str
    missing: int
    ranges: tuple[tuple[int, int], ...]
    restarts: int  # how often the numbering began anew or jumped
    latest: int  # greatest number of the last day


def gaps(sequence_of: str, blocks: Sequence[Block]) -> Gaps:
    """Return what is missing from the numbering whose numbers lie in these blocks, lowest first; one at least."""
    holes: list[tuple[int, int]] = []
    edges: list[tuple[int, int]] = []  # (last number before, first number after) of each restart
    for low, high, lower, upper in _holes(blocks):
        size = high - low + 1
        restarted = size > SURELY_MISSING and _latest_day(upper, high + 1) < _earliest_day(lower, low - 1)
        if size > MOST_MISSING or restarted:
            edges.append((low - 1, high + 1))
        else:
            holes.append((low, high))
    first, last = blocks[0].least, blocks[-1].most
    if edges and _earliest_day(blocks[0], first) >= _latest_day(blocks[-1], last):
        holes = [*_seam(first, last), *holes]
    missing = sum(high - low + 1 for low, high in holes)
    heard = sum(b.most - b.least + 1 - len(b.missing) for b in blocks)
    if missing > heard:
        holes, missing = [], 0
    _, latest = max((day, high) for b in blocks for day, _, high in b.days)
    return Gaps(sequence_of, missing, tuple(holes[-MOST_RANGES:]), len(edges), latest)


def read_gaps(client: Client, connections: Iterable[str], today: date) -> dict[str, list[Gaps]]:
    """Return connection -> one entry per numbering heard in the last days, by name of the numbering."""
    parameters = {"connections": list(connections), "since": today - timedelta(days=DAYS)}
    rows = client.query(load("feeds_numbers"), parameters=parameters).result_rows
    found: dict[str, list[Gaps]] = {}
    for (connection, sequence_of), group in groupby(rows, key=lambda r: (r[0], r[1])):
        blocks = [Block(int(r[2]), int(r[3]), r[4], r[5]) for r in group]
        found.setdefault(connection, []).append(gaps(sequence_of, blocks))
    return found


def _holes(blocks: Sequence[Block]) -> Iterator[tuple[int, int, Block, Block]]:
    """Yield each hole, both ends included, with the blocks of the numbers right below and above it; lowest first."""
    for i, block in enumerate(blocks):
        for low, high in _runs(block.missing):
            yield low, high, block, block
        if i + 1 < len(blocks) and blocks[i + 1].least > block.most + 1:
            yield block.most + 1, blocks[i + 1].least - 1, block, blocks[i + 1]


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each run of consecutive numbers."""
    cuts = [0, *(i for i, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1), len(numbers)]
    for low, high in pairwise(cuts):
        if high > low:
            yield numbers[low], numbers[high - 1]


def _seam(first: int, last: int) -> list[tuple[int, int]]:
    """Return what is missing where a numbering came to its end and began at 1 again."""
    top = next((t for t in _TOPS if 0 <= t - last <= _SEAM), None)
    if top is None or first > _SEAM:
        return []
    return [(low, high) for low, high in ((1, first - 1), (last + 1, top)) if low <= high]


def _latest_day(block: Block, number: int) -> date:
    return max((day for day, low, high in block.days if low <= number <= high), default=date.max)


def _earliest_day(block: Block, number: int) -> date:
    return min((day for day, low, high in block.days if low <= number <= high), default=date.min)
