"""A backtest as JSON: the same for the API, the page and the command line."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rules.duration import HINT, parse_duration
from tower.api.wire import instant, parse_instant, plain
from tower.backtest.outcome import Outcome


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome with totals before its lists."""
    told = asdict(outcome)
    totals = {name: outcome.total(name) for name in ("gained", "lost", "differently", "same")}
    return {
        "old": outcome.old, "new": outcome.new, "since": instant(outcome.since), "until": instant(outcome.until),
        "currency": outcome.currency, **totals, "busiest_day": outcome.busiest_day,
        "changed_rules": list(outcome.changed_rules), "judged_orders": outcome.judged_orders,
        "limits_only": outcome.limits_only, "seconds": round(outcome.seconds, 3),
        **{name: [_row(row) for row in told[name]] for name in ("rules", "notices", "days", "orders")},
    }  # fmt: skip


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if type(v) is date else plain(v) for k, v in row.items()}


def read_since(text: str, now: datetime) -> datetime:
    """Return the instant that "90d" or "2026-08-01T00:00:00Z" means. Raises ValueError with what is wrong."""
    try:
        back = timedelta(seconds=parse_duration(text))
    except ValueError:
        try:
            return parse_instant(f"{text}T00:00:00Z" if len(text) == 10 else text)
        except ValueError as error:
            raise ValueError(f"{text!r} is neither a duration nor an instant: {HINT}; {error}") from None
    except OverflowError:
        back = timedelta(days=36_500)
    dawn = datetime(1970, 1, 1, tzinfo=UTC)
    return now - back if back < now - dawn else dawn
