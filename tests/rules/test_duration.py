"""Durations as authors write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.duration import UNITS, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", 7200),
        ("30m", 1800),
        ("5s", 5),
        ("1d", 86400),
        ("1h30m", 5400),
        ("90", 90),
        (90, 90),
        ("1w2d", 777600),
        ("1h 30m", 5400),
    ],
)
def test_durations_are_seconds(text: object, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2 hours", "30m1h", "-5m", "1.5h", "h", True, None, 2.5, [], "1" * 20, "5M"])
def test_nonsense_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@given(st.dictionaries(st.sampled_from(list(UNITS)), st.integers(0, 10**6), min_size=1))
def test_durations_add_up(parts: dict[str, int]) -> None:
    text = "".join(f"{parts[unit]}{unit}" for unit in UNITS if unit in parts)
    assert parse_duration(text) == sum(UNITS[unit] * count for unit, count in parts.items())
