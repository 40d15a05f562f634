"""What messages have looked like: one row per field, type and code of each kind of message of each connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime

from tower.store.client import Store
from tower.store.sql import load


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing seen in messages of a kind.

    kind: field (value is its type), code (value is the code), or messages (how many were looked at). drifted: it was
    not there while the shape was learned, and nobody has accepted it since. was: the types that the field had before.
    raw_id: the first message that showed it.
    """

    connection: str
    topic: str
    kind: str
    path: str
    value: str
    first_at: datetime
    last_at: datetime
    messages: int
    drifted: bool
    was: str
    raw_id: str

    @property
    def key(self) -> tuple[str, ...]:
        """What names it."""
        return (self.connection, self.topic, self.kind, self.path, self.value)

    def again(self, at: datetime) -> Trait:
        """Return it seen once more."""
        return replace(self, last_at=max(at, self.last_at), messages=self.messages + 1)


_COLUMNS = [f.name for f in fields(Trait)]


def read_traits(store: Store) -> list[Trait]:
    """Return everything ever seen."""
    with store.reader() as client:
        return [Trait(*row) for row in client.query(load("shapes")).result_rows]


def write_traits(store: Store, traits: Sequence[Trait]) -> None:
    """Write newer states of traits."""
    with store.writer("shapes") as client:
        client.insert("shapes", [list(astuple(t)) for t in traits], column_names=_COLUMNS)
