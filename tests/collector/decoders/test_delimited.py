"""CSV files are taken whole or not at all, with their dialects, record types and control totals."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.decoders import ControlTotal, check_spec
from tests.collector.decoders.ask import TOO_FAST, document, growth, refusal, tolerant, units

TYPED: dict[str, Any] = {
    "format": "csv",
    "delimiter": ";",
    "type": 1,
    "records": [
        {"type": "H", "role": "header", "columns": ["type", "created", "batch"]},
        {"type": "O", "role": "context", "columns": ["type", "order", "customer"]},
        {"type": "L", "under": "O", "columns": ["type", "line", "sku", "amount"]},
        {"type": "T", "role": "trailer", "columns": ["type", "rows", "total"]},
    ],
    "key": ["order", "line"],
    "totals": [{"field": "rows", "of": "L"}, {"field": "total", "of": "L", "sum": "amount", "decimal": ","}],
}
FILE = "H;20260301;7\nO;SO-1;C-1\nL;1;A;10,50\nL;2;B;1.000,00\nO;SO-2;C-2\nL;1;A;-0,50\nT;3;1010,00\n"


def rows(body: bytes | str, **spec: Any) -> list[dict[str, str]]:
    return [unit.document["row"] for unit in units(body, **{"format": "csv", **spec})]


def test_a_row_has_the_names_of_the_header() -> None:
    (unit,) = units("Order;Amount \nSO-1; 12,50\n", format="csv", delimiter=";")
    assert unit.document == {
        "type": "*",
        "line": 2,
        "row": {"Order": "SO-1", "Amount": "12,50"},
        "up": {},
        "header": {},
        "trailer": {},
    }
    assert unit.position == "line 2"


def test_quotes_hold_delimiters_and_line_breaks() -> None:
    body = 'a,b\r\n"x,1","two\r\nlines ""here"""\r\n3,4\r\n'
    found = units(body, format="csv")
    assert [unit.document["row"] for unit in found] == [{"a": "x,1", "b": 'two\r\nlines "here"'}, {"a": "3", "b": "4"}]
    assert [unit.position for unit in found] == ["line 3", "line 4"]


@pytest.mark.parametrize(
    ("body", "spec"),
    [
        ("\ufeffa,b\nß,2\n".encode(), {}),
        ("a,b\nß,2\n".encode("cp1252"), {"encoding": "cp1252"}),
        ("a,b\nß,2\n".encode("cp037"), {"encoding": "cp037"}),
        ("a,b\x85ß,2\x85".encode("cp037"), {"encoding": "cp037"}),
        ("a\tb\nß\t2\n".encode(), {"delimiter": "\t"}),
        (b"a|b\n'\xc3\x9f'|2\n", {"delimiter": "|", "quote": "'"}),
        ("a,b,\nß,2,\n\n,,\n".encode(), {}),
        ("ß,2\n".encode(), {"header": False, "columns": ["a", "b"]}),
        ("b,a\n2,ß\n".encode(), {"columns": ["a", "b"]}),
    ],
    ids=["bom", "cp1252", "ebcdic", "ebcdic lines", "tab", "quote", "trailing delimiters", "no header", "other order"],
)
def test_dialects(body: bytes, spec: dict[str, Any]) -> None:
    assert rows(body, **spec) == [{"a": "ß", "b": "2"}]


def test_without_a_quote_character_quotes_are_text() -> None:
    assert rows('a,b\n5" pipe,2\n', quote=None) == [{"a": '5" pipe', "b": "2"}]


def test_a_header_that_lost_or_renamed_a_column_is_refused_by_name() -> None:
    error = refusal("Order,Sum\nSO-1,2\n", format="csv", columns=["Order", "Amount"])
    assert (error.detail, error.position) == (
        "the header has no column Amount; it has Sum, which is not declared",
        "line 1",
    )


def test_a_new_column_is_kept_and_noted_once() -> None:
    found = units("Order,Amount,New\nSO-1,2,3\nSO-2,2,3\n", format="csv", columns=["Order", "Amount"])
    assert found[0].document["row"] == {"Order": "SO-1", "Amount": "2", "New": "3"}
    assert [unit.notes for unit in found] == [("the header has a new column New",), ()]


