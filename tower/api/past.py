"""Orders now or as of an instant: one way in for every endpoint that takes as_of and known_at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from clickhouse_connect.driver.client import Client
from pydantic import BaseModel, ConfigDict, Field

from rules.model import Book
from rules.odds import Curves
from tower.api.context import ApiContext
from tower.api.jeopardy_rows import curves_at
from tower.api.wire import Instant
from tower.engine.replay import book_known_at, judged
from tower.store.client import Store


class Moment(BaseModel):
    """As of when, by what was known when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: Annotated[Instant | None, Field(description="Judge with the facts up to this instant")] = None
    known_at: Annotated[Instant | None, Field(description="Use only what was known at this instant")] = None

    @property
    def past(self) -> bool:
        """Whether another moment than the present is asked for; what is past cannot be acted upon."""
        return self.as_of is not None or self.known_at is not None


@dataclass(frozen=True, slots=True)
class Look:
    """A client with where to find orders and breaches, as of when, and the book they were judged by."""

    client: Client
    orders: str
    breaches: str
    book: Book
    as_of: datetime
    known_at: datetime


def book_then(context: ApiContext, known_at: datetime | None) -> Book:
    """Return the rulebook that was in force at a moment; the present one for None, and where none is on record."""
    return (book_known_at(context.store, known_at) if known_at is not None else None) or context.book()


def curves_of(seen: Look, store: Store) -> Curves:
    """Return the survival curves that were known at the moment of a look."""
    return curves_at(seen.client, store, min(seen.as_of, seen.known_at))


@contextmanager
def look(
    context: ApiContext,
    now: datetime,
    as_of: datetime | None,
    known_at: datetime | None,
    order_ids: list[str] | None = None,
) -> Iterator[Look]:
    """Hold a look at the orders: the stored verdicts when neither instant is given, else a fresh judgement.

    as_of defaults to known_at, known_at to now. order_ids narrows a fresh judgement to some orders.
    """
    if as_of is None and known_at is None:
        with context.store.reader() as client:
            yield Look(client, "orders FINAL", "breaches FINAL", context.book(), now, now)
        return
    known = known_at or now
    moment = as_of or known

    def book_for(at: datetime) -> Book:
        return book_then(context, at)

    with judged(
        context.store, book_for, context.connections, as_of=moment, known_at=known, order_ids=order_ids
    ) as client:
        yield Look(client, "judged_orders", "judged_breaches", book_for(known), moment, known)
