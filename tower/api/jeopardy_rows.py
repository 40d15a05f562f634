"""Odds, predicted finish and self-heal odds of clocks, read off the curves in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from rules.errors import RulebookError
from rules.model import Book
from rules.odds import SEGMENT_ATTRIBUTES, Curve, Curves, failing_rule, segment_of
from tower.api.wire import instant
from tower.engine.curves import read_curves
from tower.store.client import Store
from tower.store.sql import load

HORIZON_S = 3600  # of the self-heal odds, where the stage has no action that says how long to wait
Failing = Mapping[tuple[int, str], datetime]  # since when a milestone fails, by (order_no, milestone)


@dataclass(frozen=True, slots=True)
class Clock:
    """What is needed of a clock; used_s up to now, None when the book no longer has its calendar."""

    order_no: int
    stage: str
    segment: str
    state: str
    verdict: str
    used_s: int | None
    budget_s: int | None
    due_at: datetime | None
    calendar: str
    to_milestone: str


@dataclass(frozen=True, slots=True)
class Jeopardy:
    """What the curves say of one clock now; None where they do not know. curve: the one it was read off."""

    odds: float | None = None
    predicted_at: datetime | None = None
    self_heal_odds: float | None = None
    curve: Curve | None = None
    heal_curve: Curve | None = None
    heal_by: datetime | None = None


def jeopardy_of(clock: Clock, book: Book, curves: Curves, failing: Failing, now: datetime) -> Jeopardy:
    """Return the odds that it breaches, when half of its like have stopped, and the odds that it moves without help."""
    if clock.state not in ("running", "paused") or clock.used_s is None:
        return Jeopardy()
    curve, used_ms = curves.choose(clock.stage, clock.segment), clock.used_s * 1000
    odds: float | None = None
    if clock.verdict != "unknown" and clock.budget_s is not None:
        over = clock.used_s > clock.budget_s
        odds = 1.0 if over else curve.odds(used_ms, clock.budget_s * 1000) if curve is not None else None
    runs = clock.state == "running"
    median = curve.median_from(used_ms) if runs and curve is not None else None
    predicted = _after(book, clock.calendar, now, (median - used_ms) / 1000) if median is not None else None
    if clock.verdict not in ("late", "failing"):
        return Jeopardy(odds, predicted, None, curve)
    action = book.action_for(clock.stage)
    ahead = clock.due_at is not None and clock.due_at > now
    until = now + timedelta(seconds=action.verify.within_s if action is not None else HORIZON_S)
    until = clock.due_at if ahead and clock.due_at is not None else until
    if clock.verdict == "late":
        more_s = _open_s(book, clock.calendar, now, until) if runs else None
        heals = curve.moves_within(used_ms, more_s * 1000) if curve is not None and more_s is not None else None
        return Jeopardy(odds, predicted, heals, curve, curve, until)
    since = failing.get((clock.order_no, clock.to_milestone))
    failed = curves.choose(failing_rule(clock.to_milestone), "")
    if since is None or failed is None:
        return Jeopardy(odds, None, None, curve, failed, until)
    failed_ms = _ms(now - since)
    heals, at = failed.moves_within(failed_ms, _ms(until - now)), failed.median_from(failed_ms)
    predicted = since + timedelta(milliseconds=at) if at is not None else None
    return Jeopardy(odds, predicted, heals, curve, failed, until)


def worst_clocks(stored: Mapping[str, Sequence[Any]], used_s: Sequence[int | None]) -> Iterator[Clock]:
    """Yield the worst clock of each row of api_orders.sql."""
    segments = zip(*(stored[name] for name in SEGMENT_ATTRIBUTES), strict=True)
    names = (
        "order_no", "stage", "clock_state", "clock_verdict", "budget_s", "due_at", "clock_calendar", "next_milestone",
        "closed_at",
    )  # fmt: skip
    rows = zip(*(stored[name] for name in names), strict=True)
    for used, segment, (number, stage, state, verdict, budget, due, calendar, milestone, closed) in zip(
        used_s, segments, rows, strict=True
    ):
        state = "" if closed is not None else state
        yield Clock(number, stage, segment_of(segment), state, verdict, used, budget, due, calendar, milestone)


def told(found: Jeopardy, clock: Clock, book: Book) -> dict[str, Any]:
    """Return the JSON of one clock's odds with what they rest on, so that they can be made again."""
    stage, curve = book.stage(clock.stage), found.curve
    by_odds = stage is not None and stage.odds is not None
    source = None
    if curve is not None and clock.used_s is not None:
        source = {
            **_source(curve),
            "outlasts_used": round(curve.outlasts(clock.used_s * 1000), 6),
            "outlasts_budget": None if clock.budget_s is None else round(curve.outlasts(clock.budget_s * 1000), 6),
            "seen_at_used": curve.seen_at(clock.used_s * 1000),
        }
    return {
        "odds": rounded(found.odds),
        "predicted_at": instant(found.predicted_at),
        "self_heal_odds": rounded(found.self_heal_odds),
        "self_heal_by": instant(found.heal_by),
        "odds_from": source,
        "self_heal_from": _source(found.heal_curve) if found.heal_curve is not None else None,
        "at_risk_by": ("odds" if curve is not None and not curve.thin else "share") if by_odds else None,
    }


def _source(curve: Curve) -> dict[str, Any]:
    return {
        "rule": curve.rule,
        "segment": curve.segment,
        "cases": curve.cases,
        "ended": curve.ended,
        "thin": curve.thin,
        "built_at": instant(curve.built_at),
    }


def rounded(odds: float | None) -> float | None:
    """Return odds as they are told: to a tenth of a percent."""
    return None if odds is None else round(odds, 3)


def _after(book: Book, calendar: str, now: datetime, seconds: float) -> datetime | None:
    hours = book.calendars.get(calendar.partition("@")[0])
    if hours is None:
        return now + timedelta(seconds=seconds)
    try:
        return hours.add(now, seconds)
    except RulebookError:
        return None


def _open_s(book: Book, calendar: str, start: datetime, end: datetime) -> int:
    hours = book.calendars.get(calendar.partition("@")[0])
    return hours.working_seconds(start, end) if hours is not None else int((end - start).total_seconds())


def _ms(span: timedelta) -> int:
    return max(0, int(span.total_seconds() * 1000))


_READ: dict[tuple[str, str, datetime, int], Curves] = {}
_KEPT = 4


def curves_at(client: Client, store: Store, at: datetime) -> Curves:
    """Return the curves in force at a moment; those of a build never change and are read once."""
    latest, cases = client.query(load("curves_built"), parameters={"at": at}).result_rows[0]
    if latest is None:
        return Curves(None, {})
    key = (store.dsn, store.database, latest, cases)
    if key not in _READ:
        while len(_READ) >= _KEPT:
            _READ.pop(next(iter(_READ)), None)
        _READ[key] = read_curves(client, at)
    return _READ[key]


def failing_since(client: Client, breaches: str, order_nos: Sequence[int]) -> dict[tuple[int, str], datetime]:
    """Return since when milestones of orders fail, the latest failure of each. breaches: the table."""
    if not order_nos:
        return {}
    sql = load("api_failing").replace("$breaches", breaches)
    rows = client.query(sql, parameters={"order_nos": list(order_nos)}).result_rows
    return {(number, milestone): since for number, milestone, since in rows}


def failing_of(order_nos: Sequence[int], verdicts: Sequence[str]) -> list[int]:
    """Return the orders of a page whose worst clock fails."""
    return [number for number, verdict in zip(order_nos, verdicts, strict=True) if verdict == "failing"]
