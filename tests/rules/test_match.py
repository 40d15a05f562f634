"""Matchers mean the same in Python's reading and on the engine, and their SQL is never null."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.match import MATCHABLE, parse_when, when_sql
from rules.model import Condition, When
from rules.vocabulary import NUMBER_ATTRIBUTES
from tests.amount import SEEDS
from tower.store.client import Store

COLUMNS = {name: name for name in MATCHABLE}


def read(value: Any) -> When:
    problems: list[tuple[str, str, str]] = []
    when = parse_when(value, lambda *problem: problems.append(problem))
    assert problems == []
    return when


@pytest.mark.parametrize(
    ("written", "sql"),
    [
        (None, "1"),
        ({}, "1"),
        ({"channel": "edi"}, "(ifNull(channel IN ('edi'), 0))"),
        ({"channel": "it's"}, "(ifNull(channel IN ('it\\'s'), 0))"),
        ({"channel": "!= edi"}, "(ifNull(channel NOT IN ('edi'), 1))"),
        ({"channel": ["!= edi", "!= web"]}, "(ifNull(channel NOT IN ('edi', 'web'), 1))"),
        ({"channel": {"not": ["edi", "web"]}}, "(ifNull(channel NOT IN ('edi', 'web'), 1))"),
        ({"amount": ">= 100"}, "(ifNull(amount >= toDecimal128('100', 6), 0))"),
        ({"amount": "<-2.50"}, "(ifNull(amount < toDecimal128('-2.50', 6), 0))"),
        ({"quantity": [1, 2]}, "(ifNull(quantity IN (toDecimal128('1', 6), toDecimal128('2', 6)), 0))"),
        ({"amount": "!= 5"}, "(ifNull(amount NOT IN (toDecimal128('5', 6)), 0))"),
        (
            {"company": 1000, "any": [{"amount": "> 5"}, {"customer_tier": "key"}]},
            "((ifNull(company IN ('1000'), 0) AND ifNull(amount > toDecimal128('5', 6), 0)) "
            "OR (ifNull(company IN ('1000'), 0) AND ifNull(customer_tier IN ('key'), 0)))",
        ),
        (
            {"all": [{"amount": "> 5"}, {"amount": "< 9"}]},
            "(ifNull(amount > toDecimal128('5', 6), 0) AND ifNull(amount < toDecimal128('9', 6), 0))",
        ),
        ({"any": [{}, {"channel": "edi"}]}, "((1) OR (ifNull(channel IN ('edi'), 0)))"),
    ],
)
def test_a_matcher_is_one_line_of_sql(written: Any, sql: str) -> None:
    assert when_sql(read(written), COLUMNS) == sql


def test_too_many_combinations_are_refused() -> None:
    problems: list[str] = []
    any_of = {"any": [{"channel": f"c{i}"} for i in range(15)]}
    parse_when(
        {"all": [any_of, {"any": [{"company": f"c{i}"} for i in range(15)]}]},
        lambda _key, text, _hint: problems.append(text),
    )
    assert problems and "225 groups" in problems[0]


_VALUE = st.sampled_from(("a", "b", "it's \\ ok", ""))
_NUMBER = st.sampled_from(("0", "5", "5.25", "-3"))
_TEXT_MATCH = st.one_of(
    _VALUE.filter(lambda v: v != ""),
    st.lists(_VALUE, min_size=1, max_size=2),
    st.lists(_VALUE, min_size=1, max_size=2).map(lambda v: {"not": v}),
)
_NUMBER_MATCH = st.one_of(
    _NUMBER,
    st.tuples(st.sampled_from((">", ">=", "<", "<=", "!=")), _NUMBER).map(" ".join),
)
_FLAT = st.fixed_dictionaries({}, optional={"channel": _TEXT_MATCH, "company": _TEXT_MATCH, "amount": _NUMBER_MATCH})
WHEN = st.recursive(
    _FLAT,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "channel": _TEXT_MATCH,
            "any": st.lists(inner, min_size=1, max_size=2),
            "all": st.lists(inner, min_size=1, max_size=2),
        },
    ),
    max_leaves=5,
)
ROWS: list[tuple[str | None, str | None, str | None]] = [
    (channel, company, amount)
    for channel in ("a", "b", "", None, "it's \\ ok")
    for company in ("a", "")
    for amount in ("5", "5.25", "-3", "100", None)
]


def holds(written: dict[str, Any], row: dict[str, Any]) -> bool:
    """The meaning of a matcher as docs/rulebook.md says it, read straight from the author's mapping."""
    for key, value in written.items():
        if key == "any":
            good = any(holds(part, row) for part in value)
        elif key == "all":
            good = all(holds(part, row) for part in value)
        elif key in NUMBER_ATTRIBUTES:
            operator, _, operand = value.rpartition(" ")
            number, wanted = row[key], Decimal(operand)
            good = number is not None and {
                "": lambda a, b: a == b,
                ">": lambda a, b: a > b,
                ">=": lambda a, b: a >= b,
                "<": lambda a, b: a < b,
                "<=": lambda a, b: a <= b,
                "!=": lambda a, b: a != b,
            }[operator](Decimal(number), wanted)
        elif isinstance(value, dict):
            good = row[key] not in value["not"]
        else:
            good = row[key] in (value if isinstance(value, list) else [value])
        if not good:
            return False
    return True


@settings(max_examples=20 * SEEDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=WHEN)
def test_the_engine_answers_as_the_page_says(store: Store, written: dict[str, Any]) -> None:
    def literal(value: str | None) -> str:
        return "NULL" if value is None else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    rows = ", ".join(f"({', '.join(literal(v) for v in row)})" for row in ROWS)
    structure = "'channel Nullable(String), company LowCardinality(String), amount Nullable(Decimal(38, 6))'"
    with store.reader() as client:
        query = f"SELECT {when_sql(read(written), COLUMNS)} FROM values({structure}, {rows})"
        answers = [row[0] for row in client.query(query).result_rows]
    named = [dict(zip(("channel", "company", "amount"), row, strict=True)) for row in ROWS]
    assert answers == [int(holds(written, row)) for row in named]


def test_conditions_are_values() -> None:
    assert read({"amount": ">= 100"}) == When(((Condition("amount", ">=", number=Decimal(100)),),))
