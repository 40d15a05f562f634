"""X12: any separators, whole transactions only, wrong envelopes noted, loops where mappings need them."""

from __future__ import annotations

import random
from io import StringIO
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyx12.errors import X12Error
from pyx12.x12file import X12Reader

from collector.decoders import check_spec
from tests.amount import SEEDS
from tests.collector.decoders.ask import TOO_FAST, document, growth, payloads, refusal, tolerant, units

ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260301*0930*{rep}*{version}*000000091*0*{usage}*>~"


def interchange(*segments: str, rep: str = "U", version: str = "00401", usage: str = "P", trailer: bool = True) -> str:
    """Return an interchange with one group around transactions written as segments."""
    head = ISA.format(rep=rep, version=version, usage=usage) + "GS*SH*APPS*APPR*20260301*0930*91*X*004010~"
    sets = sum(segment.startswith("SE") for segment in segments)
    tail = f"GE*{sets}*91~IEA*1*000000091~" if trailer else ""
    return head + "".join(f"{segment}~" for segment in segments) + tail


SHIP = (
    "ST*856*0001",
    "BSN*00*000009*20260301*0801",
    "HL*1**S",
    "REF*BM*BOL-1",
    "N1*SF*PLANT*92*009",
    "N3*STREET",
    "HL*2*1*O",
    "PRF*PO-1",
    "HL*3*2*P",
    "MAN*GM*00000715670002152360",
    "HL*4*3*I",
    "SN1**12*EA",
    "HL*5*1*O",
    "PRF*PO-2",
    "CTT*5",
    "SE*16*0001",
)


def test_a_transaction_is_its_segments_by_id_with_the_envelope() -> None:
    found = document(
        interchange("ST*850*7", "BEG*00*SA*PO-1**20260301", "REF*DP*038", "REF*PS*R", "SE*5*7"), format="x12"
    )
    assert found["ST"] == [{"01": "850", "02": "7"}]
    assert found["BEG"] == [{"01": "00", "02": "SA", "03": "PO-1", "05": "20260301"}]
    assert found["REF"] == [{"01": "DP", "02": "038"}, {"01": "PS", "02": "R"}]
    assert found["isa"]["06"] == "SENDER"
    assert found["gs"]["06"] == "91"
    assert found["envelope"] == {
        "id": "SENDER/RECEIVER/000000091/91/7",
        "sender": "SENDER",
        "receiver": "RECEIVER",
        "interchange": "000000091",
        "group": "91",
        "message": "7",
        "type": "850",
        "version": "004010",
        "test": False,
    }


def test_a_test_interchange_says_so() -> None:
    assert document(interchange("ST*850*7", "SE*2*7", usage="T"), format="x12")["envelope"]["test"] is True


def test_levels_carry_what_is_above_and_below_them() -> None:
    found = document(interchange(*SHIP), format="x12")
    assert [(hl["id"], hl["parent"], hl["level"]) for hl in found["hl"]] == [
        ("1", "", "S"),
        ("2", "1", "O"),
        ("3", "2", "P"),
        ("4", "3", "I"),
        ("5", "1", "O"),
    ]
    order = found["hl"][1]
    assert order["seg"]["PRF"] == [{"01": "PO-1"}]
    assert order["up"]["S"]["REF"] == [{"01": "BM", "02": "BOL-1"}]
    assert [bag["MAN"][0]["02"] for bag in order["under"]["P"]] == ["00000715670002152360"]
    assert order["under"]["I"][0]["SN1"] == [{"02": "12", "03": "EA"}]
    assert found["hl"][3]["up"].keys() == {"S", "O", "P"}
    assert found["hl"][4]["under"] == {}


def test_the_document_itself_holds_what_is_outside_of_levels() -> None:
    found = document(interchange(*SHIP), format="x12")
    assert found["CTT"] == [{"01": "5"}]
    assert "REF" not in found
    assert found["hl"][0]["seg"]["n1"] == [
        {"N1": [{"01": "SF", "02": "PLANT", "03": "92", "04": "009"}], "N3": [{"01": "STREET"}]}
    ]


