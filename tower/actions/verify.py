"""Whether the business moved: what the facts say about items, by the contract that travels with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from clickhouse_connect.driver.client import Client

from rules.compile.authority import asked_sql, authority_sql, columns
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
    """Return what the facts say about items that wait for them, by item.

    An item of whose order nothing was heard since it was sent, and whose time is not over, is left out.
    kinds: system kinds with a connection, None when none are configured.
    """
    with store.reader() as client, _tables(client) as fill:
        fill("seen_wanted", {"now": now})
        fill("seen_due")
        news = [bool(row[0]) for row in client.query("SELECT news FROM seen_due").result_rows]
        if not news:
            return {}
        fill("seen_orders", columns=", ".join(columns("").values()))
        asked = asked_sql(book, kinds, "wanted.milestone", "o", "wanted.object")
        rows = client.query(load("seen_asked").replace("$asked", asked)).result_rows
        told = {item_id: Told(tuple(kinds_asked)) for item_id, kinds_asked in rows}
        if not any(news):
            return told
        for table in ("seen_named", "seen_hanging", "seen_places"):
            fill(table)
        authority = authority_sql(book, kinds, "facts.milestone", "o", "facts.object")
        rows = client.query(load("seen_told").replace("$authority", authority)).result_rows
    for item_id, first_at, seen, standing, harm in rows:
        told[item_id] = replace(
            told[item_id],
            seen_at=first_at if seen else None,
            standing=tuple((milestone, name, bool(new)) for milestone, name, new in standing),
            harm=tuple((milestone, what, at) for milestone, what, at in sorted(harm)),
        )
    return told


@contextmanager
def _tables(client: Client) -> Iterator[Callable[..., None]]:
    """Hold a function that makes a temporary table of the named SQL; they are dropped in the end.

    One statement for all would be planned as often as it names each of its steps: many times the cost.
    """
    made: list[str] = []

    def fill(name: str, values: dict[str, datetime] | None = None, **parts: str) -> None:
        select = load(name)
        for part, text in parts.items():
            select = select.replace(f"${part}", text)
        made.append(name)
        client.command(f"CREATE OR REPLACE TEMPORARY TABLE {name} ENGINE = Memory AS\n{select}", parameters=values)

    try:
        yield fill
    finally:
        for name in made:
            client.command(f"DROP TEMPORARY TABLE IF EXISTS {name}")
