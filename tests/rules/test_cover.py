"""A matcher that is said to cover another holds for every order the other holds for."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings

from rules.cover import covers
from rules.model import When
from tests.amount import SEEDS
from tests.rules.test_match import WHEN, holds, read

ORDERS: list[dict[str, Any]] = [
    {"channel": channel, "company": company, "amount": amount}
    for channel, company, amount in product(
        ("a", "b", "it's \\ ok", ""), ("a", "b", ""), ("-4", "-3", "0", "5", "5.25", "6", None)
    )
]


@settings(max_examples=100 * SEEDS, deadline=None)
@given(earlier=WHEN, later=WHEN)
def test_covering_is_never_claimed_wrongly(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    if covers(read(earlier), read(later)):
        assert all(holds(earlier, order) for order in ORDERS if holds(later, order))


@pytest.mark.parametrize(
    ("earlier", "later", "covered"),
    [
        ({}, {"channel": "a"}, True),
        ({"channel": "a"}, {}, False),
        ({"channel": ["a", "b"]}, {"channel": "a", "amount": "> 5"}, True),
        ({"channel": "a"}, {"channel": ["a", "b"]}, False),
        ({"amount": "> 5"}, {"amount": ">= 6"}, True),
        ({"amount": "> 5"}, {"amount": ">= 5"}, False),
        ({"amount": "<= 5"}, {"amount": "< 5"}, True),
        ({"channel": {"not": ["a"]}}, {"channel": {"not": ["a", "b"]}}, True),
        ({"any": [{"channel": "a"}, {"channel": "b"}]}, {"channel": "b"}, True),
        ({"any": [{"channel": "a"}, {"amount": "> 5"}]}, {"any": [{"channel": "a"}, {"company": "b"}]}, False),
    ],
)
def test_what_covers_what(earlier: dict[str, Any], later: dict[str, Any], covered: bool) -> None:
    assert covers(read(earlier), read(later)) is covered


def test_always_is_covered_by_always_only() -> None:
    assert covers(When(), When())
    assert not covers(read({"channel": "a"}), When())
