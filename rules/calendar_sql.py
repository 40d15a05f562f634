"""The arithmetic of rules.calendar as SQL expressions, exact to the millisecond, on the arrays of calendar_index.

A statement that uses a calendar starts with its `with_clause`. Instants are DateTime64(3, 'UTC'), durations Int64
milliseconds; null in, null out. Time outside 1995 to 2045 counts as closed here: SQL knows the days it was given.
`arrayMap(x -> ..., [v])[1]` gives v the name x, so that long arguments are written, and computed, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rules.calendar import Calendar
from rules.literal import sql_name, sql_text

_DAY_MS = 86_400_000
_COLUMNS = ("before_ms", "spans", "open_days", "bucket")


@dataclass(frozen=True, slots=True)
class CalendarSet:
    """Several calendars in one expression: a row's column `calendar` names its own, '' being always open.

    The arrays of all calendars lie end to end; `columns` gives the select items that say where a row's own begin.
    A statement binds `with_items` first, and the rows must carry `columns` before an instant is computed.
    """

    calendars: Mapping[str, Calendar]

    def with_items(self, table: str = "") -> list[str]:
        """Return the items of a WITH clause that bind the arrays, in a fixed order; none without calendars.

        table: one that `row_sql` has filled; without it the arrays are put together anew for each of them.
        """
        if not self.calendars:
            return []
        if table:
            return [f"(SELECT {column} FROM {table}) AS {_bound(self, column)}" for column in _COLUMNS]
        return [f"(SELECT groupArrayArray({column}) {self._rows()}) AS {_bound(self, column)}" for column in _COLUMNS]

    def row_sql(self) -> str:
        """Return the SELECT of one row with the arrays of all calendars; of no row without calendars."""
        arrays = ", ".join(f"groupArrayArray({column}) AS {column}" for column in _COLUMNS)
        return f"SELECT {arrays}\n{self._rows() if self.calendars else 'FROM calendar_index HAVING 0'}"

    def _rows(self) -> str:
        keys = "[" + ", ".join(sql_text(c.key) for c in self.calendars.values()) + "]"
        return (
            f"FROM (SELECT * FROM calendar_index FINAL WHERE has({keys}, calendar) ORDER BY indexOf({keys}, calendar))"
        )

    def columns(self) -> list[str]:
        """Return the select items with the offsets of a row's calendar in the arrays, its bucket and its total."""
        if not self.calendars:
            return []
        indexes = [c.index() for c in self.calendars.values()]
        values: dict[str, list[int]] = {
            "before_ms": _offsets([len(i.before_ms) for i in indexes]),
            "spans": _offsets([len(i.spans) for i in indexes]),
            "open_days": _offsets([len(i.open_days) for i in indexes]),
            "bucket": _offsets([len(i.bucket) for i in indexes]),
            "bucket_ms": [i.bucket_ms for i in indexes],
            "total_ms": [i.before_ms[-1] for i in indexes],
        }
        names = "[" + ", ".join(sql_text(n) for n in self.calendars) + "]"
        return [
            f"transform(calendar, {names}, CAST({numbers} AS Array(Int64)), toInt64(1)) AS cal_{what}_at"
            for what, numbers in values.items()
        ]


AnyCalendar = Calendar | CalendarSet


def _offsets(lengths: Sequence[int]) -> list[int]:
    return [sum(lengths[:i]) for i in range(len(lengths))]


def with_clause(calendar: Calendar) -> list[str]:
    """Return the items of a WITH clause that bind the calendar's arrays, in a fixed order."""
    row = f"FROM calendar_index FINAL WHERE calendar = {sql_text(calendar.key)}"
    return [f"(SELECT {column} {row}) AS {_bound(calendar, column)}" for column in _COLUMNS]


def open_ms_sql(calendar: AnyCalendar | None, instant_sql: str) -> str:
    """Return SQL for the open milliseconds before an instant; only differences of two such values mean anything."""
    if calendar is None or not _arrays(calendar):
        return f"toUnixTimestamp64Milli({instant_sql})"
    if isinstance(calendar, CalendarSet):
        return f"if(calendar = '', toUnixTimestamp64Milli({instant_sql}), {_open_ms(calendar, instant_sql)})"
    return f"if(isNull({instant_sql}), NULL, {_open_ms(calendar, f'assumeNotNull({instant_sql})')})"


def working_ms_sql(calendar: AnyCalendar | None, start_sql: str, end_sql: str) -> str:
    """Return SQL for the open milliseconds from start to end, negative when end lies before start."""
    return f"({open_ms_sql(calendar, end_sql)} - {open_ms_sql(calendar, start_sql)})"


