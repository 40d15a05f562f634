"""Our closures answer what the jmespath library answers, for the forms that mappings use and documents of any shape."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.mapping.expression import (
    MEMO,
    BadExpression,
    Failed,
    check_starts,
    compile_expression,
    ends,
    parse,
    starts,
)
from tests.amount import SEEDS

EXPRESSIONS = [
    "a", "a.b", "a.b.c", "a[0]", "a[-1].b", "a[0][1]", "a[*].b", "a[].b", "a[].b[].c", "a[?b=='x']", "a[?b=='x'].c | [0]",
    "a[?b=='x' && c!='y'] | [0].c", "a[?b]", "a[?!b]", "a || b", "a && b", "!a", "a == b", "a != b", "a == `1`",
    "a == `true`", "a > `1`", "a <= b", "[a, b.c]", "a.[b, c]", "{x: a, y: b}", "a[1:]", "a.*", "a.* | [0]", "@.a",
    "length(a)", "type(a)", "contains(a, 'x')", "starts_with(a, 'x')", "join('/', a)", "to_string(a)", "not_null(a, b, c)",
    "sort_by(a, &b)", "map(&b, a)", "keys(a)", "max(a)", "a[?contains(b, 'x')].c", "(a || b)[0]", "a[?b==`null`]",
    "a[?b==c].c", "a[*][0]", "a[0] | b", "reverse(a)", "merge(a, b)", "a[?type(b)=='string'].b | [0]", "'x'", "`[1]`",
]  # fmt: skip
WORDS = st.sampled_from(["x", "y", "", "xy", "1"])
LEAVES = st.none() | st.booleans() | st.integers(-2, 3) | WORDS
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from("abc"), v, max_size=3), max_leaves=12
)
DOCUMENTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


def _answer(read: Any, document: Any) -> Any:
    try:
        return repr(read(document))
    except Failed as error:
        return type(error)


@settings(max_examples=60 * SEEDS, deadline=None)
@given(DOCUMENTS)
def test_closures_and_library_agree(document: dict[str, Any]) -> None:
    for text in EXPRESSIONS:
        expected = _answer(jmespath.compile(text).search, document)
        read, remembering = compile_expression(text), {**document, MEMO: {}}
        assert _answer(read, document) == expected, text
        if "@" not in starts(parse(text)):  # no mapping may take the root itself
            assert [_answer(read, remembering) for _ in "12"] == [expected] * 2, text


def test_a_long_whole_number_stays_as_it_is() -> None:
    assert compile_expression("body.id")({"body": {"id": 820982911946154508}}) == 820982911946154508


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("body.a.b", [("body", "a", "b")]),
        ("body.a || body.b", [("body", "a"), ("body", "b")]),
        ("body.a[?name=='x'].id | [0]", [("body", "a", "id")]),
        ("body.a[].name", [("body", "a", "name")]),
        ("join(' ', [body.first, body.last])", [("body", "first"), ("body", "last")]),
        ("body.name == 'x'", []),
        ("body.name && 'yes'", [("body", "name")]),
    ],
)
def test_it_is_known_what_an_expression_may_give(text: str, paths: list[tuple[str, ...]]) -> None:
    assert list(ends(parse(text))) == paths


@pytest.mark.parametrize(
    "text", ["x[?a=='b']", "length(x)", "body.a || x", "[body.a, x.b]", "{k: x}", "!x", "x | [0]", "sort_by(x, &a)"]
)
def test_a_start_that_does_not_exist_is_found_anywhere(text: str) -> None:
    with pytest.raises(BadExpression, match="starts from 'x'"):
        check_starts(text, {"body"})


@pytest.mark.parametrize("text", ["body[?x=='y'].z", "sort_by(body, &x)", "body.{k: x}", "body[*].[x, y]"])
def test_what_stands_inside_an_item_is_no_start(text: str) -> None:
    check_starts(text, {"body"})
