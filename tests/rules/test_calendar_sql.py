"""The SQL of a calendar gives what Python gives, to the millisecond, on the real engine.

Covered in SQL: between_seconds, add_seconds forward, is_open and next_open. Going backward, next_close and
previous_open_or_close exist in Python only, since no rule needs them.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.calendar import END_INDEX_YEAR, FIRST_INDEX_YEAR, Calendar
from rules.calendar_sql import add_sql, is_open_sql, next_open_sql, open_ms_sql, with_clause, working_ms_sql
from tests.amount import SEEDS
from tests.rules import vectors
from tests.rules.strategies import configs, instants
from tower.store.client import Store

COLUMNS = ["calendar", "first_day", "before_ms", "spans", "open_days", "bucket_ms", "bucket"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFICE = {"zone": "Europe/Berlin", "open": {"mon-fri": ["09:00-12:00", "13:00-17:00"]}, "holidays": {"country": "DE"}}


def save(store: Store, calendar: Calendar) -> None:
    index = calendar.index()
    with store.writer() as client:
        client.command("TRUNCATE TABLE calendar_index")
        client.insert("calendar_index", [[getattr(index, column) for column in COLUMNS]], column_names=COLUMNS)


def ask(
    store: Store, calendar: Calendar | None, expressions: list[str], rows: list[tuple[datetime | None, ...]]
) -> list[Any]:
    """Evaluate expressions over rows of instants a and b and a duration ms."""
    bound = f"WITH {', '.join(with_clause(calendar))} " if calendar else ""
    values = ", ".join(f"({', '.join(str(v) if isinstance(v, int) else sql_instant(v) for v in row)})" for row in rows)
    structure = "'a Nullable(DateTime64(3, \\'UTC\\')), b Nullable(DateTime64(3, \\'UTC\\')), ms Nullable(Int64)'"
    with store.reader() as client:
        query = f"{bound}SELECT {', '.join(expressions)} FROM values({structure}, {values})"
        return [tuple(row) for row in client.query(query).result_rows]


def sql_instant(value: datetime | None) -> str:
    return (
        "NULL" if value is None else f"fromUnixTimestamp64Milli({(value - EPOCH) // timedelta(milliseconds=1)}, 'UTC')"
    )


def exact_ms(calendar: Calendar, a: datetime, b: datetime) -> int:
    low, high = sorted(((a - EPOCH) // timedelta(microseconds=1), (b - EPOCH) // timedelta(microseconds=1)))
    ms = calendar._between(low, high) // 1000
    return ms if b >= a else -ms


@settings(max_examples=4 * SEEDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    config=configs(),
    rows=st.lists(st.tuples(instants(), instants(), st.integers(-5, 400 * 3_600_000)), min_size=50, max_size=100),
)
def test_sql_equals_python(store: Store, config: dict[str, Any], rows: list[tuple[datetime, datetime, int]]) -> None:
    calendar = Calendar.from_config(config)
    save(store, calendar)
    expressions = [
        working_ms_sql(calendar, "a", "b"),
        add_sql(calendar, "a", "ms"),
        is_open_sql(calendar, "a"),
        next_open_sql(calendar, "a"),
    ]
    expected = [
        (
            exact_ms(calendar, a, b),
            calendar.add(a, max(0, ms) / 1000),
            int(calendar.is_open(a)),
            calendar.next_open(a),
        )
        for a, b, ms in rows
    ]
    assert ask(store, calendar, expressions, list(rows)) == expected


def test_public_cases_in_sql(store: Store) -> None:
    """Every public case that SQL covers and that lies within the days it knows, one statement per calendar."""
    asked: dict[str, list[tuple[dict[str, Any], str, tuple[datetime, datetime, int]]]] = {}
    for case in vectors.load():
        start = vectors.instant(case, case["start"]).astimezone(UTC)
        if not FIRST_INDEX_YEAR <= start.year < END_INDEX_YEAR:
            continue
        calendar = Calendar.from_config(vectors.config(case))
        row = (start, start, 0)
        match case["op"]:
            case "between_seconds":
                expression = f"intDiv({working_ms_sql(calendar, 'a', 'b')}, 1000)"
                row = (start, vectors.instant(case, case["arg"]).astimezone(UTC), 0)
            case "add_seconds" if case["arg"] >= 0:
                expression, row = add_sql(calendar, "a", "ms"), (start, start, round(case["arg"] * 1000))
            case "is_open":
                expression = is_open_sql(calendar, "a")
            case "next_open":
                expression = next_open_sql(calendar, "a")
            case _:
                continue
        asked.setdefault(json.dumps(case["calendar"], sort_keys=True), []).append((case, expression, row))
    for cases in asked.values():
        calendar = Calendar.from_config(vectors.config(cases[0][0]))
        save(store, calendar)
        expressions = list(dict.fromkeys(expression for _, expression, _ in cases))
        answers = ask(store, calendar, expressions, [row for _, _, row in cases])
        for (case, expression, _), answer in zip(cases, answers, strict=True):
            wanted = vectors.instant(case, case["expected"]) if isinstance(case["expected"], str) else case["expected"]
            assert answer[expressions.index(expression)] == wanted, case["id"]
    assert sum(map(len, asked.values())) > 80


def test_null_in_null_out(store: Store) -> None:
    calendar, now = Calendar.from_config(OFFICE), datetime(2026, 11, 23, 10, tzinfo=UTC)
    save(store, calendar)
    for chosen in (calendar, None):
        expressions = [open_ms_sql(chosen, "a"), working_ms_sql(chosen, "a", "b"), add_sql(chosen, "a", "ms")]
        assert ask(store, chosen, expressions, [(None, now, 5)]) == [(None, None, None)]
        with store.reader() as client:
            bound = f"WITH {', '.join(with_clause(calendar))} " if chosen else ""
            row = "(SELECT now64(3, 'UTC') AS a, '' AS ms)"
            answer = client.query(f"{bound}SELECT {add_sql(chosen, 'a', 'toInt64OrNull(ms)')} FROM {row}")
            assert answer.result_rows == [(None,)]


def test_always_open_is_plain_arithmetic(store: Store) -> None:
    a, b = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, 0, 0, 1000, tzinfo=UTC)
    expressions = [
        working_ms_sql(None, "a", "b"),
        add_sql(None, "a", "ms"),
        is_open_sql(None, "a"),
        next_open_sql(None, "a"),
    ]
    assert ask(store, None, expressions, [(a, b, 1500)]) == [(86_400_001, a + timedelta(milliseconds=1500), 1, a)]


def test_beyond_the_known_days_time_is_closed(store: Store) -> None:
    calendar = Calendar.from_config(OFFICE)
    save(store, calendar)
    early, late = datetime(1990, 1, 1, tzinfo=UTC), datetime(2044, 12, 30, tzinfo=UTC)
    first = calendar.next_open(datetime(1995, 1, 1, tzinfo=UTC))
    expressions = [add_sql(calendar, "a", "ms"), working_ms_sql(calendar, "a", "a")]
    assert ask(store, calendar, expressions, [(early, early, 1000)]) == [(first + timedelta(seconds=1), 0)]
    assert ask(store, calendar, expressions, [(late, late, 10**9)]) == [(None, 0)]


def test_two_calendars_live_in_one_statement(store: Store) -> None:
    office, night = (
        Calendar.from_config(OFFICE, name="office"),
        Calendar.from_config({"zone": "Europe/Berlin", "open": {"daily": ["22:00-06:00"]}}, name="night-shift"),
    )
    with store.writer() as client:
        client.command("TRUNCATE TABLE calendar_index")
        for calendar in (office, night):
            client.insert("calendar_index", [[getattr(calendar.index(), c) for c in COLUMNS]], column_names=COLUMNS)
    start = datetime(2026, 11, 23, 10, tzinfo=UTC)
    both = ", ".join(with_clause(office) + with_clause(night))
    with store.reader() as client:
        added = f"{add_sql(office, 'a', '3600000')}, {add_sql(night, 'a', '3600000')}"
        row = client.query(f"WITH {both} SELECT {added} FROM (SELECT {sql_instant(start)} AS a)").result_rows[0]
    assert row == (office.add(start, 3600), night.add(start, 3600))


def test_the_text_is_stable() -> None:
    texts = [add_sql(Calendar.from_config(OFFICE), "started_at", "ms") for _ in range(2)]
    assert texts[0] == texts[1]
    assert len(texts[0]) < 1200


@pytest.mark.parametrize("expression", ["working", "add"])
def test_a_million_rows_take_a_moment(store: Store, expression: str) -> None:
    calendar = Calendar.from_config(OFFICE)
    save(store, calendar)
    a = "fromUnixTimestamp64Milli(toInt64(1000000000000 + number * 1000), 'UTC')"
    asked = (
        add_sql(calendar, "a", "toInt64(number % 90000000)")
        if expression == "add"
        else working_ms_sql(calendar, "a", "a + 1")
    )
    began = time.perf_counter()
    with store.reader() as client:
        bound = ", ".join(with_clause(calendar))
        client.query(f"WITH {bound} SELECT max({asked}) FROM (SELECT number, {a} AS a FROM numbers(1000000))")
    took = time.perf_counter() - began
    assert took < 10, "measured below 0.5 s on an idle core"
    print(f"{expression}: {took:.3f} s")  # noqa: T201 (shown with -s: the figure of this machine)
