"""What figures are counted from: the orders of a window, what they reached, and sums over named queries.

Every query `value_<units>.sql` gives rows of one shape (order, stage, thing, at, measure, other, good, amount), so that
a figure, its course over time and the orders behind it are the same rows, added up, put in buckets or listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from clickhouse_connect.driver.client import Client

from rules.calendar_sql import with_clause, working_ms_sql
from rules.compile.authority import authority_sql
from rules.compile.quote import text, texts
from rules.model import Book
from tower.store.sql import load

# What a person does about an order or a message, as the audit names it. Reading and housekeeping are no handling.
TOUCHES = (
    "retry", "replay", "compensate", "redirect", "mark_done", "note", "link", "unlink", "replay_raw", "discard",
    "approve", "acknowledge",
)  # fmt: skip
# Units that lack something: what they are, and what they lack.
_LACKING = {"unbilled": ("ship", "invoice"), "unshipped": ("invoice", "ship")}
_TABLES = ("value_scope", "value_reached", "value_links")


@dataclass(frozen=True, slots=True)
class Window:
    """From an instant up to, and without, another."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the rows of one query; all nought for none. Quantiles are null where nothing was measured."""

    units: int = 0
    things: int = 0
    orders: int = 0
    good: int = 0
    measured: int = 0
    measure_sum: float | None = None
    other_sum: float | None = None
    measure_p50: float | None = None
    measure_p90: float | None = None
    other_p50: float | None = None
    other_p90: float | None = None
    amount_sum: Decimal | None = None
    good_amount: Decimal | None = None
    unpriced_units: int = 0
    amount_seconds: float | None = None


_NAMES = [f.name for f in fields(Totals)]


@dataclass
class Ground:
    """Temporary tables on a reader's client, for one look at the orders. Use it as a context: it clears up.

    orders, breaches: the tables to read; as_of and known_at: the moment that look is about; widest: the window that
    holds every window that will be asked for.
    """

    client: Client
    orders: str
    breaches: str
    book: Book
    kinds: frozenset[str] | None
    as_of: datetime
    known_at: datetime
    widest: Window

    def __enter__(self) -> Self:
        try:
            self._prepare()
        except BaseException:
            self._drop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._drop()

    def _prepare(self) -> None:
        means = [(name, meaning) for meaning, names in self.book.value.means.items() for name in names]
        moment = {"as_of": self.as_of, "known_at": self.known_at}
        window = {"since": self.widest.since, "until": self.widest.until}
        self.client.command(load("value_scope").replace("$orders", self.orders), parameters=window)
        reached = load("value_reached").replace(
            "$authority", authority_sql(self.book, self.kinds, "f.milestone", "o", "ifNull(n.target, f.object)")
        )
        pairs = ", ".join(f"({text(name)}, {text(meaning)})" for name, meaning in means)
        reached = reached.replace("$meanings", f"CAST([{pairs}] AS Array(Tuple(String, String)))")
        self.client.command(reached, parameters=moment)
        ends = {"below": self.types("invoice"), "above": self.types("ship")}
        self.client.command(load("value_links"), parameters={**moment, **ends})

    def _drop(self) -> None:
        for table in _TABLES:
            self.client.command(f"DROP TEMPORARY TABLE IF EXISTS {table}")

    def types(self, meaning: str) -> list[str]:
        """Return the types of the objects that milestones of a meaning are about."""
        known = (self.book.milestones.get(name) for name in self.book.value.means.get(meaning, ()))
        return sorted({m.object for m in known if m is not None})

    def has(self, meaning: str) -> bool:
        """Return whether the book has a milestone of this meaning."""
        return bool(self.types(meaning))

    def units(self, name: str) -> str:
        """Return the query of some units, ready but for what the server binds."""
        acts = ", ".join(text(act) for act in TOUCHES)
        sql = self._matched(name) or load(f"value_{name}")
        sql = sql.replace("$orders", self.orders).replace("$breaches", self.breaches)
        sql = sql.replace("$acts", acts)
        calendar = self.book.calendars.get(self.book.value.calendar or "")
        if calendar is None:
            return sql.replace("$with", "").replace("$open", "dateDiff('millisecond', since_at, at) / 1000")
        opened = f"{working_ms_sql(calendar, 'since_at', 'at')} / 1000"
        return sql.replace("$with", "WITH " + ", ".join(with_clause(calendar))).replace("$open", opened)

    @staticmethod
    def _matched(name: str) -> str:
        """Return the query of things that lack what belongs to them; '' where the units are no such things."""
        if name not in _LACKING:
            return ""
        thing, other = _LACKING[name]
        return load("value_unmatched").replace("$thing", thing).replace("$other", other)

    def bound(self, window: Window) -> dict[str, Any]:
        """Return the values that every query may bind."""
        return {
            "since": window.since, "until": window.until, "as_of": self.as_of, "known_at": self.known_at,
            "whole": self.types("fulfil"),
        }  # fmt: skip

    def totals(self, name: str, window: Window, bucket: str = "''") -> dict[str, Totals]:
        """Return the sums of some units in a window by bucket, an expression of ours over their rows."""
        sql = load("value_total").replace("$bucket", bucket).replace("$units", self.units(name))
        rows = self.client.query(sql, parameters=self.bound(window)).result_rows
        return {str(row[0]): Totals(**dict(zip(_NAMES, row[1:], strict=True))) for row in rows}

    def total(self, name: str, window: Window) -> Totals:
        """Return the sums of some units in a window."""
        return self.totals(name, window).get("", Totals())

    def listed(self, name: str, window: Window, where: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows behind a figure; values binds limit, after and what `where` names."""
        sql = load("value_orders").replace("$units", self.units(name)).replace("$where", where)
        found = self.client.query(sql, parameters={**self.bound(window), **values})
        return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]

    def phase_sql(self) -> str:
        """Return the phase of a row's stage as SQL; 'other' for a stage that is in none."""
        phase_of = {stage: phase.name for phase in self.book.value.phases for stage in phase.stages}
        # A milestone that failed without a clock waiting for it counts where its stage does.
        failed = {f"{s.end.milestone}.failed": phase_of[s.id] for s in self.book.stages if s.id in phase_of}
        pairs = [*phase_of.items(), *failed.items()]
        return f"transform(stage, {texts(s for s, _ in pairs)}, {texts(p for _, p in pairs)}, 'other')"
