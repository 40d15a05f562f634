"""Dates and times as systems write them, to instants that say how exact they are.

A time without a zone is local. An hour that the clocks show twice is the earlier one, an hour they skip is read as if
they had not; both are noted. A date without a time is the end of that local day: what is known is only that it had
happened by then.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple

from collector.mapping.errors import Unusable, leaf, no
from collector.mapping.zones import zone_of

PRECISIONS = ("instant", "minute", "day", "batch")
BASES = ("source", "file", "received")
LAST_OF_DAY = time(23, 59, 59, 999000)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ODATA = re.compile(r"/?Date\((-?\d{1,16})([-+]\d{4})?\)/?")
_CLOCK = re.compile(r"(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]?(\d{1,9}))?)?")
_DURATION = re.compile(r"PT(?:(\d{1,2})H)?(?:(\d{1,2})M)?(?:(\d{1,2})(?:\.(\d{1,9}))?S)?")
_DIGITS = re.compile(r"\d+")


class Moment(NamedTuple):
    """An instant in UTC. note says what was done to it, '' for nothing."""

    at: datetime
    precision: str = "instant"
    basis: str = "source"
    note: str = ""


class Stamp(NamedTuple):
    """A date with or without time, local unless it has a zone of its own."""

    at: datetime
    precision: str


Parse = Callable[[Any], Stamp | None]


def moment(stamp: Stamp, zone: tzinfo) -> Moment:
    """Return the instant of a stamp; zone is that of a local one."""
    at, precision = stamp
    if precision == "day":
        at = datetime.combine(at.date(), LAST_OF_DAY, at.tzinfo)
    try:
        if at.tzinfo is not None:
            return Moment(at.astimezone(UTC), precision)
        first = at.replace(tzinfo=zone, fold=0)
        note = ""
        if first.utcoffset() != at.replace(tzinfo=zone, fold=1).utcoffset():
            back = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
            note = "ambiguous_hour" if back == at else "skipped_hour"
        return Moment(first.astimezone(UTC), precision, note=note)
    except OverflowError:
        raise no(at.isoformat(), "time that can be kept") from None


def parser(form: str) -> Parse:
    """Return the reader of a form. Raises ValueError with what can be written."""
    if form in _FORMS:
        return _FORMS[form]
    if "%" in form:
        return _pattern(form)
    raise ValueError(f"unknown form {form!r}")


def _parts(value: Any) -> tuple[Any, str]:
    """Return the first part of a value and the text of the rest: a date may come with its time beside it."""
    if isinstance(value, list):
        rest = [str(part).strip() for part in value[1:] if part is not None]
        return (value[0] if value else None), "".join(rest)
    return value, ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    value = leaf(value)
    if isinstance(value, bool | dict | list):
        raise no(value, "time")
    return str(value).strip()


def _clock(text: str) -> tuple[timedelta, str]:
    """Return the time of day since midnight, and its precision; 24:00 is the end of the day."""
    found = _CLOCK.fullmatch(text)
    if found:
        hours, minutes, seconds, fraction = int(found[1]), int(found[2]), int(found[3] or 0), found[4] or ""
        precise = found[3] is not None
    else:
        found = _DURATION.fullmatch(text)
        if not found or text == "PT":
            raise no(text, "time of day")
        hours, minutes, seconds, fraction = (*(int(found[i] or 0) for i in (1, 2, 3)), found[4] or "")
        precise = True
    if hours > 24 or minutes > 59 or seconds > 60 or (hours == 24 and (minutes or seconds)):
        raise no(text, "time of day")
    micros = int((fraction + "000000")[:6])
    since = timedelta(hours=hours, minutes=minutes, seconds=min(seconds, 59), microseconds=micros)
    return since, "instant" if precise else "minute"


def _joined(day: date, clock: str) -> Stamp:
    at = datetime.combine(day, time())
    if not clock:
        return Stamp(at, "day")
    since, precision = _clock(clock)
    try:
        return Stamp(at + since, precision)
    except OverflowError:
        raise no(f"{day} {clock}", "time that can be kept") from None


def _iso(value: Any) -> Stamp | None:
    first, clock = _parts(value)
    text = _text(first)
    if not text or not text.strip("0-"):
        return None
    try:
        if clock:
            return _joined(date.fromisoformat(text[:10]), clock)
        if len(text) <= 10:
            return Stamp(datetime.fromisoformat(text), "day")
        at = datetime.fromisoformat(text.replace(" +", "+").removesuffix(" UTC"))
    except (ValueError, OverflowError):
        raise no(text, "ISO 8601 date or time") from None
    return Stamp(at, "minute" if _to_the_minute(text) else "instant")


def _to_the_minute(text: str) -> bool:
    clock = re.split(r"[-+Zz]", re.split(r"[T ]", text, maxsplit=1)[-1], maxsplit=1)[0]
    return len(clock.replace(":", "")) <= 4


def _digits(form: str) -> Parse:
    """Return the reader of dates of digits, `yyyymmdd` and the like, that may run on into a time of digits."""
    years = slice(form.index("y"), form.rindex("y") + 1)
    months = slice(form.index("m"), form.rindex("m") + 1)
    days = slice(form.index("d"), form.rindex("d") + 1)

    def read(value: Any) -> Stamp | None:
        first, clock = _parts(value)
        text = _text(first)
        if not text.strip("0"):
            return None
        day, rest = text[: len(form)], text[len(form) :].lstrip("T ")
        if not _DIGITS.fullmatch(day) or len(day) != len(form):
            raise no(text, f"date {form}")
        try:
            at = date(_year(day[years]), int(day[months]), int(day[days]))
        except ValueError:
            raise no(text, f"date {form}") from None
        return _joined(at, clock or rest)

    return read


def _year(digits: str) -> int:
    """Return the year; of two digits, as POSIX does, 69 to 99 are of the last century."""
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= 69 else 2000)


def _epoch(per_second: int) -> Parse:
    def read(value: Any) -> Stamp | None:
        text = _text(_parts(value)[0])
        if not text:
            return None
        try:
            whole, _, fraction = text.partition(".")
            if not re.fullmatch(r"-?\d{1,17}", whole) or (fraction and not fraction.isdigit()):
                raise ValueError
            micros = int(whole) * (1_000_000 // per_second)
            if fraction and per_second == 1:
                micros += int((fraction + "000000")[:6])
            return Stamp(_EPOCH + timedelta(microseconds=micros), "instant")
        except (ValueError, OverflowError):
            raise no(text, "number of seconds since 1970" if per_second == 1 else "number of ms since 1970") from None

    return read


def _odata(value: Any) -> Stamp | None:
    """Read `/Date(ms)/`. In a list, beside a time, it is a calendar date, as OData v2 sends one: at midnight UTC."""
    first, clock = _parts(value)
    text = _text(first)
    if not text:
        return None
    found = _ODATA.fullmatch(text)
    if not found:
        return _iso(value)
    try:
        at = _EPOCH + timedelta(milliseconds=int(found[1]))
    except OverflowError:
        raise no(text, "time that can be kept") from None
    return _joined(at.date(), clock) if isinstance(value, list) else Stamp(at, "instant")


def _x12(value: Any) -> Stamp | None:
    """Read a date of X12: eight digits, or six as versions before 4010 write it, with the time beside it."""
    day = _text(_parts(value)[0])
    return (_FORMS["yymmdd"] if len(day) == 6 else _FORMS["yyyymmdd"])(value)


# EDIFACT code list 2379: the form of a date by its qualifier.
_EDIFACT = {
    "2": ("%d%m%y", 6), "101": ("%y%m%d", 6), "102": ("%Y%m%d", 8), "201": ("%y%m%d", 6), "202": ("%y%m%d", 6),
    "203": ("%Y%m%d", 8), "204": ("%Y%m%d", 8), "205": ("%Y%m%d", 8), "301": ("%y%m%d", 6), "302": ("%y%m%d", 6),
    "303": ("%Y%m%d", 8), "304": ("%Y%m%d", 8),
}  # fmt: skip
_EDIFACT_PERIODS = {"711": "102", "718": "102", "713": "201", "719": "203"}
_EDIFACT_SPANS = ("610", "616")
_EDIFACT_DAYS = ("2", "101", "102")
_ZONED = re.compile(r"(\d{4}|\d{6})([A-Z+-].*)")


def _edifact(value: Any) -> Stamp | None:
    """Read a DTM composite [2380, 2379]: the form follows from the qualifier; of a period the end counts."""
    if not isinstance(value, list):
        value = [value, "102"]
    text, form = _text(value[0] if value else None), _text(value[1] if len(value) > 1 else None) or "102"
    if not text.strip("0"):
        return None
    if form in _EDIFACT_PERIODS:
        plain = text.replace("-", "")
        form, text = _EDIFACT_PERIODS[form], plain[len(plain) // 2 :]
    if form in _EDIFACT_SPANS:
        return _edifact_span(text, form)
    if form not in _EDIFACT:
        known = (*_EDIFACT, *_EDIFACT_SPANS, *_EDIFACT_PERIODS)
        raise Unusable(f"the date has the form {form}; known are {', '.join(known)}")
    pattern, width = _EDIFACT[form]
    day, clock = text[:width], text[width:]
    if form in _EDIFACT_DAYS and not clock.strip("0"):
        clock = ""  # senders fill a date up with a midnight that means nothing
    zone = None
    if found := _ZONED.fullmatch(clock):
        clock, zone = found[1], zone_of(found[2])
    try:
        stamp = _joined(datetime.strptime(day, pattern).date(), clock)  # noqa: DTZ007  a date has no zone
    except ValueError as error:
        raise error if isinstance(error, Unusable) else no(text, f"date of the EDIFACT form {form}") from None
    return Stamp(stamp.at.replace(tzinfo=zone), stamp.precision) if zone else stamp


def _edifact_span(text: str, form: str) -> Stamp:
    """Return the last day of a month (610, CCYYMM) or of a week (616, CCYYWW)."""
    try:
        if not re.fullmatch(r"\d{6}", text):
            raise ValueError
        year, number = int(text[:4]), int(text[4:])
        if form == "616":
            last = date.fromisocalendar(year, number, 7)
        else:
            last = date(year, number, monthrange(year, number)[1])
    except ValueError:
        raise no(text, f"date of the EDIFACT form {form}") from None
    return Stamp(datetime.combine(last, time()), "day")


def _pattern(form: str) -> Parse:
    """Return the reader of a strptime pattern. Raises ValueError for one that does not name a day."""
    if not ({"%d", "%j"} & set(re.findall(r"%[a-zA-Z]", form)) and re.search(r"%[yY]", form)):
        raise ValueError(f"the form {form!r} names no day and year")
    precision = "instant" if "%S" in form or "%f" in form else "minute" if re.search(r"%[HI]", form) else "day"

    def read(value: Any) -> Stamp | None:
        first, clock = _parts(value)
        text = _text(first)
        if not text.strip("0./-: "):
            return None
        try:
            at = datetime.strptime(text, form)  # noqa: DTZ007  the zone is the connection's
        except ValueError:
            raise no(text, f"date or time {form}") from None
        return _joined(at.date(), clock) if clock else Stamp(at, precision)

    return read


_FORMS: dict[str, Parse] = {
    "iso": _iso,
    "yyyymmdd": _digits("yyyymmdd"),
    "yymmdd": _digits("yymmdd"),
    "ddmmyyyy": _digits("ddmmyyyy"),
    "mmddyyyy": _digits("mmddyyyy"),
    "epoch_s": _epoch(1),
    "epoch_ms": _epoch(1000),
    "odata": _odata,
    "edifact": _edifact,
    "x12": _x12,
}
FORMS: Sequence[str] = tuple(_FORMS)
