"""Opening hours as an author writes them: the mapping of design "calendars", read and checked.

Gives, for each local date, its spans in seconds of that day; rules.calendar turns them into instants.
Which dates are public holidays comes from the `holidays` package.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import holidays as public_holidays
from holidays.registry import EntityLoader

from rules.errors import Problem, RulebookError, closest

DAY_S = 86_400
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EVERY_DAY = ("daily", "all")
KEYS = ("zone", "open", "holidays", "closed", "special")
HOLIDAY_KEYS = ("country", "subdivision")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*[-–]\s*(\d{1,2}):(\d{2})(?::(\d{2}))?")
_NEVER = 'give `open` at least one span, for example {mon-fri: ["09:00-17:00"]}'

Span = tuple[int, int]  # seconds of the local day; the end may lie in the next one
Report = Callable[[str, str, str], None]  # key below the calendar, problem, hint


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans by weekday (0 is Monday), dates with their own spans, and dates that are closed, by ordinal."""

    zone: ZoneInfo
    weekly: tuple[tuple[Span, ...], ...]
    special: dict[int, tuple[Span, ...]] = field(default_factory=dict, hash=False)
    closed: frozenset[int] = frozenset()
    country: str | None = None
    subdivision: str | None = None

    def of(self, ordinal: int, holidays: frozenset[int]) -> tuple[Span, ...]:
        """Return the spans of one local date: special beats closed beats holidays beats the week."""
        own = self.special.get(ordinal)
        if own is not None:
            return own
        if ordinal in self.closed or ordinal in holidays:
            return ()
        return self.weekly[(ordinal + 6) % 7]

    def holidays(self, year: int) -> frozenset[int]:
        """Return the public holidays of a year; none without a country."""
        return _public_holidays(self.country, self.subdivision, year) if self.country else frozenset()


def read_hours(config: Mapping[str, Any]) -> Hours:
    """Return the hours a calendar mapping describes. Raises RulebookError with every problem, keys relative to it."""
    problems: list[Problem] = []

    def report(key: str, problem: str, hint: str) -> None:
        problems.append(Problem(problem, hint, key))

    if not isinstance(config, Mapping):
        raise RulebookError([Problem("a calendar is a mapping", "write {zone: Europe/Berlin, open: {mon-fri: [...]}}")])
    for key in config:
        if key not in KEYS:
            report(str(key), "unknown key", closest(str(key), KEYS))
    zone = _zone(config.get("zone", "UTC"), report)
    weekly = _weekly(config.get("open"), report)
    special = {
        ordinal: tuple(_spans(spans, f"special.{day}", report))
        for day, spans in _mapping(config.get("special"), "special", report).items()
        if (ordinal := _date(day, f"special.{day}", report))
    }
    closed = frozenset(_dates(config.get("closed"), "closed", report))
    country, subdivision, listed = _holidays(config.get("holidays"), report)
    if not problems and not any(weekly) and not any(special.values()):
        report("open", "the calendar never opens", _NEVER)
    if problems or zone is None:
        raise RulebookError(problems)
    return Hours(zone, weekly, special, closed | listed, country, subdivision)


def _mapping(value: Any, key: str, report: Report) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    report(key, f"{value!r} is no mapping", f"write {key}: {{...}}")
    return {}


def _zone(value: Any, report: Report) -> ZoneInfo | None:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        report("zone", f"unknown time zone {value!r}", closest(str(value), available_timezones()))
        return None


def _weekly(value: Any, report: Report) -> tuple[tuple[Span, ...], ...]:
    days: list[list[Span]] = [[] for _ in WEEKDAYS]
    shut: dict[int, str] = {}
    for key, written in _mapping(value, "open", report).items():
        named = _weekdays(str(key))
        if named is None:
            report(f"open.{key}", f"unknown day {key!r}", 'write mon, tue-thu, "mon,wed" or daily')
            continue
        spans = _spans(written, f"open.{key}", report)
        for day in named:
            days[day].extend(spans)
            if not spans:
                shut[day] = str(key)
    for day, key in shut.items():
        if days[day]:
            report(f"open.{key}", f"{WEEKDAYS[day]} is closed here and open under another key", "name each day once")
    return tuple(tuple(sorted(spans)) for spans in days)


