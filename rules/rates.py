"""Dated rates: what an amount of another currency is worth in the reporting currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from rules.model import Value


def rate_of(value: Value, currency: str, on: date) -> Decimal | None:
    """Return units of the reporting currency for one of `currency` on a day, None where the book has no rate."""
    if currency == value.currency:
        return Decimal(1)
    known = [r for r in value.rates if r.currency == currency and r.since <= on.isoformat()]
    return max(known, key=lambda r: r.since).rate if known else None
