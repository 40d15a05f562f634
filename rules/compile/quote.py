"""How our own names and literals enter SQL text. Values of requests never come this way; they are bound."""

from __future__ import annotations

from collections.abc import Iterable

FAR = "toDateTime64('2200-01-01 00:00:00', 3, 'UTC')"
NO_INSTANT = "CAST(NULL AS Nullable(DateTime64(3, 'UTC')))"


def text(value: str) -> str:
    """Return a SQL string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def texts(values: Iterable[str]) -> str:
    """Return a SQL array literal of strings, typed so that it may be empty."""
    return "CAST([" + ", ".join(text(v) for v in values) + "] AS Array(String))"


def choose(cases: Iterable[tuple[str, str]], otherwise: str) -> str:
    """Return multiIf over (condition, value) pairs, or just the last value when there are none."""
    pairs = [f"{condition}, {value}" for condition, value in cases]
    return f"multiIf({', '.join(pairs)}, {otherwise})" if pairs else otherwise