@pytest.mark.parametrize(
    ("body", "spec", "detail", "position"),
    [
        (b"", {}, "the file is empty", "line 1"),
        (b" \n\n", {}, "the file is empty", "line 1"),
        (b"a,b\n1\n", {}, "it has 1 fields, 2 are expected", "line 2"),
        (b"a,b\n1,2\n1,2,3\n", {}, "it has 3 fields, 2 are expected", "line 3"),
        (b"a,a\n1,2\n", {}, "the header names a column twice or not at all", "line 1"),
        (b'a,b\n1,"2\n', {}, "this is no CSV as declared: unexpected end of data", "line 2"),
        (b'a,b\n1,"2"x\n', {}, "this is no CSV as declared: ',' expected after '\"'", "line 2"),
        (b"a,b\n1,\xff\n", {}, "the bytes are not utf-8: invalid start byte", "byte 6"),
        (b"a,b\n1,2\n", {"key": ["c"]}, "the header has no column c", "line 1"),
        (b"a,b\n1,2\n,3\n", {"key": ["a"]}, "the key a is empty", "line 3"),
        (b"," * 2000, {}, "a row has more than 1000 columns", "line 1"),
    ],
)
def test_a_file_with_one_wrong_line_is_refused_whole(
    body: bytes, spec: dict[str, Any], detail: str, position: str
) -> None:
    found, error = tolerant(body, format="csv", **spec)
    assert found == []
    assert error is not None
    assert (error.detail, error.position, error.reason) == (detail, position, "undecodable")


def test_the_natural_key_of_a_row_is_told() -> None:
    assert document("o,l\nSO/1,2\n", format="csv", key=["o", "l"])["key"] == "SO//1/2"


def test_record_types_come_with_what_they_are_under_and_the_ends_of_the_file() -> None:
    found = units(FILE, **TYPED)
    assert [(u.document["key"], u.document["row"]["sku"], u.document["up"]["O"]["customer"]) for u in found] == [
        ("SO-1/1", "A", "C-1"),
        ("SO-1/2", "B", "C-1"),
        ("SO-2/1", "A", "C-2"),
    ]
    assert found[0].document["header"] == {"type": "H", "created": "20260301", "batch": "7"}
    assert found[0].document["trailer"]["rows"] == "3"


def test_a_type_that_no_other_claims() -> None:
    spec = {
        **TYPED,
        "records": [{"columns": ["order", "amount"]}, {"type": "END", "role": "trailer", "columns": ["type", "rows"]}],
        "key": [],
        "totals": [{"field": "rows", "of": "*"}],
    }
    assert [u.document["row"]["order"] for u in units("SO-1;1\nSO-2;2\nEND;2\n", **spec)] == ["SO-1", "SO-2"]


