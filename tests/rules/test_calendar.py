"""Business time: the public cases, the clock changes, and a minute-by-minute reading of the wall clock."""

from __future__ import annotations

import time
from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import Calendar
from rules.errors import RulebookError
from rules.hours import read_hours
from tests.amount import SEEDS
from tests.rules import vectors
from tests.rules.strategies import configs, instants

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {"zone": "Europe/Berlin", "open": {"mon-fri": ["09:00-17:00"]}}
NIGHT = {"zone": "Europe/Berlin", "open": {"daily": ["22:00-06:00"]}}


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize("case", vectors.load(), ids=lambda case: case["id"])
def test_public_cases(case: dict[str, Any]) -> None:
    calendar = Calendar.from_config(vectors.config(case))
    start = vectors.instant(case, case["start"])
    match case["op"]:
        case "between_seconds":
            assert calendar.working_seconds(start, vectors.instant(case, case["arg"])) == case["expected"]
        case "is_open":
            assert calendar.is_open(start) is case["expected"]
        case "add_seconds":
            assert calendar.add(start, case["arg"]) == vectors.instant(case, case["expected"])
        case operation:
            assert getattr(calendar, operation)(start) == vectors.instant(case, case["expected"])


class Wall:
    """Open minutes read off a wall clock: a span runs from the first minute that shows its start to its end's."""

    def __init__(self, config: dict[str, Any], around: datetime, days: int = 11) -> None:
        hours = read_hours(config)
        self.origin = around.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
        minutes = range(2 * days * 1440)
        shown = [(self.origin + timedelta(minutes=m)).astimezone(hours.zone).replace(tzinfo=None) for m in minutes]
        latest: list[datetime] = []  # the latest reading so far, so that it can be searched
        for reading in shown:
            latest.append(max(reading, latest[-1]) if latest else reading)
        flags = [False] * len(shown)
        day = shown[0].date() - timedelta(days=2)
        while day <= shown[-1].date():
            for start, end in hours.of(day.toordinal(), hours.holidays(day.year)):
                midnight = datetime(day.year, day.month, day.day)
                low, high = (bisect_left(latest, midnight + timedelta(seconds=s)) for s in (start, end))
                flags[low:high] = [True] * (high - low)
            day += timedelta(days=1)
        self.opened = [0]
        for flag in flags:
            self.opened.append(self.opened[-1] + 60 * flag)

    def before(self, at: datetime) -> float:
        minute, rest = divmod((at - self.origin) / timedelta(seconds=1), 60)
        done, after = self.opened[int(minute)], self.opened[int(minute) + 1]
        return done + rest * (after - done) / 60


@settings(max_examples=12 * SEEDS, deadline=None)
@given(config=configs(), start=instants(), hours=st.integers(-200, 200))
def test_open_time_is_what_the_wall_clock_shows(config: dict[str, Any], start: datetime, hours: int) -> None:
    end = start + timedelta(hours=hours)
    wall = Wall(config, start)
    open_s = round(wall.before(end) - wall.before(start), 3)
    assert Calendar.from_config(config).working_seconds(start, end) == int(open_s)


