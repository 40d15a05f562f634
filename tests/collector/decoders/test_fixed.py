"""Fixed-width files are cut by their layout, and taken whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoders import ControlTotal, check_spec
from tests.collector.decoders.ask import TOO_FAST, growth, refusal, tolerant, units


def field(name: str, start: int, length: int) -> dict[str, Any]:
    return {"field": name, "start": start, "length": length}


SPEC: dict[str, Any] = {
    "format": "fixed",
    "width": 20,
    "type": {"start": 1, "length": 1},
    "records": [
        {"type": "H", "role": "header", "fields": [field("created", 2, 8)]},
        {"type": "D", "fields": [field("order", 2, 10), field("cents", 12, 9)]},
        {"type": "T", "role": "trailer", "fields": [field("rows", 2, 5), field("total", 7, 14)]},
    ],
    "key": ["order"],
    "totals": [{"field": "rows", "of": "D"}, {"field": "total", "of": "D", "sum": "cents", "places": 2}],
}
RECORDS = ["H20260301           ", "DSO-1      000001050", "DSO-2      000100000", "T00002000000000101050"[:20]]
RECORDS[3] = "T00002" + "101050".rjust(14)


@pytest.mark.parametrize(
    "body",
    [
        "\n".join(RECORDS).encode(),
        ("\r\n".join(record.rstrip() for record in RECORDS) + "\r\n\r\n").encode(),
        ("\ufeff" + "\n".join(RECORDS)).encode(),
        "".join(RECORDS).encode(),
    ],
    ids=["lines", "trimmed lines", "bom", "no line ends"],
)
def test_fields_stand_at_their_places(body: bytes) -> None:
    found = units(body, **SPEC)
    assert [unit.document["row"] for unit in found] == [
        {"order": "SO-1", "cents": "000001050"},
        {"order": "SO-2", "cents": "000100000"},
    ]
    assert found[1].document["header"] == {"created": "20260301"}
    assert found[1].document["trailer"] == {"rows": "00002", "total": "101050"}
    assert (found[1].document["key"], found[1].position) == ("SO-2", "line 3")


@pytest.mark.parametrize("joint", ["", "\n", "\x85"])
def test_ebcdic_is_read_with_and_without_line_ends(joint: str) -> None:
    body = joint.join(RECORDS).encode("cp037")
    assert [unit.document["key"] for unit in units(body, **SPEC, encoding="cp037")] == ["SO-1", "SO-2"]


def test_one_layout_needs_no_type() -> None:
    spec = {"format": "fixed", "records": [{"fields": [field("order", 1, 5), field("note", 6, 10)]}]}
    assert [unit.document["row"] for unit in units("SO-1 hi\nSO-2", **spec)] == [
        {"order": "SO-1", "note": "hi"},
        {"order": "SO-2", "note": ""},
    ]


@pytest.mark.parametrize(
    ("body", "detail", "position"),
    [
        ("", "the file is empty", "line 1"),
        ("\n".join(RECORDS).replace("DSO-2", "XSO-2"), "no record type is declared for 'X'", "line 3"),
        ("\n".join([*RECORDS[:2], RECORDS[2] + "9", RECORDS[3]]), "it has 21 characters, a record has 20", "line 3"),
        ("".join(RECORDS)[:-1], "its 79 characters are no whole number of records of 20", "the end"),
    ],
)
def test_a_file_with_one_wrong_record_is_refused_whole(body: str, detail: str, position: str) -> None:
    error = refusal(body, **SPEC)
    assert (error.detail, error.position) == (detail, position)


def test_control_totals_are_checked() -> None:
    error = refusal("\n".join([RECORDS[0], RECORDS[1], RECORDS[3]]), **SPEC)
    assert isinstance(error, ControlTotal)
    assert error.detail == "the file says rows is 00002, it has 1"
    error = refusal("\n".join(RECORDS).replace("101050", "101051"), **SPEC)
    assert error.detail == "the file says total is 101051, its cents sums to 1010.50"


def test_a_file_cut_anywhere_gives_nothing() -> None:
    body = "".join(RECORDS)
    for at in range(len(body)):
        assert tolerant(body[:at].encode(), **SPEC)[0] == []


@given(st.binary(max_size=120) | st.text("HDT 0123\n", max_size=80).map(str.encode))
def test_any_bytes_give_units_or_a_refusal(body: bytes) -> None:
    found, error = tolerant(body, **SPEC)
    assert not (found and error)


def test_a_hostile_megabyte_takes_time_in_proportion() -> None:
    spec = {"format": "fixed", "records": [{"fields": [field("a", 1, 1)]}]}
    assert growth(b"a\n" * 500_000, **spec) < TOO_FAST
    assert growth(b"".join([b"D".ljust(20)] * 50_000), **{**SPEC, "key": [], "totals": []}) < TOO_FAST


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "decode: records must be a list of record types"),
        ({"records": [{"type": "D"}]}, "decode: each record needs fields"),
        ({"records": [{"fields": [{"field": "a"}]}]}, "decode: a field is"),
        ({"records": [{"fields": [field("a", 0, 1)]}]}, "decode: field 'a' needs a start from 1 and a length"),
        ({"records": [{"type": "D", "fields": [field("a", 1, 1)]}]}, "decode: type must say where the record type stands"),
        ({"type": {"start": 1}, "records": [{"fields": [field("a", 1, 1)]}]}, "decode: a field is"),
        ({"width": "x", "records": [{"fields": [field("a", 1, 1)]}]}, "decode: width is 'x'"),
        ({"width": 5, "records": [{"fields": [field("a", 5, 2)]}]}, "decode: a field ends at 6, beyond the width 5"),
    ],
)  # fmt: skip
def test_a_wrong_block_is_one_sentence(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_spec({"format": "fixed", **spec})


def test_a_file_of_another_kind_is_told_from_a_broken_one() -> None:
    assert refusal("X;1\n", **SPEC).weight == 0
    assert refusal("\n".join(RECORDS).replace("DSO-2", "XSO-2"), **SPEC).weight == 1
