"""Dates and times of every form, to instants that say how exact they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.mapping.context import rfc3339
from collector.mapping.errors import Unusable
from collector.mapping.times import FORMS, moment, parser
from collector.mapping.zones import zone_of
from tests.amount import SEEDS

BERLIN = ZoneInfo("Europe/Berlin")
GOOD = [
    ("iso", "2026-03-01T09:30:00Z", "2026-03-01T09:30:00.000Z", "instant"),
    ("iso", "2026-03-01T09:30:00.123456789+01:00", "2026-03-01T08:30:00.123Z", "instant"),
    ("iso", "2026-03-01T09:30:00", "2026-03-01T08:30:00.000Z", "instant"),
    ("iso", "2023-04-06 18:36:18", "2023-04-06T16:36:18.000Z", "instant"),
    ("iso", "2026-03-01T09:30", "2026-03-01T08:30:00.000Z", "minute"),
    ("iso", "20260301T093000Z", "2026-03-01T09:30:00.000Z", "instant"),
    ("iso", "2026-03-01", "2026-03-01T22:59:59.999Z", "day"),
    ("iso", ["2026-03-01", "13:26:11"], "2026-03-01T12:26:11.000Z", "instant"),
    ("iso", ["2026-03-01", "PT13H26M11S"], "2026-03-01T12:26:11.000Z", "instant"),
    ("iso", ["2026-03-01", "132611"], "2026-03-01T12:26:11.000Z", "instant"),
    ("iso", ["2026-03-01T00:00:00", "1326"], "2026-03-01T12:26:00.000Z", "minute"),
    ("iso", ["2026-03-01", None], "2026-03-01T22:59:59.999Z", "day"),
    ("yyyymmdd", "20260301", "2026-03-01T22:59:59.999Z", "day"),
    ("yyyymmdd", 20260301, "2026-03-01T22:59:59.999Z", "day"),
    ("yyyymmdd", ["20260301", "0930"], "2026-03-01T08:30:00.000Z", "minute"),
    ("yyyymmdd", "20260301093000", "2026-03-01T08:30:00.000Z", "instant"),
    ("yyyymmdd", ["20260301", "09300012"], "2026-03-01T08:30:00.120Z", "instant"),
    ("yyyymmdd", ["20260301", "2400"], "2026-03-01T23:00:00.000Z", "minute"),
    ("yymmdd", ["260301", "0930"], "2026-03-01T08:30:00.000Z", "minute"),
    ("ddmmyyyy", "01032026", "2026-03-01T22:59:59.999Z", "day"),
    ("mmddyyyy", "03012026", "2026-03-01T22:59:59.999Z", "day"),
    ("epoch_s", 1612912679, "2021-02-09T23:17:59.000Z", "instant"),
    ("epoch_s", "1612912679.25", "2021-02-09T23:17:59.250Z", "instant"),
    ("epoch_ms", 1612912679123, "2021-02-09T23:17:59.123Z", "instant"),
    ("odata", "/Date(1637246655000)/", "2021-11-18T14:44:15.000Z", "instant"),
    ("odata", "/Date(1637246655000+0060)/", "2021-11-18T14:44:15.000Z", "instant"),
    ("odata", ["/Date(1637193600000)/", "PT16H00M00S"], "2021-11-18T15:00:00.000Z", "instant"),
    ("odata", ["/Date(1637193600000)/", None], "2021-11-18T22:59:59.999Z", "day"),
    ("odata", "2021-11-18T14:44:15Z", "2021-11-18T14:44:15.000Z", "instant"),
    ("edifact", ["20260301", "102"], "2026-03-01T22:59:59.999Z", "day"),
    ("edifact", ["202603010930", "203"], "2026-03-01T08:30:00.000Z", "minute"),
    ("edifact", ["20260301093015", "204"], "2026-03-01T08:30:15.000Z", "instant"),
    ("edifact", ["202603010930UTC", "303"], "2026-03-01T09:30:00.000Z", "minute"),
    ("edifact", ["202603010930+05", "303"], "2026-03-01T04:30:00.000Z", "minute"),
    ("edifact", ["260301", "101"], "2026-03-01T22:59:59.999Z", "day"),
    ("edifact", ["010326", "2"], "2026-03-01T22:59:59.999Z", "day"),
    ("edifact", ["2026030120260305", "718"], "2026-03-05T22:59:59.999Z", "day"),
    ("edifact", ["20260301-20260305", "718"], "2026-03-05T22:59:59.999Z", "day"),
    ("edifact", ["202602", "610"], "2026-02-28T22:59:59.999Z", "day"),
    ("edifact", ["202653", "616"], "2027-01-03T22:59:59.999Z", "day"),
    ("edifact", ["202603010000", "102"], "2026-03-01T22:59:59.999Z", "day"),
    ("x12", "20260301", "2026-03-01T22:59:59.999Z", "day"),
    ("x12", ["260301", "0930"], "2026-03-01T08:30:00.000Z", "minute"),
    ("x12", ["20260301", "09300012"], "2026-03-01T08:30:00.120Z", "instant"),
    ("x12", ["20260301", None], "2026-03-01T22:59:59.999Z", "day"),
    ("edifact", "20260301", "2026-03-01T22:59:59.999Z", "day"),
    ("%d.%m.%Y %H:%M", "01.03.2026 09:30", "2026-03-01T08:30:00.000Z", "minute"),
    ("%m/%d/%y", "03/01/26", "2026-03-01T22:59:59.999Z", "day"),
    ("%d.%m.%Y", ["01.03.2026", "09:30"], "2026-03-01T08:30:00.000Z", "minute"),
    ("%Y-%m-%dT%H:%M:%S%z", "2026-03-01T09:30:00-0500", "2026-03-01T14:30:00.000Z", "instant"),
]


@pytest.mark.parametrize(("form", "value", "expected", "precision"), GOOD)
def test_a_time_is_read(form: str, value: Any, expected: str, precision: str) -> None:
    stamp = parser(form)(value)
    assert stamp is not None
    found = moment(stamp, BERLIN)
    assert (rfc3339(found.at), found.precision, found.note) == (expected, precision, "")


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("iso", "yesterday"), ("iso", "2026-13-01"), ("iso", ["2026-03-01", "25:00"]), ("iso", {"a": 1}), ("iso", True),
        ("yyyymmdd", "2026030"), ("yyyymmdd", "20260230"), ("yyyymmdd", ["20260301", "9"]), ("yyyymmdd", "2026-03-01"),
        ("yymmdd", "2603x1"), ("epoch_s", "soon"), ("epoch_s", "1e9"), ("epoch_ms", 10**17), ("odata", "/Date(x)/"),
        ("edifact", ["20260301", "616"]), ("edifact", ["2026", "102"]), ("%d.%m.%Y", "2026-03-01"),
        ("odata", "/Date(9999999999999999)/"), ("x12", "PO DATE"), ("edifact", ["202613", "610"]), ("edifact", ["202654", "616"]), ("x12", "2603"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_an_error(form: str, value: Any) -> None:
    with pytest.raises(Unusable):
        parser(form)(value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [None, "", [None, None], "00000000"])
def test_a_missing_time_is_missing(form: str, value: Any) -> None:
    if value == "00000000" and form.startswith(("epoch", "odata")):
        return
    assert parser(form)(value) is None


def test_an_hour_that_the_clocks_show_twice_is_the_earlier_one() -> None:
    stamp = parser("iso")("2026-10-25T02:30:00")
    assert stamp is not None
    assert moment(stamp, BERLIN)[:] == (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        "instant",
        "source",
        "ambiguous_hour",
    )


def test_an_hour_that_the_clocks_skip_is_read_as_if_they_had_not() -> None:
    stamp = parser("iso")("2026-03-29T02:30:00")
    assert stamp is not None
    found = moment(stamp, BERLIN)
    assert (found.at, found.note) == (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "skipped_hour")


@given(st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)), st.sampled_from(["Europe/Berlin", "America/New_York"]))
@settings(max_examples=80 * SEEDS, deadline=None)
def test_a_local_time_comes_back_as_it_was_unless_the_clocks_skipped_it(at: datetime, name: str) -> None:
    at = at.replace(microsecond=0)
    stamp = parser("iso")(at.isoformat())
    assert stamp is not None
    found = moment(stamp, ZoneInfo(name))
    back = found.at.astimezone(ZoneInfo(name)).replace(tzinfo=None)
    assert back == (at if found.note != "skipped_hour" else at + timedelta(hours=1))


@given(st.text(max_size=20) | st.integers() | st.lists(st.text(max_size=9) | st.none(), max_size=3) | st.none())
@settings(max_examples=80 * SEEDS, deadline=None)
def test_any_value_gives_a_time_nothing_or_an_error(value: Any) -> None:
    for form in (*FORMS, "%d.%m.%Y %H:%M"):
        try:
            stamp = parser(form)(value)
            if stamp is not None:
                assert moment(stamp, BERLIN).at.tzinfo is UTC
        except Unusable:
            pass


@pytest.mark.parametrize(
    ("name", "offset_h"),
    [("Europe/Berlin", 1), ("+01:00", 1), ("-0530", -5.5), ("UTC", 0), ("UTC+1", 1), ("ET", -5), ("ED", -4), ("P02", 2),
     ("M05", -5), ("Z", 0), ("CET", 1), (" PT ", -8)],
)  # fmt: skip
def test_a_zone_is_known_by_many_names(name: str, offset_h: float) -> None:
    zone = zone_of(name)
    assert zone is not None
    assert datetime(2026, 1, 15, tzinfo=zone).utcoffset() == timedelta(hours=offset_h)


@pytest.mark.parametrize("name", ["", "Berlin", "../etc/passwd", "+25:00", "X9"])
def test_an_unknown_zone_is_none(name: str) -> None:
    assert zone_of(name) is None
