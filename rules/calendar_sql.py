"""The arithmetic of rules.calendar as SQL expressions, exact to the millisecond, on the arrays of calendar_index.

A statement that uses a calendar starts with its `with_clause`. Instants are DateTime64(3, 'UTC'), durations Int64
milliseconds; null in, null out. Time outside 1995 to 2045 counts as closed here: SQL knows the days it was given.
`arrayMap(x -> ..., [v])[1]` gives v the name x, so that long arguments are written, and computed, once.
"""

from __future__ import annotations

from rules.calendar import Calendar
from rules.literal import sql_name, sql_text

_DAY_MS = 86_400_000
_COLUMNS = ("before_ms", "spans", "open_days", "bucket")


def with_clause(calendar: Calendar) -> list[str]:
    """Return the items of a WITH clause that bind the calendar's arrays, in a fixed order."""
    row = f"FROM calendar_index FINAL WHERE calendar = {sql_text(calendar.key)}"
    return [f"(SELECT {column} {row}) AS {_bound(calendar, column)}" for column in _COLUMNS]


def open_ms_sql(calendar: Calendar | None, instant_sql: str) -> str:
    """Return SQL for the open milliseconds before an instant; only differences of two such values mean anything."""
    if calendar is None:
        return f"toUnixTimestamp64Milli({instant_sql})"
    return f"if(isNull({instant_sql}), NULL, {_open_ms(calendar, f'assumeNotNull({instant_sql})')})"


def working_ms_sql(calendar: Calendar | None, start_sql: str, end_sql: str) -> str:
    """Return SQL for the open milliseconds from start to end, negative when end lies before start."""
    return f"({open_ms_sql(calendar, end_sql)} - {open_ms_sql(calendar, start_sql)})"


def add_sql(calendar: Calendar | None, start_sql: str, ms_sql: str) -> str:
    """Return SQL for the first instant at which so many open milliseconds are used up since start; forward only.

    Nothing to add, or less, gives start. Null when the open time of the known days does not suffice.
    """
    if calendar is None:
        return f"if({ms_sql} <= 0, {start_sql}, addMilliseconds({start_sql}, {ms_sql}))"
    target = f"{_open_ms(calendar, f'assumeNotNull({start_sql})')} + toInt64(assumeNotNull({ms_sql}))"
    at = _let("used", target, f"if(used > {_bound(calendar, 'before_ms')}[-1], NULL, {_instant_of(calendar)})")
    return f"multiIf(isNull({start_sql}) OR isNull({ms_sql}), NULL, {ms_sql} <= 0, {start_sql}, {at})"


def is_open_sql(calendar: Calendar | None, instant_sql: str) -> str:
    """Return SQL for whether the instant lies in a span: the next millisecond counts as open time."""
    if calendar is None:
        return f"isNotNull({instant_sql})"
    return f"({working_ms_sql(calendar, instant_sql, f'addMilliseconds({instant_sql}, 1)')} > 0)"


def next_open_sql(calendar: Calendar | None, instant_sql: str) -> str:
    """Return SQL for the instant itself when open, else the next opening: one millisecond before one has been used."""
    if calendar is None:
        return instant_sql
    return f"subtractMilliseconds({add_sql(calendar, instant_sql, '1')}, 1)"


def _open_ms(calendar: Calendar, instant_sql: str) -> str:
    index = calendar.index()
    low, high = index.first_day * _DAY_MS, (index.first_day + len(index.spans)) * _DAY_MS
    before, spans = _bound(calendar, "before_ms"), _bound(calendar, "spans")
    day = f"intDiv(at, {_DAY_MS}) + 1"
    in_day = f"arraySum(s -> greatest(0, least(s.2, at % {_DAY_MS}) - s.1), {spans}[{day}])"
    at = f"least(greatest(toUnixTimestamp64Milli({instant_sql}), {low}), {high}) - {low}"
    return _let("at", at, f"{before}[{day}] + {in_day}")


def _instant_of(calendar: Calendar) -> str:
    """SQL for the instant at which `used` open milliseconds since the first day have passed; used is above 0.

    The bucket gives the few days to look at. Within the day, a span's closing time less the open time up to it is the
    same shift for each instant of the span and grows from span to span: the right one is the largest already begun.
    """
    index = calendar.index()
    before, spans, open_days, bucket = (_bound(calendar, column) for column in _COLUMNS)
    k = f"intDiv(used - 1, {index.bucket_ms})"
    candidates = f"range({bucket}[{k} + 1], {bucket}[{k} + 2] + 1)"
    day = f"{open_days}[arrayFirst(p -> {before}[{open_days}[p + 1] + 2] >= used, {candidates}) + 1]"
    rest = f"used - {before}[day + 1]"
    lengths = f"arrayCumSum(s -> s.2 - s.1, {spans}[day + 1])"
    shift = f"arrayMax((s, c) -> if(c - (s.2 - s.1) < {rest}, s.2 - c, 0), {spans}[day + 1], {lengths})"
    ms = f"(toInt64(day) + {index.first_day}) * {_DAY_MS} + {rest} + {shift}"
    return f"fromUnixTimestamp64Milli({_let('day', day, ms)}, 'UTC')"


def _let(name: str, value: str, body: str) -> str:
    return f"arrayMap({name} -> {body}, [{value}])[1]"


def _bound(calendar: Calendar, column: str) -> str:
    return sql_name(f"cal_{calendar.name}_{column}")
