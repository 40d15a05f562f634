"""Hours of a feed: which are judged, what is promised of one that opens for a part, and what is usual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import Calendar
from rules.model import Feed, Volume
from rules.volume import Hour, hour_of, hours_back, last_hour, promised, same_hours, usual

BERLIN = ZoneInfo("Europe/Berlin")
SHOP = Calendar.from_config(
    {"zone": "Europe/Berlin", "open": {"mon-fri": ["08:30-18:00"]}, "holidays": {"country": "DE"}}
)
FEED = Feed("shop", volume=Volume(100, 900))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def test_an_hour_is_judged_once_it_is_over_and_its_events_had_time_to_arrive() -> None:
    nine = berlin("2026-06-01T09:00")
    before = last_hour(FEED, None, nine + timedelta(minutes=4, seconds=59))
    after = last_hour(FEED, None, nine + timedelta(minutes=5))
    assert before is not None and before.start == nine - timedelta(hours=2)
    assert after is not None and (after.start, after.end, after.open_s) == (nine - timedelta(hours=1), nine, 3600)
    patient = Feed("shop", volume=Volume(100), grace_s=1800)
    late = last_hour(patient, None, nine + timedelta(minutes=29))
    assert late is not None and late.end == nine - timedelta(hours=1)


def test_an_hour_that_opens_for_a_part_counts_by_that_part() -> None:
    opening = last_hour(FEED, SHOP, berlin("2026-06-01T09:05"))
    assert opening is not None and opening.open_s == 1800
    assert promised(FEED, opening) == (50, 450)
    assert promised(Feed("shop", volume=Volume(None, 7)), opening) == (None, 4)
    assert promised(Feed("shop", quiet_after_s=60), opening) == (None, None)


def test_closed_hours_and_holidays_are_not_judged() -> None:
    last = berlin("2026-04-02T17:00")  # the Thursday before Easter
    for at in ("2026-04-02T18:06", "2026-04-03T12:00", "2026-04-05T12:00", "2026-04-06T23:00", "2026-04-07T08:45"):
        hour = last_hour(FEED, SHOP, berlin(at))
        assert hour is not None and hour.start == last, at
    hour = last_hour(FEED, SHOP, berlin("2026-04-07T09:06"))
    assert hour is not None and hour.start == berlin("2026-04-07T08:00")


def test_hours_follow_the_wall_clock_of_their_zone() -> None:
    kolkata = hour_of(datetime(2026, 6, 1, 10, 10, tzinfo=UTC), ZoneInfo("Asia/Kolkata"))
    assert kolkata.start == datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
    back = list(hours_back(berlin("2026-10-25T05:10"), BERLIN, None, 5))
    assert [h.start.hour for h in back] == [4, 3, 2, 1, 0, 23]  # UTC: the hour that comes twice is two hours
    assert all(a.start == b.end for a, b in pairwise(back))


def test_the_same_hour_of_the_week_is_found_across_the_change_of_the_clocks() -> None:
    monday_nine = hour_of(berlin("2026-04-13T09:00"), BERLIN)
    found = same_hours(monday_nine, BERLIN, None)
    assert len(found) == 8
    assert {(h.start.astimezone(BERLIN).weekday(), h.start.astimezone(BERLIN).hour) for h in found} == {(0, 9)}
    sunday_two = hour_of(berlin("2026-04-05T02:00"), BERLIN)
    assert len(same_hours(sunday_two, BERLIN, None)) == 7  # 29 March had no such hour


def test_holidays_of_the_past_tell_nothing() -> None:
    monday = hour_of(berlin("2026-04-20T10:00"), BERLIN, SHOP)
    past = same_hours(monday, BERLIN, SHOP)
    assert [h.open_s for h in past][:3] == [3600, 0, 3600]  # Easter Monday was closed
    counts = [(0 if h.open_s == 0 else 400, h.open_s) for h in past]
    expected = usual(counts, monday.open_s)
    assert expected is not None and expected.middle == 400


@pytest.mark.parametrize(
    ("counts", "middle", "low", "high"),
    [
        ([100] * 8, 100, 70, 130),  # as counts as such scatter: three times the root
        ([5] * 8, 5, 0, 11.7),  # so few that none is nothing to tell
        ([80, 90, 100, 110, 120], 100, 55.5, 144.5),  # by their own spread
        ([100, 100, 100, 0, 5000], 100, 70, 130),  # one dead and one mad week change nothing
    ],
)
def test_what_is_usual(counts: list[int], middle: float, low: float, high: float) -> None:
    found = usual([(n, 3600) for n in counts], 3600)
    assert found is not None
    assert (found.middle, round(found.low, 1), round(found.high, 1)) == (middle, low, high)


def test_two_weeks_tell_nothing_and_neither_does_a_closed_hour() -> None:
    assert usual([(100, 3600)] * 2, 3600) is None
    assert usual([(100, 3600)] * 5, 0) is None
    assert usual([(100, 0)] * 8, 3600) is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 3600)), min_size=3, max_size=8), st.integers(1, 3600))
def test_the_usual_lies_within_its_own_bounds(counts: list[tuple[int, int]], open_s: int) -> None:
    found = usual(counts, open_s)
    assert found is not None
    assert 0 <= found.low <= found.middle <= found.high


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 366 * 24 * 60), st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]))
def test_every_instant_lies_in_its_hour(minutes: int, zone: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes, seconds=30)
    hour = hour_of(at, ZoneInfo(zone))
    assert hour.start <= at < hour.end
    assert hour == Hour(hour.start, hour.start + timedelta(hours=1), 3600)
