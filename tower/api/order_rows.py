"""From stored verdicts to board rows: ages, open time used, retries. Whole columns at a time, then JSON or Arrow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from rules.calendar import Calendar
from rules.model import Book, Value
from rules.odds import Curves
from rules.score import score_terms, total
from rules.vocabulary import STUCK_STATES
from tower.actions.policy import chosen
from tower.actions.tried import Tried, retry_open
from tower.api.jeopardy_rows import Failing, jeopardy_of, rounded, worst_clocks
from tower.api.wire import instant, money

Pauses = Sequence[tuple[datetime, datetime | None]]

_TEXT, _TIME, _MONEY, _COUNT = pa.string(), pa.timestamp("ms", tz="UTC"), pa.decimal128(38, 6), pa.int64()
_SHARE = pa.float64()
# The row as the public face has it, in its order.
COLUMNS: dict[str, pa.DataType] = {
    "order_id": _TEXT, "state": _TEXT, "stage": _TEXT, "since": _TIME, "due_at": _TIME, "age_s": _COUNT,
    "overdue_s": _COUNT, "priority": _TEXT, "amount": _MONEY, "currency": _TEXT, "value_at_risk": _MONEY,
    "customer_id": _TEXT, "customer_tier": _TEXT, "system": _TEXT, "error": _TEXT, "last_milestone": _TEXT,
    "last_at": _TIME, "next_milestone": _TEXT, "retries": _COUNT, "retryable": pa.bool_(), "version": _TEXT,
    "object_type": _TEXT, "object_id": _TEXT, "budget_s": _COUNT, "used_s": _COUNT, "reporting_amount": _MONEY,
    "closed_at": _TIME, "order_type": _TEXT, "warehouse": _TEXT, "company": _TEXT, "partner": _TEXT, "channel": _TEXT,
    "odds": _SHARE, "predicted_at": _TIME, "self_heal_odds": _SHARE, "score": _SHARE, "rate_date": _TEXT,
    "held_by": _TEXT, "assignee": _TEXT, "escalated_by": _TEXT, "closed_by": _TEXT,
}  # fmt: skip
_AGEING = frozenset({"age_s", "overdue_s", "used_s", "odds", "predicted_at", "self_heal_odds", "score"})
_MICRO = Decimal("0.000001")
_PLAIN: dict[pa.DataType, Callable[[Any], Any]] = {_TIME: instant, _MONEY: money}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the board; `columns` has the keys of COLUMNS."""

    columns: dict[str, list[Any]]
    total: int
    value_total: Decimal | None
    as_of: datetime
    next_cursor: str | None

    @property
    def etag(self) -> str:
        """A weak tag over everything but ages and as_of."""
        steady = [v for name, v in self.columns.items() if name not in _AGEING]
        content = msgspec.json.encode([steady, self.total, self.value_total])
        return f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'

    def json(self) -> bytes:
        """Return the page as JSON."""
        plain = [
            list(map(_PLAIN[kind], self.columns[name])) if kind in _PLAIN else self.columns[name]
            for name, kind in COLUMNS.items()
        ]
        orders = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*plain, strict=True)]
        return msgspec.json.encode({"orders": orders, **self._summary()})

    def arrow(self) -> bytes:
        """Return the page as an Arrow stream; total, value_total, as_of and next_cursor are metadata of its schema."""
        metadata = {k: "" if v is None else str(v) for k, v in self._summary().items()}
        schema = pa.schema(list(COLUMNS.items()), metadata=metadata)
        arrays = [pa.array(self.columns[name], type=kind) for name, kind in COLUMNS.items()]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        return bytes(sink.getvalue().to_pybytes())

    def _summary(self) -> dict[str, Any]:
        return {
            "total": self.total,
            "value_total": money(self.value_total or Decimal(0)),
            "as_of": instant(self.as_of),
            "next_cursor": self.next_cursor,
        }