def add_sql(calendar: AnyCalendar | None, start_sql: str, ms_sql: str) -> str:
    """Return SQL for the first instant at which so many open milliseconds are used up since start; forward only.

    Nothing to add, or less, gives start. Null when the open time of the known days does not suffice.
    """
    if calendar is None or not _arrays(calendar):
        return f"if({ms_sql} <= 0, {start_sql}, addMilliseconds({start_sql}, {ms_sql}))"
    target = f"{_open_ms(calendar, f'assumeNotNull({start_sql})')} + toInt64(assumeNotNull({ms_sql}))"
    if isinstance(calendar, CalendarSet):
        at = _let("used", target, f"if(used > cal_total_ms_at, NULL, {_instant_of(calendar)})")
        return f"multiIf({ms_sql} <= 0, {start_sql}, calendar = '', addMilliseconds({start_sql}, {ms_sql}), {at})"
    at = _let("used", target, f"if(used > {_bound(calendar, 'before_ms')}[-1], NULL, {_instant_of(calendar)})")
    return f"multiIf(isNull({start_sql}) OR isNull({ms_sql}), NULL, {ms_sql} <= 0, {start_sql}, {at})"


def is_open_sql(calendar: AnyCalendar | None, instant_sql: str) -> str:
    """Return SQL for whether the instant lies in a span: the next millisecond counts as open time."""
    if calendar is None:
        return f"isNotNull({instant_sql})"
    return f"({working_ms_sql(calendar, instant_sql, f'addMilliseconds({instant_sql}, 1)')} > 0)"


def next_open_sql(calendar: AnyCalendar | None, instant_sql: str) -> str:
    """Return SQL for the instant itself when open, else the next opening: one millisecond before one has been used."""
    if calendar is None:
        return instant_sql
    return f"subtractMilliseconds({add_sql(calendar, instant_sql, '1')}, 1)"


def _arrays(calendar: AnyCalendar) -> list[Calendar]:
    return list(calendar.calendars.values()) if isinstance(calendar, CalendarSet) else [calendar]


def _element(calendar: AnyCalendar, column: str, position: str) -> str:
    """Return SQL for one element of the calendar's own array; positions count from 1."""
    offset = f"cal_{column}_at + " if isinstance(calendar, CalendarSet) else ""
    return f"{_bound(calendar, column)}[{offset}{position}]"


def _open_ms(calendar: AnyCalendar, instant_sql: str) -> str:
    index = _arrays(calendar)[0].index()
    low, high = index.first_day * _DAY_MS, (index.first_day + len(index.spans)) * _DAY_MS
    day = f"intDiv(at, {_DAY_MS}) + 1"
    in_day = f"arraySum(s -> greatest(0, least(s.2, at % {_DAY_MS}) - s.1), {_element(calendar, 'spans', day)})"
    at = f"least(greatest(toUnixTimestamp64Milli({instant_sql}), {low}), {high}) - {low}"
    return _let("at", at, f"{_element(calendar, 'before_ms', day)} + {in_day}")


def _instant_of(calendar: AnyCalendar) -> str:
    """SQL for the instant at which `used` open milliseconds since the first day have passed; used is above 0.

    The bucket gives the few days to look at. Within the day, a span's closing time less the open time up to it is the
    same shift for each instant of the span and grows from span to span: the right one is the largest already begun.
    """
    index = _arrays(calendar)[0].index()
    width = "cal_bucket_ms_at" if isinstance(calendar, CalendarSet) else str(index.bucket_ms)
    k = f"intDiv(used - 1, {width})"
    candidates = f"range({_element(calendar, 'bucket', f'{k} + 1')}, {_element(calendar, 'bucket', f'{k} + 2')} + 1)"
    end_of = _element(calendar, "before_ms", f"{_element(calendar, 'open_days', 'p + 1')} + 2")
    day = _element(calendar, "open_days", f"arrayFirst(p -> {end_of} >= used, {candidates}) + 1")
    rest = f"used - {_element(calendar, 'before_ms', 'day + 1')}"
    spans = _element(calendar, "spans", "day + 1")
    lengths = f"arrayCumSum(s -> s.2 - s.1, {spans})"
    shift = f"arrayMax((s, c) -> if(c - (s.2 - s.1) < {rest}, s.2 - c, 0), {spans}, {lengths})"
    ms = f"(toInt64(day) + {index.first_day}) * {_DAY_MS} + {rest} + {shift}"
    return f"fromUnixTimestamp64Milli({_let('day', day, ms)}, 'UTC')"


def _let(name: str, value: str, body: str) -> str:
    return f"arrayMap({name} -> {body}, [{value}])[1]"


def _bound(calendar: AnyCalendar, column: str) -> str:
    return sql_name(f"cals_{column}" if isinstance(calendar, CalendarSet) else f"cal_{calendar.name}_{column}")
