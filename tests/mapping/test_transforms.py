"""Each transform on what it is for, on lists, on missing values and on what it cannot take."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.mapping.errors import Unusable
from collector.mapping.numbers import MINOR_DIGITS, number_text
from collector.mapping.transforms import TRANSFORMS, Surroundings, Tables, build
from tests.amount import SEEDS

TABLES = Tables({"carriers": {"01": "UPS"}})
AROUND = Surroundings({"partner": {"0012": "ACME"}, "carriers": {"02": "DHL"}}, "EUR")


def run(name: str, argument: Any, value: Any, around: Surroundings = AROUND) -> Any:
    return build(name, argument, TABLES)(value, around)


@pytest.mark.parametrize(
    ("name", "argument", "value", "expected"),
    [
        ("trim", None, "  a b ", "a b"),
        ("upper", None, "ab", "AB"),
        ("lower", None, "AB", "ab"),
        ("collapse", None, "  PO   4711 ", "PO 4711"),
        ("strip_zeros", None, "0080001234", "80001234"),
        ("strip_zeros", None, "000", "0"),
        ("strip_zeros", None, "00A1", "00A1"),
        ("strip_zeros", None, 12, "12"),
        ("pad", 10, "80001234", "0080001234"),
        ("pad", 4, "A1", "A1"),
        ("strip_prefix", "#", "#1001", "1001"),
        ("strip_prefix", ["SO-", "S"], "S-1", "-1"),
        ("strip_suffix", "-X", "1-X", "1"),
        ("extract", r"/(\d+)$", "gid://shopify/Order/12", "12"),
        ("extract", r"\d+", "a12b", "12"),
        ("extract", r"\d+", "ab", None),
        ("split", ",", "a, b,,c", ["a", "b", "c"]),
        ("split", {"by": "/", "take": -1}, "a/b", "b"),
        ("split", {"by": "/", "take": 5}, "a/b", None),
        ("join", "/", ["a", 1], "a/1"),
        ("join", "/", ["a", None], None),
        ("unique", None, ["a", "b", "a"], ["a", "b"]),
        ("default", "EUR", None, "EUR"),
        ("default", "EUR", "USD", "USD"),
        ("blank", ["0001-01-01"], "0001-01-01", None),
        ("lookup", "partner", "0012", "ACME"),
        ("lookup", "carriers", "01", "UPS"),
        ("lookup", "carriers", "02", "DHL"),
        ("lookup", "carriers", "03", "03"),
        ("lookup", {"table": "carriers", "unknown": "drop"}, "03", None),
        ("lookup", {"table": {"A": "picked"}}, "A", "picked"),
        ("decimal", None, "1,234.50", Decimal("1234.50")),
        ("decimal", "comma", "1.234,50-", Decimal("-1234.50")),
        ("decimal", "comma", "1 234,5", Decimal("1234.5")),
        ("decimal", "point", "(12.5)", Decimal("-12.5")),
        ("decimal", "either", "1234,50", Decimal("1234.50")),
        ("decimal", "either", "-1234.50", Decimal("-1234.50")),
        ("implied", 2, "12345", Decimal("123.45")),
        ("implied", 2, "-5", Decimal("-0.05")),
        ("implied", 2, "123.45", Decimal("123.45")),
        ("minor_units", None, 1999, Decimal("19.99")),
        ("sum", None, ["1.10", 2, None], Decimal("3.10")),
        ("sum", None, [], None),
        ("absolute", None, "-5", Decimal(5)),
        ("negate", None, "5", Decimal(-5)),
    ],
)
def test_a_transform_does_what_it_says(name: str, argument: Any, value: Any, expected: Any) -> None:
    assert run(name, argument, value) == expected


def test_a_currency_has_its_own_number_of_minor_digits() -> None:
    found = {c: run("minor_units", None, 1234, Surroundings({}, c)) for c in ("EUR", "JPY", "KWD", "CLF")}
    assert found == {"EUR": Decimal("12.34"), "JPY": Decimal(1234), "KWD": Decimal("1.234"), "CLF": Decimal("0.1234")}
    assert all(len(code) == 3 for code in MINOR_DIGITS)


def test_a_sender_may_count_minor_units_in_its_own_way() -> None:
    own = {"ISK": 2, "MGA": 0}
    found = {c: run("minor_units", own, 500, Surroundings({}, c)) for c in ("isk", "MGA", "JPY", "EUR")}
    assert found == {"isk": Decimal(5), "MGA": Decimal(500), "JPY": Decimal(500), "EUR": Decimal(5)}
    for wrong in ("two", {"ISK": "2"}, {"ISK": 7}):
        with pytest.raises(ValueError, match=r"write a whole number|it takes no argument"):
            build("minor_units", wrong, Tables({}))


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [("decimal", "comma", "1,234.50"), ("decimal", "either", "1.234,50"), ("decimal", None, "1,23.5"), ("decimal", None, "x"), ("implied", 2, "1e5"),
     ("upper", None, {"a": 1}), ("sum", None, ["x"]), ("lookup", {"table": "carriers", "unknown": "fail"}, "03"),
     ("negate", None, True), ("decimal", None, ""), ("join", "/", "a")],
)  # fmt: skip
def test_a_value_that_it_cannot_take_is_an_error(name: str, argument: Any, value: Any) -> None:
    with pytest.raises(Unusable):
        run(name, argument, value)


def test_minor_units_without_a_currency_are_an_error() -> None:
    with pytest.raises(Unusable, match="needs a currency"):
        run("minor_units", None, 5, Surroundings({}))


def test_a_list_is_changed_member_by_member() -> None:
    assert run("strip_zeros", None, ["01", None, "2"]) == ["1", None, "2"]


@pytest.mark.parametrize("name", sorted(set(TRANSFORMS) - {"default"}))
def test_a_missing_value_stays_missing(name: str) -> None:
    argument = {"pad": 3, "strip_prefix": "a", "strip_suffix": "a", "extract": "a", "split": ",", "join": "/",
                "blank": "a", "lookup": "carriers", "implied": 2}.get(name)  # fmt: skip
    assert run(name, argument, None) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
@settings(max_examples=60 * SEEDS, deadline=None)
def test_an_amount_is_the_same_however_it_is_written(value: Decimal) -> None:
    plain = number_text(value, "amount")
    german = f"{value:,.4f}".replace(",", "~").replace(".", ",").replace("~", ".")
    assert number_text(run("decimal", "point", f"{value:,.4f}"), "amount") == plain
    assert number_text(run("decimal", "comma", german), "amount") == plain
    assert number_text(run("implied", 4, str(int(value * 10_000))), "amount") == plain


@given(st.text(max_size=12) | st.integers() | st.booleans() | st.lists(st.text(max_size=5), max_size=3))
@settings(max_examples=60 * SEEDS, deadline=None)
def test_any_value_is_changed_or_refused(value: Any) -> None:
    arguments = {"pad": 3, "strip_prefix": "a", "strip_suffix": "a", "extract": "a", "split": ",", "join": "/",
                 "default": "x", "blank": "a", "lookup": "carriers", "implied": 2}  # fmt: skip
    for name in TRANSFORMS:
        with suppress(Unusable):
            run(name, arguments.get(name), value)
