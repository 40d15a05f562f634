"""Control numbers of interchanges and groups, and what has none."""

from __future__ import annotations

import pytest

from collector.decoders import decode
from collector.decoders.numbers import Number, numbers_of

X12 = (
    "ISA*00*          *00*          *ZZ*ACME           *ZZ*US             *260301*1200*U*00401*{isa:09d}*0*P*>~"
    "GS*IN*ACME*US*20260301*1200*{gs}*X*004010~ST*810*0001~BIG*20260301*INV1~TDS*100~SE*4*0001~"
    "ST*810*0002~BIG*20260301*INV2~TDS*100~SE*4*0002~GE*2*{gs}~IEA*1*{isa:09d}~"
)
EDIFACT = "UNB+UNOA:1+ACME:14+US:14+260301:1200+{ref}'UNH+1+INVOIC:D:96A:UN'BGM+380+INV1'UNT+3+1'UNZ+1+{ref}'"


def test_an_interchange_and_its_group_have_a_place_each() -> None:
    units = list(decode({"format": "x12"}, X12.format(isa=104210, gs=77).encode()))
    assert [numbers_of(u.document) for u in units] == [(Number("isa:ACME/US", 104210), Number("gs:ACME/US/IN", 77))] * 2


@pytest.mark.parametrize(("ref", "numbers"), [("000123", (Number("unb:ACME/US", 123),)), ("REF001", ())])
def test_a_reference_counts_only_where_it_is_a_number(ref: str, numbers: tuple[Number, ...]) -> None:
    (unit,) = decode({"format": "edifact"}, EDIFACT.format(ref=ref).encode())
    assert numbers_of(unit.document) == numbers


@pytest.mark.parametrize(
    "document",
    [{}, {"envelope": 7}, {"envelope": {}}, {"envelope": {"interchange": 7, "group": None}}, {"envelope": {"interchange": "9" * 30}}],
)  # fmt: skip
def test_a_document_without_an_envelope_has_none(document: dict[str, object]) -> None:
    assert numbers_of(document) == ()