def live_columns(
    stored: Mapping[str, Sequence[Any]],
    book: Book,
    now: datetime,
    retries: Mapping[int, int],
    tried: Mapping[tuple[int, str], Tried],
    curves: Curves,
    failing: Failing,
) -> dict[str, list[Any]]:
    """Return the columns of the page.

    stored: columns of api_orders.sql. retries: attempts by order number. tried: by (object, id of the book's action).
    curves: those in force. failing: see tower.api.jeopardy_rows.
    """
    columns: dict[str, list[Any]] = {name: list(stored[name]) for name in COLUMNS if name in stored}
    columns["age_s"] = [None if since is None else _seconds(now, since) for since in stored["since"]]
    columns["overdue_s"] = [
        max(0, _seconds(now, due)) if due is not None and state == "running" else 0
        for due, state in zip(stored["due_at"], stored["clock_state"], strict=True)
    ]
    clocks = zip(
        stored["clock_started_at"],
        stored["clock_used_s"],
        stored["clock_calendar"],
        stored["clock_pauses"],
        strict=True,
    )
    columns["used_s"] = [
        None if started is None else (used if used is not None else used_seconds(book, calendar, started, now, pauses))
        for started, used, calendar, pauses in clocks
    ]
    columns["retries"] = [retries.get(n, 0) for n in stored["order_no"]]
    columns["retryable"] = _retryable(stored, book, tried)
    found = [jeopardy_of(c, book, curves, failing, now) for c in worst_clocks(stored, columns["used_s"])]
    columns["odds"] = [rounded(j.odds) for j in found]
    columns["predicted_at"] = [j.predicted_at for j in found]
    columns["self_heal_odds"] = [rounded(j.self_heal_odds) for j in found]
    scores = terms_of(stored, book, columns["odds"], now)
    columns["score"] = [None if terms is None else total(terms) for terms in scores]
    columns["rate_date"] = rate_dates(book.value, stored)
    return {name: columns[name] for name in COLUMNS}


def _retryable(stored: Mapping[str, Sequence[Any]], book: Book, tried: Mapping[tuple[int, str], Tried]) -> list[bool]:
    """Return whether a retry of the worst clock would be taken now, by the policy for the order and its error."""
    names = ("clock_verdict", "stage", "clock_object", "held_by", "cases", "clock_error", "error")
    found: list[bool] = []
    for verdict, stage, target, held_by, cases, clock_error, error in zip(*(stored[n] for n in names), strict=True):
        action = book.action_for(stage) if verdict in STUCK_STATES and not held_by else None
        policy = None
        if action is not None and action.policy.cases:
            policy = chosen(action.policy, cases.get(action.id, ()), book.error_class(clock_error or error))
        found.append(retry_open(action, target, tried, policy))
    return found


def terms_of(
    stored: Mapping[str, Sequence[Any]], book: Book, odds: Sequence[float | None], now: datetime
) -> list[dict[str, float] | None]:
    """Return the points of each term of each row's score; None for closed orders."""
    names = ("closed_at", "state", "reporting_amount", "customer_tier", "since", "promised_at", "requested_at")
    rows = zip(*(stored[name] for name in names), odds, strict=True)
    return [
        None
        if closed is not None
        else score_terms(
            book.score,
            book.value,
            amount=None if amount is None else float(amount),
            tier=tier,
            since=since,
            promised_at=promised or requested,
            odds=1.0 if state in STUCK_STATES else chance,
            now=now,
        )
        for closed, state, amount, tier, since, promised, requested, chance in rows
    ]


def rate_dates(value: Value, stored: Mapping[str, Sequence[Any]]) -> list[str | None]:
    """Return the day from which the rate holds that each amount was converted by; None where nothing was converted."""
    rates = sorted(value.rates, key=lambda r: r.since, reverse=True)
    rows = zip(stored["amount"], stored["currency"], stored["reporting_amount"], strict=True)
    return [
        next((r.since for r in rates if r.currency == currency and abs(amount * r.rate - converted) < _MICRO), None)
        if amount and converted is not None
        else None
        for amount, currency, converted in rows
    ]


def used_seconds(book: Book, calendar: str, start: datetime, now: datetime, pauses: Pauses) -> int | None:
    """Return the open time a clock has used by now, pauses left out; None when the book no longer has its calendar.

    calendar: name, or name@hash as the engine stores it; '' is always open.
    """
    name = calendar.partition("@")[0]
    found = book.calendars.get(name)
    if name and found is None:
        return None
    used = _open(found, start, now)
    for begin, end in pauses:
        low, high = max(begin, start), min(end or now, now)
        if low < high:
            used -= _open(found, low, high)
    return max(0, used)


def _open(calendar: Calendar | None, start: datetime, end: datetime) -> int:
    if end <= start:
        return 0
    return calendar.working_seconds(start, end) if calendar else _seconds(end, start)


def _seconds(later: datetime, earlier: datetime) -> int:
    return int((later - earlier).total_seconds())