def test_a_party_takes_the_segments_that_follow_it() -> None:
    found = document(
        interchange(
            "ST*850*7", "N1*ST*SHOP*92*0001", "N3*STREET", "REF*DP*038", "DTM*002*20260310", "REF*PS*R", "SE*7*7"
        ),
        format="x12",
    )
    assert found["n1"] == [
        {
            "N1": [{"01": "ST", "02": "SHOP", "03": "92", "04": "0001"}],
            "N3": [{"01": "STREET"}],
            "REF": [{"01": "DP", "02": "038"}],
        }
    ]
    assert len(found["REF"]) == 2


def test_loops_nest_and_each_knows_the_loops_around_it() -> None:
    found = document(
        interchange(
            "ST*820*7", "REF*AA*HEAD", "ENT*1", "RMR*IV*I-1**100", "REF*PO*P-1", "ADX*-5*59", "REF*6O*022",
            "RMR*IV*I-2**200", "ENT*2", "RMR*IV*I-3**300", "SE*11*7",
        ),
        format="x12",
    )  # fmt: skip
    assert [loop["RMR"][0]["02"] for loop in found["rmr"]] == ["I-1", "I-2", "I-3"]
    assert [loop["up"]["ENT"]["ENT"][0]["01"] for loop in found["rmr"]] == ["1", "1", "2"]
    assert found["rmr"][0]["REF"] == [{"01": "PO", "02": "P-1"}, {"01": "6O", "02": "022"}]
    assert found["rmr"][0]["adx"][0]["REF"] == [{"01": "6O", "02": "022"}]
    assert found["adx"][0]["up"]["RMR"] == {
        "RMR": [{"01": "IV", "02": "I-1", "04": "100"}],
        "REF": [{"01": "PO", "02": "P-1"}],
    }
    assert [len(loop["rmr"]) for loop in found["ent"]] == [2, 1]
    assert found["head"]["REF"] == [{"01": "AA", "02": "HEAD"}]


def test_status_loops_of_a_214_keep_the_references_of_their_stop() -> None:
    found = document(
        interchange(
            "ST*214*7",
            "B10*A*S-1*UPSN",
            "LX*1",
            "AT7*D1*NS***20260301*1230*LT",
            "MS1*PARIS*TX",
            "L11*PO-1*PO",
            "AT7*AF*NS",
            "SE*8*7",
        ),
        format="x12",
    )
    assert [loop["AT7"][0]["01"] for loop in found["at7"]] == ["D1", "AF"]
    assert found["at7"][0]["MS1"] == [{"01": "PARIS", "02": "TX"}]
    assert found["at7"][1]["up"]["LX"]["LX"] == [{"01": "1"}]
    assert found["lx"][0]["L11"] == [{"01": "PO-1", "02": "PO"}]


def test_a_summary_ends_every_loop() -> None:
    found = document(interchange("ST*810*7", "IT1*1*2*EA*3", "TDS*600", "SAC*A", "SE*5*7"), format="x12")
    assert found["it1"] == [{"IT1": [{"01": "1", "02": "2", "03": "EA", "04": "3"}]}]
    assert found["head"].keys() == {"ST", "TDS", "SAC", "SE"}


def test_a_mapping_can_declare_loops_of_its_own() -> None:
    found = document(
        interchange("ST*753*7", "LX*1", "OID*A", "LX*2", "K1*x", "K2*y", "SE*7*7"),
        format="x12", loops={"LX": 1, "OID": 2, "K1": ["K2"]},
    )  # fmt: skip
    assert [loop["LX"][0]["01"] for loop in found["lx"]] == ["1", "2"]
    assert found["oid"][0]["up"]["LX"]["LX"] == [{"01": "1"}]
    assert (found["k1"][0]["K1"], found["k1"][0]["K2"]) == ([{"01": "x"}], [{"01": "y"}])
    assert found["k1"][0]["up"]["LX"]["LX"] == [{"01": "2"}]


def test_composites_and_repetitions_stand_beside_the_element_as_written() -> None:
    body = interchange("ST*810*7", "SV1*HC>99213*a^b>c", "SE*3*7", rep="^", version="00501")
    assert document(body, format="x12")["SV1"] == [
        {
            "01": "HC>99213",
            "01-1": "HC",
            "01-2": "99213",
            "02": "a^b>c",
            "02-1": "a^b",
            "02-2": "c",
            "02[]": ["a", "b>c"],
        }
    ]