@settings(max_examples=60 * SEEDS, deadline=None)
@given(config=configs(), start=instants(), ms=st.integers(1, 40 * 3_600_000), back=st.booleans())
def test_add_ends_where_the_time_is_used_up_and_not_before(
    config: dict[str, Any], start: datetime, ms: int, back: bool
) -> None:
    calendar = Calendar.from_config(config)
    way = -1 if back else 1
    due = calendar.add(start, way * ms / 1000)
    assert calendar.working_seconds(start, due) == way * (ms // 1000)
    earlier = due - way * timedelta(milliseconds=1)
    assert abs(calendar._between(*sorted((_us(start), _us(earlier))))) == (ms - 1) * 1000
    assert calendar.is_open(earlier if not back else due)


def _us(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@settings(max_examples=60 * SEEDS, deadline=None)
@given(config=configs(), at=instants())
def test_openings_and_closings_agree_with_is_open(config: dict[str, Any], at: datetime) -> None:
    calendar = Calendar.from_config(config)
    opening, tick = calendar.next_open(at), timedelta(microseconds=1)
    assert calendar.is_open(opening)
    assert opening == at or (calendar.working_seconds(at, opening) == 0 and not calendar.is_open(opening - tick))
    try:
        closing = calendar.next_close(at)
    except RulebookError as error:
        assert "never closes" in str(error)
        assert calendar.working_seconds(at, at + timedelta(days=9000)) == int(
            9000 * 86400 - (opening - at).total_seconds()
        )
    else:
        assert closing > at and not calendar.is_open(closing) and calendar.is_open(closing - tick)
    last = calendar.previous_open_or_close(at)
    assert last == at or (last < at and not calendar.is_open(last) and calendar.is_open(last - tick))


@settings(max_examples=30 * SEEDS, deadline=None)
@given(config=configs(), a=instants(), b=instants(), c=instants())
def test_open_times_add_up(config: dict[str, Any], a: datetime, b: datetime, c: datetime) -> None:
    calendar = Calendar.from_config(config)
    low, middle, high = sorted((a, b, c))
    parts = calendar._between(_us(low), _us(middle)) + calendar._between(_us(middle), _us(high))
    assert parts == calendar._between(_us(low), _us(high))
    assert calendar.working_seconds(high, low) == -calendar.working_seconds(low, high)


def test_a_span_across_midnight_belongs_to_its_start_day() -> None:
    calendar = Calendar.from_config({"zone": "Europe/Berlin", "open": {"fri": ["22:00-06:00"]}})
    assert calendar.is_open(berlin("2026-11-28T05:59:59"))
    assert not calendar.is_open(berlin("2026-11-28T06:00"))
    closed = Calendar.from_config({"zone": "Europe/Berlin", "open": {"fri": ["22:00-06:00"]}, "closed": ["2026-11-28"]})
    assert closed.is_open(berlin("2026-11-28T05:00")), "the closed Saturday does not cut Friday's span"


def test_elapsed_time_is_real_seconds_across_clock_changes() -> None:
    night = Calendar.from_config(NIGHT)
    assert night.working_seconds(berlin("2026-03-28T22:00"), berlin("2026-03-29T06:00")) == 7 * 3600
    assert night.working_seconds(berlin("2026-10-24T22:00"), berlin("2026-10-25T06:00")) == 9 * 3600
    assert night.add(berlin("2026-03-28T22:00"), 7 * 3600) == berlin("2026-03-29T06:00")


def test_skipped_hours_stand_for_the_jump_and_repeated_ones_for_their_first_pass() -> None:
    spring = Calendar.from_config({"zone": "Europe/Berlin", "open": {"sun": ["02:15-04:00"]}})
    assert spring.working_seconds(berlin("2026-03-29T00:00"), berlin("2026-03-29T12:00")) == 3600
    autumn = Calendar.from_config({"zone": "Europe/Berlin", "open": {"sun": ["01:00-02:30"]}})
    assert autumn.working_seconds(berlin("2026-10-25T00:00"), berlin("2026-10-25T12:00")) == 5400


def test_special_beats_closed_beats_holidays_beats_open() -> None:
    calendar = Calendar.from_config(
        {
            "zone": "Europe/Berlin",
            "open": {"mon-fri": ["09:00-17:00"]},
            "holidays": {"country": "DE"},
            "closed": ["2026-12-24", "2026-12-31"],
            "special": {"2026-12-31": ["06:00-12:00"], "2026-12-25": ["10:00-11:00"], "2026-12-28": []},
        }
    )
    worked = {
        day: calendar.working_seconds(berlin(f"2026-12-{day}T00:00"), berlin(f"2026-12-{day + 1}T00:00"))
        for day in range(22, 31)
    }
    assert worked == {22: 28800, 23: 28800, 24: 0, 25: 3600, 26: 0, 27: 0, 28: 0, 29: 28800, 30: 28800}
    assert calendar.is_open(berlin("2026-12-31T06:00"))
    assert not calendar.is_open(berlin("2027-01-01T10:00"))


def test_subdivisions_have_their_own_holidays() -> None:
    epiphany = berlin("2026-01-06T10:00")
    country = Calendar.from_config(OFFICE | {"holidays": {"country": "DE"}})
    bavaria = Calendar.from_config(OFFICE | {"holidays": {"country": "DE", "subdivision": "BY"}})
    assert country.is_open(epiphany) and not bavaria.is_open(epiphany)


def test_listed_holidays_and_date_values_are_taken() -> None:
    calendar = Calendar.from_config(
        OFFICE | {"holidays": [date(2026, 11, 23)], "special": {date(2026, 11, 28): "10:00-11:00"}}
    )
    assert not calendar.is_open(berlin("2026-11-23T10:00"))
    assert calendar.is_open(berlin("2026-11-28T10:30"))


def test_overlapping_spans_count_once() -> None:
    calendar = Calendar.from_config(
        {"zone": "UTC", "open": {"mon": ["08:00-12:00", "11:00-13:00"], "mon-tue": ["12:30-14:00"]}}
    )
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    assert calendar.working_seconds(monday, monday + timedelta(days=1)) == 6 * 3600


def test_around_the_clock_stays_open_over_new_year() -> None:
    calendar = Calendar.from_config(
        {"zone": "America/New_York", "open": {"all": ["00:00-24:00"]}, "closed": ["2027-02-01"]}
    )
    eve = datetime(2026, 12, 31, 20, tzinfo=UTC)
    assert calendar.working_seconds(eve, eve + timedelta(days=2)) == 2 * 86400
    assert calendar.next_close(eve) == datetime(2027, 2, 1, 5, tzinfo=UTC)


def test_a_calendar_that_never_closes_says_so() -> None:
    calendar = Calendar.from_config({"zone": "Europe/Berlin", "open": {"daily": ["00:00-24:00"]}})
    with pytest.raises(RulebookError, match="never closes after 2026"):
        calendar.next_close(datetime(2026, 11, 23, tzinfo=UTC))


def test_truncation_is_toward_zero_and_fractions_are_exact() -> None:
    calendar = Calendar.from_config({"zone": "UTC", "open": {"daily": ["00:00-24:00"]}})
    start = datetime(2026, 11, 23, tzinfo=UTC)
    later = start + timedelta(seconds=1, microseconds=999_999)
    assert (calendar.working_seconds(start, later), calendar.working_seconds(later, start)) == (1, -1)
    assert calendar.add(start, 0.001) == start + timedelta(milliseconds=1)
    assert calendar.add(start, -0.5) == start - timedelta(milliseconds=500)


def test_nothing_to_add_gives_the_start_even_when_closed() -> None:
    sunday = berlin("2026-11-22T10:00")
    assert Calendar.from_config(OFFICE).add(sunday, 0) == sunday


def test_going_backward_over_a_whole_day_ends_at_its_opening() -> None:
    assert Calendar.from_config(OFFICE).add(berlin("2026-11-23T18:00"), -8 * 3600) == berlin("2026-11-23T09:00")
    assert Calendar.from_config(OFFICE).add(berlin("2026-11-23T08:00"), 8 * 3600) == berlin("2026-11-23T17:00")


def test_decades_outside_the_index_still_count() -> None:
    calendar = Calendar.from_config(OFFICE)
    assert calendar.working_seconds(berlin("1970-01-05T00:00"), berlin("1970-01-06T00:00")) == 8 * 3600
    assert calendar.add(berlin("2080-01-01T09:00"), 3600) == berlin("2080-01-01T10:00")


def test_a_calendar_of_single_days_refuses_when_they_are_over() -> None:
    calendar = Calendar.from_config({"zone": "UTC", "special": {"2026-12-31": ["06:00-12:00"]}})
    assert calendar.next_open(datetime(2020, 1, 1, tzinfo=UTC)) == datetime(2026, 12, 31, 6, tzinfo=UTC)
    with pytest.raises(RulebookError, match="never opens after"):
        calendar.next_open(datetime(2027, 1, 1, tzinfo=UTC))
    with pytest.raises(RulebookError, match="never opens after"):
        calendar.add(datetime(2026, 1, 1, tzinfo=UTC), 7 * 3600)
    with pytest.raises(RulebookError, match="never opens before"):
        calendar.add(datetime(2026, 1, 1, tzinfo=UTC), -1)


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Calendar.from_config(OFFICE).is_open(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("change", "key", "says", "hint"),
    [
        ({"zone": "Europe/Berlinn"}, "zone", "unknown time zone", "'Europe/Berlin'"),
        ({"zone": 5}, "zone", "unknown time zone", ""),
        ({"open": {}}, "open", "never opens", "mon-fri"),
        ({"open": {"mon-fri": []}}, "open", "never opens", "mon-fri"),
        ({"open": {"mun": ["09:00-17:00"]}}, "open.mun", "unknown day", "tue-thu"),
        ({"open": {"mon": ["9-17"]}}, "open.mon", "bad span '9-17'", "09:00-17:00"),
        ({"open": {"mon": ["09:00-25:00"]}}, "open.mon", "no such time of day", "24:00"),
        ({"open": {"mon": ["09:60-17:00"]}}, "open.mon", "no such time of day", "24:00"),
        ({"open": {"mon": ["09:00-09:00"]}}, "open.mon", "it is empty", "00:00-24:00"),
        ({"open": {"mon": 9}}, "open.mon", "no list of spans", ""),
        ({"open": {"daily": ["09:00-17:00"], "sun": []}}, "open.sun", "sun is closed here and open", "once"),
        ({"holidays": {"country": "GER"}}, "holidays.country", "unknown country 'GER'", "two-letter"),
        ({"holidays": {"country": "de"}}, "holidays.country", "unknown country 'de'", "'DE'"),
        ({"holidays": {"subdivision": "BY"}}, "holidays.country", "need a country", "DE"),
        ({"holidays": {"country": "DE", "subdivision": "BX"}}, "holidays.subdivision", "unknown subdivision", "BY"),
        ({"holidays": {"contry": "DE"}}, "holidays.contry", "unknown key", "'country'"),
        ({"holidays": ["2026-13-01"]}, "holidays", "no date", "YYYY-MM-DD"),
        ({"closed": "2026-12-24"}, "closed", "no list of dates", "2026-12-24"),
        ({"special": {"soon": []}}, "special.soon", "no date", "YYYY-MM-DD"),
        ({"special": ["2026-12-24"]}, "special", "no mapping", "special"),
        ({"opens": {}}, "opens", "unknown key", "'open'"),
    ],
)
def test_nonsense_is_refused_with_a_hint(change: dict[str, Any], key: str, says: str, hint: str) -> None:
    with pytest.raises(RulebookError) as caught:
        Calendar.from_config(OFFICE | change)
    found = {p.key: p for p in caught.value.problems}
    assert says in found[key].problem
    assert hint in found[key].hint


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(RulebookError) as caught:
        Calendar.from_config({"zone": "Mars/Olympus", "open": {"mon": ["x"]}, "closed": ["y"]})
    assert [p.key for p in caught.value.problems] == ["zone", "open.mon", "closed"]


def test_norway_survives_an_unquoted_country() -> None:
    calendar = Calendar.from_config(OFFICE | {"zone": "Europe/Oslo", "holidays": {"country": False}})
    assert not calendar.is_open(datetime(2026, 5, 17, 10, tzinfo=UTC))


def test_the_key_follows_the_dates_and_the_name() -> None:
    office, same = Calendar.from_config(OFFICE, name="office"), Calendar.from_config(dict(OFFICE), name="office")
    assert office.key == same.key
    assert office.key.startswith("office@") and len(office.key) == len("office@") + 12
    assert office.key != Calendar.from_config(OFFICE | {"closed": ["2026-12-24"]}, name="office").key
    assert Calendar.from_config(OFFICE, name="other").key != office.key


def test_the_index_has_few_candidates_and_is_quick_to_build() -> None:
    began = time.perf_counter()
    index = Calendar.from_config(
        {
            "zone": "Europe/Berlin",
            "open": {"mon-fri": ["06:00-22:00"], "sat": ["06:00-12:00", "13:00-16:00"]},
            "holidays": {"country": "DE"},
        }
    ).index()
    took = time.perf_counter() - began
    assert len(index.spans) == len(index.before_ms) - 1 == (date(2045, 1, 1) - date(1995, 1, 1)).days
    assert max(b - a for a, b in zip(index.bucket, index.bucket[1:], strict=False)) <= 4
    assert took < 3, "measured 0.2 s on an idle core"
