"""Whether the business moved: what the facts say about items, by the contract that travels with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rules.compile.authority import asked_sql, authority_sql
from rules.model import Book
from tower.store.client import Store
from tower.store.sql import load


@dataclass(frozen=True, slots=True)
class Told:
    """What the facts say about one item.

    asked: all whose word can count. seen_at: when the contract's milestone occurred, from a fact that counts. standing:
    (milestone, object, heard since it was sent) of the milestones that may stand once. harm: (milestone, reversed or
    failed, when) of what was reached before it was sent and is not any more.
    """

    asked: tuple[str, ...] = ()
    seen_at: datetime | None = None
    standing: tuple[tuple[str, str, bool], ...] = ()
    harm: tuple[tuple[str, str, datetime], ...] = ()

    def doubled(self) -> str:
        """Return what stands more than once because of the item, in words; '' when nothing does."""
        counts = Counter(milestone for milestone, _, _ in self.standing)
        fresh = {milestone for milestone, _, new in self.standing if new}
        found = [name for name, count in sorted(counts.items()) if count > 1 and name in fresh]
        objects = {name: ", ".join(sorted(o for m, o, _ in self.standing if m == name)) for name in found}
        return "; ".join(f"{counts[name]} times {name}: {objects[name]}" for name in found)


def look(store: Store, book: Book, kinds: frozenset[str] | None, now: datetime) -> Mapping[str, Told]:
    """Return what the facts say about every item that waits for them, by item.

    kinds: system kinds with a connection, None when none are configured.
    """
    text = load("action_seen").replace("$asked", asked_sql(book, kinds, "wanted.milestone", "o", "wanted.object"))
    text = text.replace("$authority", authority_sql(book, kinds, "facts.milestone", "o", "facts.object"))
    with store.reader() as client:
        rows = client.query(text, parameters={"now": now}).result_rows
    return {
        item_id: Told(
            tuple(asked),
            first_at if seen else None,
            tuple((milestone, name, bool(new)) for milestone, name, new in standing),
            tuple((milestone, what, at) for milestone, what, at in sorted(harm)),
        )
        for item_id, asked, first_at, seen, standing, harm in rows
    }
