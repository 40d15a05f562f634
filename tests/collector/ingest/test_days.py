"""Numbers are remembered for as many days as asked, and no longer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.raw.days import Days


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20), st.integers(0, 99)), max_size=60).map(sorted))
def test_the_latest_value_of_the_kept_days_is_found(puts: list[tuple[int, int, int]]) -> None:
    days = Days(3)
    kept: dict[int, tuple[int, int]] = {}
    for day, key, value in puts:
        days.put(key, value, day)
        kept[key] = (day, value)
    today = puts[-1][0] if puts else 0
    for key in range(21):
        day, value = kept.get(key, (-99, 0))
        if day >= today - 3:
            assert days.get(key) == value
        elif days.get(key) is not None:
            raise AssertionError(f"{key} of day {day} is still known on day {today}")


def test_a_day_holds_no_more_than_it_may() -> None:
    days = Days(1, most=3)
    for key in range(5):
        days.put(key, key, 1)
    assert [days.get(key) for key in range(5)] == [None, None, 2, 3, 4]
