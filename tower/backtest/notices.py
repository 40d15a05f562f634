"""How many verdicts a receiver would hear of on a day, under each book."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rules.model import Book


def per_day(days: Iterable[Mapping[str, Any]], old: Book, new: Book) -> list[dict[str, Any]]:
    """Return openings by day and receiver under both books, by day.

    The receiver is the owner that the rule names; '' where it names none.
    """
    owners = {name: _owners(book) for name, book in (("under_old", old), ("under_new", new))}
    counts: dict[tuple[Any, str], Counter[str]] = {}
    for row in days:
        for side, owner in owners.items():
            if row[side]:
                counts.setdefault((row["day"], owner.get(row["rule"], "")), Counter())[side] += row[side]
    return [
        {"day": day, "receiver": receiver, "under_old": c["under_old"], "under_new": c["under_new"]}
        for (day, receiver), c in sorted(counts.items())
    ]


def _owners(book: Book) -> dict[str, str]:
    return {s.id: s.owner for s in book.stages} | {f.id: f.owner for f in book.findings}
