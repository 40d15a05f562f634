"""How values read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.tower_ui import fmt

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("18800000", "€18.8M"), ("96500", "€96.5k"), ("155000", "€155k"), ("950", "€950"), ("0", "€0"), ("999.4", "€999"),
        ("999.5", "€1.0k"), ("999950", "€1.0M"), ("-1234", "−€1.2k"), ("999999999", "€1.0B"), ("1500000000000", "€1500B"),
    ],
)  # fmt: skip
def test_a_card_shows_money_in_three_digits_and_a_unit(value: str, text: str) -> None:
    assert fmt.money_short(Decimal(value), "EUR") == text


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("1234567.895", "EUR", "€1,234,567.90"),
        ("0.005", "USD", "$0.01"),
        ("-3", "CHF", "−CHF 3.00"),
        ("12", "", "12.00"),
    ],
)
def test_a_table_shows_every_digit_of_the_cents(value: str, currency: str, text: str) -> None:
    assert fmt.money_full(Decimal(value), currency) == text


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=2))
def test_hundredths_are_exact_at_any_size(value: Decimal) -> None:
    assert Decimal(fmt.minor(value)) == value * 100


@pytest.mark.parametrize("raw", [None, "", "x", "NaN", float("nan"), True, Decimal("Infinity")])
def test_what_is_no_amount_is_none(raw: object) -> None:
    assert fmt.decimal(raw) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h 00m"), (11220, "3h 07m"), (86399, "23h 59m"),
        (86400, "1d 00h"), (104400, "1d 05h"), (864000, "10d"), (-3600, "−1h 00m"), (None, "–"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_durations_show_their_two_largest_units(seconds: float | None, text: str) -> None:
    assert fmt.duration(seconds) == text


def test_times_are_shown_in_the_readers_zone_across_a_clock_change() -> None:
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    after = before + timedelta(hours=1)
    assert (fmt.clock(before, BERLIN), fmt.zone_name(BERLIN, before)) == ("02:30:00", "CEST")
    assert (fmt.clock(after, BERLIN), fmt.zone_name(BERLIN, after)) == ("02:30:00", "CET")


def test_an_instant_is_as_short_as_is_safe() -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert fmt.moment(now - timedelta(hours=1), BERLIN, now) == "12:00:00"
    assert fmt.moment(now - timedelta(days=1), BERLIN, now) == "22 Nov 13:00"
    assert fmt.moment(now - timedelta(days=400), BERLIN, now) == "19 Oct 2025 14:00"
    assert fmt.moment(None, BERLIN, now) == "–"


def test_an_unknown_zone_is_utc() -> None:
    assert fmt.zone("Mars/Olympus") is UTC
    assert fmt.zone(None) is UTC
    assert fmt.zone("../../etc/passwd") is UTC


@pytest.mark.parametrize("text", ["", None, "yesterday", 5])
def test_what_is_no_instant_is_none(text: object) -> None:
    assert fmt.instant(text) is None


def test_instants_with_z_and_without_zone_are_utc() -> None:
    expected = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert fmt.instant("2026-11-23T10:00:00.000Z") == fmt.instant("2026-11-23T10:00:00") == expected


def test_each_state_has_its_own_mark_and_word() -> None:
    words = [word for _, word in fmt.STATES.values()]
    assert len(set(words)) == len(words)
    open_marks = [fmt.state_mark(s) for s in ("failing", "late", "diverging", "unknown", "at_risk", "on_track")]
    assert len(set(open_marks)) == 6


def test_a_stage_without_a_label_is_called_by_its_id_in_words() -> None:
    assert fmt.label({"id": "ship-to-invoice", "label": "ship-to-invoice"}) == "Ship to invoice"
    assert fmt.label({"id": "ship-to-invoice", "label": "Invoicing"}) == "Invoicing"


@pytest.mark.parametrize(("part", "whole", "text"), [(50, 100, 50), (None, 100, None), (5, 0, None), (5, None, None)])
def test_percent_of_nothing_is_none(part: float | None, whole: float | None, text: int | None) -> None:
    assert fmt.percent(part, whole) == text
