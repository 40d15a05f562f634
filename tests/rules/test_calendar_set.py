"""Several calendars in one expression: each row counts on its own, and rows without a calendar are always open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.calendar import Calendar
from rules.calendar_sql import CalendarSet, add_sql, working_ms_sql
from tests.amount import SEEDS
from tests.rules.strategies import configs, instants
from tests.rules.test_calendar_sql import COLUMNS, exact_ms, sql_instant
from tower.store.client import Store

ROWS = st.lists(
    st.tuples(st.sampled_from(("one", "two-b", "three", "")), instants(), instants(), st.integers(0, 200 * 3_600_000)),
    min_size=40,
    max_size=80,
)


@settings(max_examples=2 * SEEDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.tuples(configs(), configs(), configs()), rows=ROWS)
def test_each_row_counts_on_its_own_calendar(
    store: Store, written: tuple[dict[str, Any], ...], rows: list[tuple[str, datetime, datetime, int]]
) -> None:
    names = ("one", "two-b", "three")
    calendars = {name: Calendar.from_config(config, name=name) for name, config in zip(names, written, strict=True)}
    together = CalendarSet(calendars)
    with store.writer() as client:
        client.command("TRUNCATE TABLE calendar_index")
        data = [[getattr(c.index(), column) for column in COLUMNS] for c in calendars.values()]
        client.insert("calendar_index", data, column_names=COLUMNS)
    values = ", ".join(f"('{n}', {sql_instant(a)}, {sql_instant(b)}, {ms})" for n, a, b, ms in rows)
    structure = "'calendar String, a DateTime64(3, \\'UTC\\'), b DateTime64(3, \\'UTC\\'), ms Int64'"
    carried = f"(SELECT *, {', '.join(together.columns())} FROM values({structure}, {values}))"
    asked = f"{working_ms_sql(together, 'a', 'b')}, {add_sql(together, 'a', 'ms')}"
    with store.reader() as client:
        query = f"WITH {', '.join(together.with_items())} SELECT {asked} FROM {carried}"
        answers = [tuple(row) for row in client.query(query).result_rows]
    assert answers == [
        (exact_ms(calendars[n], a, b), calendars[n].add(a, ms / 1000))
        if n
        else ((b - a) // timedelta(milliseconds=1), a + timedelta(milliseconds=ms))
        for n, a, b, ms in rows
    ]


def test_a_set_without_calendars_is_always_open(store: Store) -> None:
    none = CalendarSet({})
    assert (none.with_items(), none.columns()) == ([], [])
    a = datetime(2026, 11, 23, tzinfo=UTC)
    with store.reader() as client:
        query = f"SELECT {add_sql(none, 'a', '1500')} FROM (SELECT {sql_instant(a)} AS a)"
        assert client.query(query).result_rows == [(a + timedelta(milliseconds=1500),)]
