"""Generated calendars and instants for the tests of business time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # clocks move by half an hour
    "America/Sao_Paulo",  # skipped and repeated midnights until 2019
    "Pacific/Apia",  # skipped the whole of 2011-12-30
    "Africa/Casablanca",
)
# Days around which clocks change somewhere in ZONES.
CHANGES = tuple(
    date.fromisoformat(d)
    for d in (
        "2025-03-30",
        "2025-10-26",
        "2026-03-08",
        "2026-11-01",
        "2018-11-04",
        "2018-02-18",
        "2011-12-30",
        "2026-10-04",
    )
)
_TIME = st.integers(0, 95).map(lambda q: f"{q // 4:02d}:{q % 4 * 15:02d}")
SPAN = st.tuples(_TIME, st.one_of(_TIME, st.just("24:00"))).filter(lambda s: s[0] != s[1]).map("-".join)
SPANS = st.lists(SPAN, min_size=1, max_size=3)
NEAR = st.tuples(st.sampled_from(CHANGES), st.integers(-6, 6)).map(lambda d: d[0] + timedelta(days=d[1]))
DAY_KEYS = st.sampled_from(("mon", "tue-thu", "mon-fri", "sat,sun", "daily", "fri-mon"))


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Calendar mappings in the form of a rulebook."""
    config: dict[str, Any] = {
        "zone": draw(st.sampled_from(ZONES)),
        "open": draw(st.dictionaries(DAY_KEYS, SPANS, min_size=1, max_size=3)),
    }
    if draw(st.booleans()):
        config["holidays"] = draw(
            st.one_of(st.just({"country": "DE", "subdivision": "BY"}), st.lists(NEAR.map(str), max_size=3))
        )
    if draw(st.booleans()):
        config["closed"] = [str(d) for d in draw(st.lists(NEAR, max_size=3))]
    if draw(st.booleans()):
        config["special"] = draw(st.dictionaries(NEAR.map(str), st.one_of(SPANS, st.just([])), max_size=3))
    return config


@st.composite
def instants(draw: st.DrawFn) -> datetime:
    """UTC instants, mostly near a clock change, to the millisecond."""
    day = draw(NEAR)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 95)) * 15)
    return at + timedelta(milliseconds=draw(st.sampled_from((0, 0, 1, -1, 500, 123_457))))