def test_control_characters_separate_components_too() -> None:
    body = (
        interchange("ST*810*7", "SV1*HC>99213", "SE*3*7").replace(">", "\x1f").replace("*", "\x1d").replace("~", "\x1c")
    )
    assert document(body, format="x12")["SV1"][0]["01-2"] == "99213"


def test_before_version_00402_nothing_repeats() -> None:
    body = interchange("ST*810*7", "REF*a^bUc", "SE*3*7", rep="^")
    assert document(body, format="x12")["REF"] == [{"01": "a^bUc"}]


def test_padding_at_the_end_of_elements_is_not_part_of_them() -> None:
    body = interchange("ST*810*7", "REF*IV *I-1  ", "TD1* BIN52*5", "SE*4*7")
    found = document(body, format="x12")
    assert (found["REF"], found["TD1"]) == ([{"01": "IV", "02": "I-1"}], [{"01": " BIN52", "02": "5"}])


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: "\ufeff" + text,
        lambda text: "\r\n " + text.replace("~", "~\r\n    "),
        lambda text: text.replace("~", "\n"),
        lambda text: text.replace("~", "\r\n"),
        lambda text: text.replace("~", "\r"),
        lambda text: text.replace("~", "\x1c").replace("*", "\x1d").replace(">", "\x1f"),
        lambda text: text.replace("*", "\t"),
        lambda text: "\n".join(text[at : at + 80] for at in range(0, len(text), 80)),
        lambda text: text.removesuffix("~"),
        lambda text: text.replace("~", "~ \n") + "\x1a",
    ],
    ids=["bom", "indented", "lf", "crlf", "cr", "control characters", "tab", "short lines", "no last terminator", "blank tail"],
)  # fmt: skip
def test_the_dress_of_an_interchange_changes_nothing(dress: Any) -> None:
    plain = units(interchange(*SHIP), format="x12")
    dressed = units(dress(interchange(*SHIP)), format="x12")
    for one, other in zip(plain, dressed, strict=True):
        bare = {**other.document, "isa": {**other.document["isa"], "16": ">"}}
        assert (bare, other.notes) == (one.document, one.notes)


def test_ebcdic_is_read_where_the_mapping_says_so() -> None:
    body = interchange("ST*850*7", "SE*2*7").encode("cp037")
    assert units(body, format="x12", encoding="cp037")[0].document["ST"] == [{"01": "850", "02": "7"}]


def test_an_isa_without_padding_is_read_and_noted() -> None:
    body = "ISA*00**00**ZZ*A*ZZ*B*260301*0930*U*00401*1*0*P*>~GS*PO*A*B*20260301*0930*1*X*004010~ST*850*7~SE*2*7~GE*1*1~IEA*1*1~"
    (unit,) = units(body, format="x12")
    assert (unit.document["envelope"]["id"], unit.notes) == ("A/B/1/1/7", ("the ISA is not of fixed width",))
    assert [unit.document["envelope"]["id"] for unit in units(body + body, format="x12")] == ["A/B/1/1/7"] * 2


def test_several_interchanges_with_their_own_separators() -> None:
    other = interchange("ST*850*8", "SE*2*8").replace("*", "|").replace("~", "'").replace(">", ":")
    found = units(interchange(*SHIP) + "\n" + other + interchange("ST*850*9", "SE*2*9"), format="x12")
    assert [unit.document["envelope"]["message"] for unit in found] == ["0001", "8", "9"]
    assert not any(unit.notes for unit in found)


def test_several_groups_and_transactions() -> None:
    body = (
        ISA.format(rep="U", version="00401", usage="P")
        + "GS*PO*A*B*20260301*0930*1*X*004010~ST*850*1~SE*2*1~ST*850*2~SE*2*2~GE*2*1~"
        + "GS*IN*A*B*20260301*0930*2*X*004010~ST*810*1~SE*2*1~GE*1*2~IEA*2*000000091~"
    )
    found = units(body, format="x12")
    assert [(u.document["envelope"]["group"], u.document["envelope"]["message"]) for u in found] == [
        ("1", "1"),
        ("1", "2"),
        ("2", "1"),
    ]
    assert [u.notes for u in found] == [(), (), ()]


