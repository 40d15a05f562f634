"""When runs are due: across both changes of the clocks, over holidays, and against a minute-by-minute reading."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import Calendar
from rules.model import Feed
from rules.timetable import last_run_before, next_run_after, runs_between

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # in Berlin
NIGHTLY = Feed("bank", cron="30 2 * * *", zone="Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day_of(feed: Feed, day: date) -> list[str]:
    """Return the runs of a local day as UTC times."""
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(feed.zone)).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(feed.zone)).astimezone(UTC)
    moment = timedelta(microseconds=1)
    return [f"{r:%H:%M}" for r in runs_between(feed, start - moment, end - moment)]


@pytest.mark.parametrize(
    ("cron", "spring", "autumn"),
    [
        ("30 2 * * *", ["01:00"], ["00:30"]),  # skipped: right after the jump; repeated: in the first pass only
        ("30 5 * * *", ["03:30"], ["04:30"]),
        ("0 1-4 * * *", ["00:00", "01:00", "02:00"], ["23:00", "00:00", "02:00", "03:00"]),
        ("30 */6 * * *", ["23:30", "04:30", "10:30", "16:30"], ["22:30", "05:30", "11:30", "17:30"]),
    ],
)
def test_a_cron_line_around_the_change_of_the_clocks(cron: str, spring: list[str], autumn: list[str]) -> None:
    feed = Feed("bank", cron=cron, zone="Europe/Berlin")
    assert day_of(feed, SPRING) == spring
    assert day_of(feed, AUTUMN) == autumn


def test_a_line_with_a_star_follows_real_time() -> None:
    every_half_hour = Feed("erp", cron="*/30 * * * *", zone="Europe/Berlin")
    assert (len(day_of(every_half_hour, SPRING)), len(day_of(every_half_hour, AUTUMN))) == (46, 50)


def test_every_so_often_counts_from_local_midnight() -> None:
    feed = Feed("erp", every_s=7 * 3600, zone="Europe/Berlin")
    assert day_of(feed, date(2026, 6, 1)) == ["22:00", "05:00", "12:00", "19:00"]
    assert day_of(feed, SPRING) == ["23:00", "06:00", "13:00", "20:00"]
    assert day_of(feed, AUTUMN) == ["22:00", "05:00", "12:00", "19:00"]


def test_the_last_run_is_found_from_within_the_hour_that_comes_twice() -> None:
    for at in ("2026-10-25T00:30", "2026-10-25T00:59", "2026-10-25T01:10", "2026-10-25T01:59", "2026-10-25T02:00"):
        assert last_run_before(NIGHTLY, utc(at)) == utc("2026-10-25T00:30"), at
        assert next_run_after(NIGHTLY, utc(at)) == utc("2026-10-26T01:30"), at
    assert last_run_before(NIGHTLY, utc("2026-10-25T00:29")) == utc("2026-10-24T00:30")


def test_runs_on_days_on_which_the_calendar_does_not_open_are_not_due() -> None:
    banking = Calendar.from_config(
        {"zone": "Europe/Berlin", "open": {"mon-fri": ["08:00-17:00"]}, "holidays": {"country": "DE"}}
    )
    easter = list(runs_between(NIGHTLY, utc("2026-04-01T12:00"), utc("2026-04-08T12:00"), banking))
    assert [r.day for r in easter] == [2, 7, 8]  # Good Friday, the weekend and Easter Monday are left out
    assert last_run_before(NIGHTLY, utc("2026-04-06T12:00"), banking) == utc("2026-04-02T00:30")
    hourly = Feed("erp", every_s=3600, zone="Europe/Berlin")
    assert last_run_before(hourly, utc("2026-04-06T12:00"), banking) == utc("2026-04-02T21:00")
    assert next_run_after(hourly, utc("2026-04-06T12:00"), banking) == utc("2026-04-06T22:00")


def test_a_feed_without_a_timetable_has_no_runs() -> None:
    stream = Feed("wms", quiet_after_s=60)
    assert (next_run_after(stream, utc("2026-04-06")), last_run_before(stream, utc("2026-04-06"))) == (None, None)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo"]),
    st.sampled_from(["15 * * * *", "0 5 * * *", "30 2 * * sun", "10 0,12 * * mon-fri", "*/20 3 * * *"]),
    st.integers(0, 366 * 24 * 60),
)
def test_last_and_next_agree_with_the_runs_between(zone: str, cron: str, minutes: int) -> None:
    """Whatever the zone and the moment: next after last is what comes after the moment, and no run lies between."""
    feed = Feed("x", cron=cron, zone=zone)
    at = utc("2026-01-01T00:00") + timedelta(minutes=minutes, seconds=17)
    last, following = last_run_before(feed, at), next_run_after(feed, at)
    assert last is not None and following is not None
    assert last <= at < following
    assert list(runs_between(feed, last - timedelta(seconds=1), following)) == [last, following]
    assert next_run_after(feed, last) == following
    assert last_run_before(feed, last) == last