def _weekdays(text: str) -> list[int] | None:
    found: list[int] = []
    for part in text.lower().split(","):
        name = part.strip()
        if name in _EVERY_DAY:
            found.extend(range(7))
            continue
        ends = [_weekday(end) for end in name.split("-")]
        if None in ends or len(ends) > 2:
            return None
        first, last = ends[0], ends[-1]
        assert first is not None and last is not None
        found.extend((first + step) % 7 for step in range((last - first) % 7 + 1))
    return sorted(set(found))


def _weekday(text: str) -> int | None:
    name = text.strip()
    for names in (WEEKDAYS, _LONG):
        if name in names:
            return names.index(name)
    return None


def _spans(value: Any, key: str, report: Report) -> list[Span]:
    if value is None:
        return []
    written = [value] if isinstance(value, str) else value
    if not isinstance(written, list | tuple):
        report(key, f"{value!r} is no list of spans", 'write ["09:00-12:00", "13:00-17:00"]')
        return []
    return [span for text in written if (span := _span(text, key, report)) is not None]


def _span(text: Any, key: str, report: Report) -> Span | None:
    match = _SPAN.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        report(key, f"bad span {text!r}", 'write "09:00-17:00", hours 00:00 to 24:00')
        return None
    h1, m1, s1, h2, m2, s2 = (int(part or 0) for part in match.groups())
    start, end = h1 * 3600 + m1 * 60 + s1, h2 * 3600 + m2 * 60 + s2
    if max(m1, s1, m2, s2) > 59 or start >= DAY_S or end > DAY_S:
        report(key, f"bad span {text!r}: there is no such time of day", "hours run from 00:00 to 24:00")
        return None
    if start == end:
        report(key, f"bad span {text!r}: it is empty", 'write "00:00-24:00" for a whole day')
        return None
    return start, end if end > start else end + DAY_S


def _date(value: Any, key: str, report: Report) -> int | None:
    if isinstance(value, datetime):
        value = value.isoformat()
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        report(key, f"{value!r} is no date", "write YYYY-MM-DD")
        return None
    return day.toordinal()


def _dates(value: Any, key: str, report: Report) -> Iterable[int]:
    if value is None:
        return []
    if not isinstance(value, list | tuple | set | frozenset):
        report(key, f"{value!r} is no list of dates", 'write ["2026-12-24"]')
        return []
    return [ordinal for day in value if (ordinal := _date(day, key, report)) is not None]


def _holidays(value: Any, report: Report) -> tuple[str | None, str | None, frozenset[int]]:
    """Return (country, subdivision, listed dates); a list of dates closes those dates."""
    if not isinstance(value, Mapping):
        return None, None, frozenset(_dates(value, "holidays", report))
    for key in value:
        if key not in HOLIDAY_KEYS:
            report(f"holidays.{key}", "unknown key", closest(str(key), HOLIDAY_KEYS))
    country, subdivision = value.get("country"), value.get("subdivision")
    if country is False:  # YAML 1.1 reads an unquoted NO as false
        country = "NO"
    known = frozenset(EntityLoader.get_country_codes())  # names alone: the list with subdivisions loads every country
    if country not in known:
        what = "holidays need a country" if country is None else f"unknown country {country!r}"
        report(
            "holidays.country",
            what,
            "write its two letters, for example DE" if country is None else _near(country, known),
        )
        return None, None, frozenset()
    try:
        public_holidays.country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        hint = closest(str(subdivision), public_holidays.country_holidays(country).subdivisions)
        report("holidays.subdivision", f"unknown subdivision {subdivision!r} of {country}", hint)
        return None, None, frozenset()
    return country, subdivision, frozenset()


def _near(country: Any, known: Iterable[str]) -> str:
    text = str(country).upper()
    return (
        f"did you mean {text!r}?" if text in set(known) else "use the two-letter ISO code, for example DE, FR, GB, US"
    )


@lru_cache(maxsize=4096)
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[int]:
    with warnings.catch_warnings():
        # Some countries warn about far years, whose movable feasts nobody has proclaimed yet: those stay ordinary days.
        warnings.simplefilter("ignore")
        found = public_holidays.country_holidays(country, subdiv=subdivision, years=year)
    return frozenset(day.toordinal() for day in found if day.year == year)
