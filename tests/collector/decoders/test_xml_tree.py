"""XML becomes dictionaries; hostile XML is refused, fast."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decoders import check_spec
from tests.collector.decoders.ask import document, payloads, refusal, tolerant

_BOD = """<?xml version="1.0"?>
<SyncSalesOrder xmlns="http://schema.infor.com/InforOAGIS/2" releaseID="9.2">
  <!-- a remark -->
  <DataArea>
    <SalesOrder><ID accountingEntity="1"> SO-1 </ID>
      <Line><N>1</N></Line>
      <Note/>
    </SalesOrder>
  </DataArea>
</SyncSalesOrder>"""


def test_names_are_local_attributes_marked_and_texts_stripped() -> None:
    assert document(_BOD, format="xml") == {
        "SyncSalesOrder": {
            "@releaseID": "9.2",
            "DataArea": {
                "SalesOrder": {"ID": {"@accountingEntity": "1", "#text": "SO-1"}, "Line": {"N": "1"}, "Note": ""}
            },
        }
    }


def test_a_declared_list_is_one_even_with_one_member() -> None:
    assert document(_BOD, format="xml", lists=["Line"])["SyncSalesOrder"]["DataArea"]["SalesOrder"]["Line"] == [
        {"N": "1"}
    ]


def test_repeated_elements_are_a_list_even_undeclared() -> None:
    assert document("<a><b>1</b><c/><b>2</b><b x='3'/></a>", format="xml") == {
        "a": {"b": ["1", "2", {"@x": "3"}], "c": ""}
    }


def test_nil_is_null() -> None:
    body = '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><b xsi:nil="true"/></a>'
    assert document(body, format="xml") == {"a": {"b": None}}


def test_text_around_elements_is_kept() -> None:
    assert document("<a>one <b>2</b> three</a>", format="xml") == {"a": {"b": "2", "#text": "one three"}}


def test_the_declared_encoding_is_read() -> None:
    body = '<?xml version="1.0" encoding="ISO-8859-1"?><a>Büttner</a>'.encode("latin-1")
    assert document(body, format="xml") == {"a": "Büttner"}
    assert document("<a>Büttner</a>".encode("utf-16"), format="xml") == {"a": "Büttner"}


_LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    + ']><l x="&a11;">&a11;</l>'
)


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        "<!DOCTYPE html><a/>",
    ],
)
def test_any_doctype_is_refused(body: str) -> None:
    assert refusal(body, format="xml").detail == "it has a DOCTYPE; documents with one are refused"
    assert refusal(body.encode("utf-16"), format="xml").reason == "undecodable"


@pytest.mark.parametrize(
    "body",
    [
        _LAUGHS,
        "<!DOCTYPE l [<!ENTITY a '" + "A" * 100_000 + "'>]><l>" + "&a;" * 200_000 + "</l>",
        "<!DOCTYPE l [<!ENTITY % a '" + "A" * 1000 + "'>" + "%a;" * 10_000 + "]><l/>",
        "<a>" * 300 + "</a>" * 300,
        "<a>&unknown;</a>",
        "<a><b></a>",
        "",
        '<?xml version="1.0" encoding="rot13"?><a/>',
    ],
)
def test_hostile_and_broken_documents_are_refused_at_once(body: str) -> None:
    began = time.monotonic()
    assert refusal(body, format="xml").detail.startswith("this is no XML: ")
    assert time.monotonic() - began < 1


def test_the_place_of_a_fault_is_told() -> None:
    assert refusal("<a>\n  <b></a>", format="xml").position == "line 2, column 10"


def test_a_wide_megabyte_is_read_in_time() -> None:
    began = time.monotonic()
    assert len(document("<a>" + "<b/>" * 200_000 + "</a>", format="xml")["a"]["b"]) == 200_000
    crowded = "<a " + " ".join(f"a{i}='1'" for i in range(256)) + ">x</a>"
    assert document("<b>" + crowded * 400 + "</b>", format="xml")
    assert time.monotonic() - began < 4


def test_an_element_with_too_many_attributes_is_refused() -> None:
    error = refusal("<a " + " ".join(f"a{i}='1'" for i in range(90_000)) + "/>", format="xml")
    assert (error.detail, error.position) == ("an element has more than 256 attributes", "line 1")


@given(st.binary(max_size=200) | st.text("<>/a&;!'\"=?[]-", max_size=60).map(str.encode))
def test_any_bytes_give_units_or_a_refusal(body: bytes) -> None:
    found, error = tolerant(body, format="xml")
    assert bool(found) != bool(error)


def test_lists_must_be_names() -> None:
    with pytest.raises(ValueError, match=r"decode: lists must be a list of names"):
        check_spec({"format": "xml", "lists": "Line"})
    with pytest.raises(ValueError, match=r"decode: xml has no key 'list'; it has format, lists"):
        check_spec({"format": "xml", "list": ["Line"]})
    with pytest.raises(ValueError, match=r"decode: format is None; write one of json, xml"):
        check_spec({})


@pytest.mark.skipif(not payloads("infor_ion"), reason="the shared samples are not at hand")
def test_samples_decode() -> None:
    for path in payloads("infor_ion"):
        assert "ApplicationArea" in next(iter(document(path.read_bytes(), format="xml").values())), path.name


@pytest.mark.parametrize(("body", "foreign"), [("{}", True), ("", True), ("<a>", False), ("<!DOCTYPE a><a/>", False)])
def test_bytes_that_do_not_look_like_xml_are_told_from_broken_xml(body: str, foreign: bool) -> None:
    assert refusal(body, format="xml").foreign is foreign