def test_a_whole_interchange_as_one_unit() -> None:
    (unit,) = units(interchange("ST*850*1", "SE*9*1", "ST*850*2", "SE*2*2"), format="x12", unit="interchange")
    assert [d["ST"][0]["02"] for d in unit.document["transactions"]] == ["1", "2"]
    assert unit.document["envelope"]["id"] == "SENDER/RECEIVER/000000091"
    assert unit.notes == ("interchange 000000091, message 1: SE counts 9 segments, there are 2",)
    found, error = tolerant(interchange("ST*850*1", "SE*2*1", "ST*850*2").encode(), format="x12", unit="interchange")
    assert (found, error is not None) == ([], True)


def test_an_interchange_acknowledgement_is_a_unit() -> None:
    body = ISA.format(rep="U", version="00401", usage="P") + "TA1*000000091*260301*0930*R*006~IEA*0*000000091~"
    (unit,) = units(body, format="x12")
    assert unit.document["TA1"][0]["04"] == "R"
    assert unit.document["envelope"]["type"] == "TA1"


@pytest.mark.parametrize(
    ("segments", "trailer", "notes"),
    [
        (("ST*850*7", "SE*5*7"), True, ("SE counts 5 segments, there are 2",)),
        (("ST*850*7", "SE*2*8"), True, ("SE has control number 8, its opening 7",)),
        (("ST*850*7", "SE"), True, ("SE counts no segments, there are 2", "SE has control number (none), its opening 7")),
        (("ST*850*7", "SE*002*7", "GE*3*91", "IEA*2*000000091"), False, ("GE counts 3 messages, there are 1", "IEA counts 2 groups, there are 1")),
        (("ST*850*7", "SE*2*7", "GE*1*92", "IEA*1*1"), False, ("GE has control number 92, its opening 91", "IEA has control number 1, its opening 000000091")),
        (("ST*850*7", "SE*2*7"), False, ("there is no IEA; the end may be missing",)),
        (("ST*850*7", "SE*2*7", "IEA*1*000000091"), False, ("group 91 has no GE",)),
        (("ST*856*7", "HL*1*9*O", "HL*1**O", "SE*4*7"), True, ("HL 1 names parent 9, which does not come before it", "HL 1 comes twice")),
    ],
)  # fmt: skip
def test_what_an_envelope_gets_wrong_is_noted_and_loses_nothing(
    segments: tuple[str, ...], trailer: bool, notes: tuple[str, ...]
) -> None:
    (unit,) = units(interchange(*segments, trailer=trailer), format="x12")
    assert unit.notes == notes


