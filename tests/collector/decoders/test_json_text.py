"""JSON keeps every digit, and what is no JSON object is refused in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.decoders.ask import document, payloads, refusal, tolerant, units


def test_ids_and_decimals_stay_exact() -> None:
    assert document('{"id": 820982911946154508, "price": 540.10, "rate": 1e2, "n": -0.0}', format="json") == {
        "id": 820982911946154508,
        "price": "540.10",
        "rate": "1e2",
        "n": "-0.0",
    }


def test_a_whole_number_of_any_length_is_kept() -> None:
    assert document('{"id": 123456789012345678901234567890}', format="json")["id"] == 123456789012345678901234567890


def test_each_object_of_a_list_is_a_unit() -> None:
    found = units('[{"a": 1}, {"a": 2}]', format="json")
    assert [(unit.document, unit.position) for unit in found] == [({"a": 1}, "$[0]"), ({"a": 2}, "$[1]")]


@pytest.mark.parametrize(
    ("body", "detail", "position"),
    [
        (b"", "this is no JSON: Input data was truncated", "of 0 bytes"),
        (b'{"a": NaN}', "this is no JSON: JSON is malformed: invalid character", "byte 6"),
        (b'\xef\xbb\xbf{"a": 1}', "it starts with a byte order mark; JSON is sent as UTF-8 without one", "byte 0"),
        (b'{"a": "\\ud800"}', "this is no JSON: Input data was truncated", "of 15 bytes"),
        (b'{"a": "\xff"}', "the bytes are not valid UTF-8", "byte 7"),
        (b"[" * 100_000, "the JSON is nested deeper than 128 levels", "$"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "the JSON is nested deeper than 128 levels", "$"),
        (b'{"a": 1} {"a": 2}', "this is no JSON: JSON is malformed: trailing characters", "byte 10"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "this is no JSON: Integer value out of range - at `$[...]`", "of 5008 bytes"),
        (b'"text"', "an object is expected, this is a text", "$"),
        (b"null", "an object is expected, this is null", "$"),
        (b'[{"a": 1}, 7]', "a list of objects is expected, this is a number", "$[1]"),
    ],
)
def test_what_is_no_object_is_refused_with_its_place(body: bytes, detail: str, position: str) -> None:
    error = refusal(body, format="json")
    assert (error.detail, error.position, error.reason) == (detail, position, "undecodable")


def test_128_levels_are_taken() -> None:
    assert units(b'{"a":' * 128 + b"1" + b"}" * 128, format="json")


@given(st.binary(max_size=200))
def test_any_bytes_give_units_or_a_refusal(body: bytes) -> None:
    found, error = tolerant(body, format="json")
    assert not (found and error)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=5), _values))
def test_what_was_written_is_read(value: dict[str, object]) -> None:
    text = json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
    found, error = tolerant(text, format="json")
    assert error is not None or found[0].document == json.loads(text)


@pytest.mark.skipif(not payloads("shopify"), reason="the shared samples are not at hand")
@pytest.mark.parametrize("folder", ["shopify", "stripe", "easypost", "avalara", "sap_s4", "netsuite", "shippo"])
def test_samples_decode(folder: str) -> None:
    for path in payloads(folder):
        assert units(path.read_bytes(), format="json"), path.name


@pytest.mark.parametrize(("body", "foreign"), [(b"<a/>", True), (b"", True), (b" {", False), (b"[1", False)])
def test_bytes_that_do_not_look_like_json_are_told_from_broken_json(body: bytes, foreign: bool) -> None:
    assert refusal(body, format="json").foreign is foreign