@pytest.mark.parametrize(
    ("body", "detail", "position"),
    [
        (FILE.replace("T;3", "T;4"), "the file says rows is 4, it has 3", "total rows"),
        (
            FILE.replace("1010,00", "1010,01"),
            "the file says total is 1010,01, its amount sums to 1010.00",
            "total total",
        ),
        (FILE.replace("T;3;", "T;;"), "the file does not say its rows", "total rows"),
        (FILE.replace("L;2;B;1.000,00\n", ""), "the file says rows is 3, it has 2", "total rows"),
        (FILE[: FILE.index("T;")], "the file has no trailer; it may be cut", "the end"),
        (FILE[FILE.index("O;") :], "the file has no header; it may be cut", "line 1"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_as_a_batch(body: str, detail: str, position: str) -> None:
    found, error = tolerant(body.encode(), **TYPED)
    assert found == []
    assert isinstance(error, ControlTotal)
    assert (error.detail, error.position, error.reason) == (detail, position, "batch_control_total")


@pytest.mark.parametrize(
    ("body", "detail", "position"),
    [
        (FILE + "L;9;X;1\n", "a record follows the trailer", "line 8"),
        (FILE.replace("O;SO-1;C-1\n", ""), "a record L is under no record O", "line 2"),
        (FILE.replace("O;SO-2;C-2\n", "H;1;1\n"), "a header record is not the first", "line 5"),
        (FILE.replace("L;2", "X;2"), "no record type is declared for 'X'", "line 4"),
        (FILE.replace("10,50", "ten"), "'ten' is no number", "line 3"),
        (FILE.replace("10,50", "NaN"), "'NaN' is no number", "line 3"),
    ],
)
def test_a_file_out_of_order_is_refused(body: str, detail: str, position: str) -> None:
    error = refusal(body, **TYPED)
    assert (error.detail, error.position, error.reason) == (detail, position, "undecodable")


@pytest.mark.parametrize(("places", "total"), [(2, "3150"), (0, "31.50")])
def test_amounts_with_implied_places_and_signs_behind(places: int, total: str) -> None:
    amounts = ("1200", "1950") if places else ("12.00", "19.50")
    spec = {**TYPED, "totals": [{"field": "total", "of": "L", "sum": "amount", "places": places}]}
    body = f"H;1;1\nO;SO-1;C\nL;1;A;{amounts[0]}\nL;2;A;{amounts[1]}\nL;3;A;5-\nL;4;A;5\nT;9;{total}\n"
    assert len(units(body, **spec)) == 4


@pytest.mark.parametrize("at", range(FILE.index("1010,00")))
def test_a_file_cut_anywhere_gives_nothing(at: int) -> None:
    found, error = tolerant(FILE[:at].encode(), **TYPED)
    assert (found, error is not None) == ([], True)


@given(st.binary(max_size=120), st.sampled_from([{"format": "csv"}, {"format": "csv", "header": False, "columns": ["a"]}, TYPED]))  # fmt: skip
def test_any_bytes_give_units_or_a_refusal(body: bytes, spec: dict[str, Any]) -> None:
    found, error = tolerant(body, **spec)
    assert not (found and error)


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.text(max_size=6).map(str.strip), min_size=2, max_size=2).filter(any), max_size=5),
    st.sampled_from(",;\t|"),
)
def test_what_was_written_is_read(content: list[list[str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([["a", "b"], *content])
    assert [list(row.values()) for row in rows(text.getvalue(), delimiter=delimiter)] == content


@pytest.mark.parametrize(
    "body", ["a\n" * 500_000, "a," * 500 + "\n" + ("1," * 500 + "\n") * 900, '"' + "x\n" * 500_000]
)
def test_a_hostile_megabyte_takes_time_in_proportion(body: str) -> None:
    assert growth(body.encode(), format="csv") < TOO_FAST


_O = {"type": "O", "columns": ["a"]}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"delimiter": ";;"}, "decode: delimiter is ';;'; write one character, such as ','"),
        ({"encoding": "hex"}, "decode: encoding 'hex' is not known"),
        ({"header": "yes"}, "decode: header is true or false"),
        ({"header": False}, "decode: without a header, columns must name the columns"),
        ({"header": True, "records": [_O]}, "decode: with records, each type has its own columns"),
        ({"type": 1}, "decode: type and totals need records"),
        ({"type": "x", "records": [_O]}, "decode: type must be the number of the column"),
        ({"records": []}, "decode: records must be a list of record types"),
        ({"records": ["O"]}, "decode: records must be a list of record types"),
        ({"records": [{"type": "O"}]}, "decode: records: O has no columns"),
        ({"records": [{"type": 1, "columns": ["a"]}]}, "decode: records: type 1 must be a text; put it in quotes"),
        ({"records": [{"type": "O", "columns": ["a"], "roll": 1}]}, "decode: record O has no key 'roll'"),
        ({"records": [{"type": "O", "columns": ["a"], "role": "line"}]}, "decode: records: role of O is 'line'"),
        ({"records": [_O, _O]}, "decode: records has a type twice"),
        ({"records": [{"type": "O", "columns": ["a", "a"]}]}, "decode: records: O has a column twice"),
        ({"records": [{"type": "L", "columns": ["a"], "under": "O"}, _O]}, "decode: records: L is under O, which is not before it"),
        ({"records": [{**_O, "role": "header"}, {**_O, "type": "P", "role": "header"}]}, "decode: records has more than one header"),
        ({"records": [_O], "key": ["b"]}, "decode: key names b, which record O does not have"),
        ({"records": [_O], "totals": {"a": 1}}, "decode: totals must be a list"),
        ({"records": [_O], "totals": [{"field": "a", "of": "O"}]}, "decode: totals: 'a' is no column of a header or trailer"),
        ({"records": [{**_O, "role": "trailer"}], "totals": [{"field": "a"}]}, "decode: totals: a must name the record types"),
        ({"records": [{**_O, "role": "trailer"}], "totals": [{"field": "a", "of": "O", "sum": "b"}]}, "decode: totals: a sums 'b', which not all of O have"),
        ({"records": [{**_O, "role": "trailer"}], "totals": [{"field": "a", "of": "O", "places": "2"}]}, "decode: totals: decimal is"),
        ({"records": [{**_O, "role": "trailer"}], "totals": [{"field": "a", "of": "O", "total": 1}]}, "decode: a total has no key 'total'"),
    ],
)  # fmt: skip
def test_a_wrong_block_is_one_sentence(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_spec({"format": "csv", **spec})


def test_a_file_of_another_kind_is_told_from_a_broken_one() -> None:
    assert refusal("X;1\n", **TYPED).weight == 0
    assert refusal(FILE.replace("L;2", "X;2"), **TYPED).weight == 1
    assert refusal(FILE.replace("T;3", "T;4"), **TYPED).weight == 2