@pytest.mark.parametrize(
    ("body", "detail", "position"),
    [
        ("", "it does not begin with ISA", "character 0"),
        ("hello", "it does not begin with ISA", "character 0"),
        ("ISA", "the element separator after ISA is ''", "character 0"),
        ("ISAXX", "the element separator after ISA is 'X'", "character 0"),
        ("ISA*00*", "the ISA ends before its 16 elements", "character 0"),
        (ISA[:-1], "the segment terminator after the ISA is ''", "character 0"),
        (interchange()[:106], "the interchange holds no message", "interchange 000000091, segment 1 (ISA)"),
        (interchange("ST*850*7"), "message 7 has no SE", "interchange 000000091, segment 4 (GE)"),
        (interchange("ST*850*7", "BEG*00", trailer=False), "it ends inside message 7", "interchange 000000091, segment 4 (BEG)"),
        (interchange("BEG*00", "ST*850*7", "SE*2*7"), "a segment stands outside a message", "interchange 000000091, segment 3 (BEG)"),
        (interchange("SE*2*7"), "SE stands outside a message", "interchange 000000091, segment 3 (SE)"),
        (interchange("ST*850*7", "be*00", "SE*3*7"), "'be' is no segment", "interchange 000000091, segment 4 ('be')"),
        (interchange("ST*850*7", "BEG" + "*" * 100, "SE*3*7"), "a segment has more than 99 elements", "interchange 000000091, segment 4 (BEG)"),
        (interchange("ST*856*7", "HL*1**?", "SE*3*7"), "HL03 is '?'; it must be a level code such as S or O", "interchange 000000091, segment 4 (HL 1)"),
        (interchange("ST*850*7", "x", "SE*3*7", "ST*850*8", "y", "SE*3*8"), "'x' is no segment; and 1 more, the next at interchange 000000091, segment 7 ('y'): 'y' is no segment", "interchange 000000091, segment 4 ('x')"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_refused_with_its_place(body: str, detail: str, position: str) -> None:
    error = refusal(body, format="x12")
    assert (error.detail, error.position) == (detail, position)


def test_transactions_around_a_broken_one_are_given() -> None:
    body = interchange("ST*850*1", "SE*2*1", "ST*850*2", "??", "SE*3*2", "ST*850*3", "SE*2*3")
    found, error = tolerant(body.encode() + interchange("ST*850*4", "SE*2*4").encode(), format="x12")
    assert [unit.document["envelope"]["message"] for unit in found] == ["1", "3", "4"]
    assert error is not None
    assert error.detail == "'??' is no segment"


def test_every_cut_gives_whole_transactions_and_says_that_something_is_missing() -> None:
    body = (interchange("ST*850*1", "BEG*00*SA*PO-1", "SE*3*1", *SHIP) + interchange("ST*850*4", "SE*2*4")).encode()
    full = units(body, format="x12")
    for end in range(len(body)):
        found, error = tolerant(body[:end], format="x12")
        assert [unit.document for unit in found] in [
            [unit.document for unit in full[:count]] for count in range(len(full) + 1)
        ] or any(unit.notes for unit in found)
        whole = body[:end].rstrip(b"~").endswith(b"IEA*1*000000091")
        assert whole or error is not None or any(unit.notes for unit in found), body[:end]


_words = st.text("ABCXYZ0189 -./", min_size=1, max_size=6).map(str.strip).filter(bool)
_marks = st.lists(st.sampled_from("*|~^!<>:;+\\@`%\x1c\x1d\x1f'\"$&"), min_size=3, max_size=3, unique=True)


@settings(max_examples=30 * SEEDS)
@given(
    _marks,
    st.lists(st.lists(_words, min_size=1, max_size=5), min_size=1, max_size=8),
    st.sampled_from(["", "\n", "\r\n", "  \n"]),
)
def test_what_is_written_with_any_separators_is_read(marks: list[str], rows: list[list[str]], gap: str) -> None:
    element, component, terminator = marks
    segments = ["ST*850*7", *("*".join(["ZZZ", *row]) for row in rows), f"SE*{len(rows) + 2}*7"]
    plain = interchange(*segments)
    assume(not set(plain) & {"\x00", "\x01", "\x02"})
    text = plain.replace("*", "\0").replace("~", "\1").replace(">", "\2")
    text = text.replace("\0", element).replace("\1", terminator + gap).replace("\2", component)
    (unit,) = units(text, format="x12")
    assert [list(segment.values()) for segment in unit.document["ZZZ"]] == rows
    assert unit.notes == ()


@given(st.binary(max_size=300))
def test_any_bytes_give_units_or_a_refusal(body: bytes) -> None:
    found, error = tolerant(body, format="x12")
    assert found or error


@settings(max_examples=100 * SEEDS)
@given(st.integers(0, 2**32), st.booleans())
def test_mutated_interchanges_give_units_or_a_refusal(seed: int, whole: bool) -> None:
    chance = random.Random(seed)
    samples = [
        interchange(*SHIP),
        interchange("ST*820*7", "ENT*1", "RMR*IV*I-1**100", "SE*4*7", rep="^", version="00501"),
    ]
    body = bytearray("".join(chance.choices(samples, k=2)).encode())
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(body))
        action = chance.randrange(4)
        if action == 0:
            body[at] = chance.randrange(256)
        elif action == 1:
            del body[at : at + chance.randrange(20)]
        elif action == 2:
            body[at:at] = body[max(0, at - chance.randrange(60)) : at]
        else:
            body[at:at] = chance.choice([b"*", b"~", b"\n", b"ISA*", b"ST*850*1~", b"\xff", b">"])
    found, error = tolerant(bytes(body), format="x12", unit="interchange" if whole else "transaction")
    assert found or error


@pytest.mark.parametrize(
    "middle",
    [
        "A1~" * 300_000,
        "REF*A*B~" * 120_000,
        "N1*A~" * 190_000,
        "HL*1**S~" + "HL*2*1*O~" * 100_000,
        "".join(f"HL*{n}*{n - 1}*O~" for n in range(1, 60_000)),
        "AAA" + "*1" * 99 + "~" + ("BBB" + "*1>2>3" * 99 + "~") * 1_600,
        "ST*850*7~" * 100_000,
        "SE*2*7~" * 140_000,
        "LX*1~" + "REF*A~" * 70_000 + "AT7*1~" * 80_000,
        "?" * 1_000_000,
        "ISA*" * 250_000,
    ],
    ids=["tiny", "flat", "parties", "wide tree", "deep tree", "composites", "openings", "endings", "loops", "junk", "headers"],
)  # fmt: skip
def test_a_hostile_megabyte_takes_time_in_proportion(middle: str) -> None:
    body = interchange("ST*214*7", middle.removesuffix("~"), "SE*2*7").encode()
    assert growth(body, format="x12") < TOO_FAST


@pytest.mark.skipif(not payloads("x12"), reason="the shared samples are not at hand")
@pytest.mark.parametrize("path", payloads("x12"), ids=lambda path: path.name)
def test_samples_decode_as_another_reader_reads_them(path: Any) -> None:
    found, error = tolerant(path.read_bytes(), format="x12")
    assert error is None
    text = path.read_bytes().decode("utf-8-sig").lstrip()
    try:
        theirs = [segment for segment in X12Reader(StringIO(text)) if segment.get_seg_id() not in _CONTROL]
    except X12Error as reason:  # the other reader knows few versions, and wants an ISA of fixed width in one line
        assert "is unknown" in str(reason) or "fixed width" in str(found[0].notes) or "\n" in text[:105]
        return
    ours: dict[str, list[list[str]]] = {}
    for unit in found:
        for bag in [unit.document, *(hl["seg"] for hl in unit.document.get("hl", []))]:
            for name in filter(str.isupper, bag):
                ours.setdefault(name, []).extend(_plain(segment) for segment in bag[name])
    assert theirs
    for name in {segment.get_seg_id() for segment in theirs}:
        expected = [
            [value.rstrip() for *_, value in segment.values_iterator() if value.strip()]
            for segment in theirs
            if segment.get_seg_id() == name
        ]
        assert ours[name] == expected, name


_CONTROL = {"ISA", "GS", "ST", "SE", "GE", "IEA"}


def _plain(segment: dict[str, Any]) -> list[str]:
    return [segment[key] for key in sorted(segment) if f"{key}-1" not in segment and "[" not in key]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"format": "x12", "unit": "message"}, "decode: unit is 'message'; write transaction or interchange"),
        ({"format": "x12", "encoding": "ebcdic"}, "decode: encoding 'ebcdic' is not known"),
        ({"format": "x12", "loops": ["LX"]}, "decode: loops must map segments to a depth or to members"),
        ({"format": "x12", "loops": {"LX": 9}}, "decode: loops: LX must be a depth, 1 to 4, or a list"),
        ({"format": "x12", "loops": {"lx": 1}}, "decode: loops has 'lx', which is no segment"),
        ({"format": "x12", "lists": []}, "decode: x12 has no key 'lists'"),
    ],
)
def test_a_wrong_block_is_one_sentence(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_spec(spec)


@pytest.mark.parametrize(("body", "foreign"), [("UNB+", True), ("ISA*", False), (interchange("ST*850*1"), False)])
def test_bytes_that_do_not_look_like_x12_are_told_from_broken_x12(body: str, foreign: bool) -> None:
    assert refusal(body, format="x12").foreign is foreign
