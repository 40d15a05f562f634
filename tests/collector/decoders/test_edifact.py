"""EDIFACT: any service characters, whole messages only, wrong envelopes noted, groups where mappings need them."""

from __future__ import annotations

import random
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydifact.segmentcollection import RawSegmentCollection

from tests.amount import SEEDS
from tests.collector.decoders.ask import TOO_FAST, document, growth, payloads, refusal, tolerant, units

UNB = "UNB+UNOC:3+SENDER:14+RECEIVER:ZZ+260301:0930+REF1'"


def interchange(*segments: str, unb: str = UNB, trailer: bool = True) -> str:
    """Return an interchange around messages written as segments."""
    sets = sum(segment.startswith("UNT") for segment in segments)
    return unb + "".join(f"{segment}'" for segment in segments) + (f"UNZ+{sets}+REF1'" if trailer else "")


ORDER = (
    "UNH+1+ORDERS:D:96A:UN:EAN008",
    "BGM+220+PO-1+9",
    "DTM+137:20260301:102",
    "RFF+CT:C-1",
    "DTM+171:20260101:102",
    "NAD+BY+8711576000012::9",
    "RFF+VA:NL1",
    "CTA+IC+:Ann",
    "LIN+1++5020436373085:EN",
    "QTY+21:8",
    "RFF+ON:LINE-1",
    "LIN+2++5020436373108:EN",
    "UNS+S",
    "MOA+86:100.00",
    "UNT+15+1",
)


def test_elements_are_lists_of_components() -> None:
    found = document(interchange(*ORDER), format="edifact")
    assert found["UNH"] == [{"01": ["1"], "02": ["ORDERS", "D", "96A", "UN", "EAN008"]}]
    assert found["NAD"] == [{"01": ["BY"], "02": ["8711576000012", "", "9"]}]
    assert found["QTY"] == [{"01": ["21", "8"]}]
    assert found["CTA"] == [{"01": ["IC"], "02": ["", "Ann"]}]
    assert found["LIN"][0] == {"01": ["1"], "03": ["5020436373085", "EN"]}
    assert found["unb"]["05"] == ["REF1"]
    assert found["ung"] == {}
    assert found["envelope"] == {
        "id": "SENDER/RECEIVER/REF1/1",
        "sender": "SENDER",
        "receiver": "RECEIVER",
        "interchange": "REF1",
        "group": "",
        "message": "1",
        "type": "ORDERS",
        "version": "D96A",
        "test": False,
        "decimal": ".",
    }


def test_references_of_the_header_are_told_from_those_of_lines() -> None:
    found = document(interchange(*ORDER), format="edifact")
    assert [rff["01"] for rff in found["head"]["RFF"]] == [["CT", "C-1"], ["VA", "NL1"]]
    assert [[rff["01"][1] for rff in line.get("RFF", [])] for line in found["lin"]] == [["LINE-1"], []]
    assert [group["RFF"][0]["01"][0] for group in found["rff"]] == ["CT", "VA", "ON"]
    assert found["rff"][0]["DTM"] == [{"01": ["171", "20260101", "102"]}]
    assert found["rff"][2]["up"]["LIN"]["LIN"] == [{"01": ["1"], "03": ["5020436373085", "EN"]}]
    assert found["nad"][0]["RFF"] == [{"01": ["VA", "NL1"]}]
    assert found["head"]["MOA"] == [{"01": ["86", "100.00"]}]


def test_statuses_of_an_iftsta_belong_to_their_consignment() -> None:
    found = document(
        interchange(
            "UNH+1+IFTSTA:D:96A:UN", "BGM+77+1", "CNI+1+CON-1", "STS+1+21", "RFF+CU:O-1", "DTM+78:202603010930:203",
            "LOC+8+DEHAM", "STS+1+24", "CNI+2+CON-2", "STS+1+21", "UNT+11+1",
        ),
        format="edifact",
    )  # fmt: skip
    assert [(s["STS"][0]["02"], s["up"]["CNI"]["CNI"][0]["02"]) for s in found["sts"]] == [
        (["21"], ["CON-1"]),
        (["24"], ["CON-1"]),
        (["21"], ["CON-2"]),
    ]
    assert found["sts"][0]["RFF"] == [{"01": ["CU", "O-1"]}]
    assert found["sts"][0]["LOC"] == [{"01": ["8"], "02": ["DEHAM"]}]
    assert [len(consignment["sts"]) for consignment in found["cni"]] == [2, 1]


def test_a_remittance_lists_the_documents_paid() -> None:
    found = document(
        interchange(
            "UNH+1+REMADV:D:96A:UN", "BGM+481+R-1", "DOC+380+I-1", "MOA+12:100.50", "RFF+ON:PO-1", "DOC+381+C-1",
            "MOA+12:20", "UNS+S", "MOA+12:80.50", "UNT+10+1",
        ),
        format="edifact",
    )  # fmt: skip
    assert [(d["DOC"][0]["02"][0], d["MOA"][0]["01"][1]) for d in found["doc"]] == [("I-1", "100.50"), ("C-1", "20")]
    assert found["head"]["MOA"] == [{"01": ["12", "80.50"]}]


def test_a_control_message_lists_what_it_answers() -> None:
    found = document(
        interchange(
            "UNH+1+CONTRL:4:1:UN", "UCI+REF9+A+B+7", "UCM+M1+ORDERS:D:96A:UN+4+12", "UCS+3+16", "UCD+12+1:2",
            "UCM+M2+ORDERS:D:96A:UN+7", "UNT+7+1",
        ),
        format="edifact",
    )  # fmt: skip
    assert found["uci"][0]["UCI"] == [{"01": ["REF9"], "02": ["A"], "03": ["B"], "04": ["7"]}]
    assert [(m["UCM"][0]["01"], m["UCM"][0]["03"]) for m in found["ucm"]] == [(["M1"], ["4"]), (["M2"], ["7"])]
    assert found["ucm"][0]["UCD"] == [{"01": ["12"], "02": ["1", "2"]}]
    assert found["ucm"][1]["up"]["UCI"]["UCI"][0]["01"] == ["REF9"]


def test_packages_of_a_desadv_hold_their_marks() -> None:
    found = document(
        interchange(
            "UNH+1+DESADV:D:96A:UN", "CPS+1", "PAC+2", "CPS+2+1", "PAC+1++CT", "PCI+33E", "GIN+BJ+307156700021523600:307156700021523617",
            "LIN+1", "QTY+12:1", "RFF+ON:PO-1", "CNT+2:1", "UNT+12+1",
        ),
        format="edifact",
    )  # fmt: skip
    assert [pack["PAC"][0]["01"] for pack in found["cps"][1]["pac"]] == [["1"]]
    assert found["pci"][0]["GIN"][0]["02"] == ["307156700021523600", "307156700021523617"]
    assert found["pci"][0]["up"]["CPS"]["CPS"] == [{"01": ["2"], "02": ["1"]}]
    assert found["lin"][0]["RFF"] == [{"01": ["ON", "PO-1"]}]


def test_released_characters_are_text() -> None:
    body = interchange("UNH+1+ORDERS:D:96A:UN", "FTX+AAI+++5 ?+ 3?: who?? said?' so?!:x", "UNT+3+1")
    assert document(body, format="edifact")["FTX"][0]["04"] == ["5 + 3: who? said' so!", "x"]


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: "UNA:+.? '" + text,
        lambda text: "\ufeffUNA:+.? '\r\n" + text.replace("'", "'\r\n"),
        lambda text: text.replace("'", "'\n   "),
        lambda text: "UNA:+.? \n" + text.replace("'", "\n"),
        lambda text: "UNA|^.! ~" + text.replace(":", "|").replace("+", "^").replace("'", "~"),
        lambda text: text.replace(":", "\x1f").replace("+", "\x1d").replace("'", "\x1c").replace("UNOC", "UNOB"),
        lambda text: "\n".join(text[at : at + 70] for at in range(0, len(text), 70)),
        lambda text: text.removesuffix("'"),
    ],
    ids=["una", "bom and crlf", "indented", "newlines", "other characters", "level B", "short lines", "no last terminator"],
)  # fmt: skip
def test_the_dress_of_an_interchange_changes_nothing(dress: Any) -> None:
    (plain,) = units(interchange(*ORDER), format="edifact")
    (dressed,) = units(dress(interchange(*ORDER)), format="edifact")
    assert ({**dressed.document, "unb": plain.document["unb"]}, dressed.notes) == (plain.document, ())


def test_the_decimal_mark_is_told() -> None:
    assert document("UNA:+,? '" + interchange(*ORDER), format="edifact")["envelope"]["decimal"] == ","


def test_elements_repeat_from_syntax_version_4() -> None:
    segments = ("UNH+1+ORDERS:D:96A:UN", "FTX+a*b:c+d*", "UNT+3+1")
    body = interchange(*segments, unb=UNB.replace("UNOC:3", "UNOC:4"))
    assert document(body, format="edifact")["FTX"] == [
        {"01": ["a"], "01[]": [["a"], ["b", "c"]], "02": ["d"], "02[]": [["d"], [""]]}
    ]
    assert document(interchange(*segments), format="edifact")["FTX"][0]["01"] == ["a*b", "c"]


@pytest.mark.parametrize(
    ("text", "level", "encoding"),
    [("Büttner", "UNOC", "latin-1"), ("Büttner", "UNOA", "utf-8"), ("Иван", "UNOE", "iso8859-5"), ("Ağa", "UNOK", "iso8859-9")],
)  # fmt: skip
def test_the_character_set_follows_the_syntax_level_unless_it_is_utf_8(text: str, level: str, encoding: str) -> None:
    body = interchange("UNH+1+ORDERS:D:96A:UN", f"FTX+AAI+++{text}", "UNT+3+1", unb=UNB.replace("UNOC", level))
    assert document(body.encode(encoding), format="edifact")["FTX"][0]["04"] == [text]


def test_groups_and_several_interchanges() -> None:
    grouped = (
        UNB
        + "UNG+ORDERS+A+B+260301:0930+G1+UN+D:96A'UNH+1+ORDERS:D:96A:UN'UNT+2+1'UNE+1+G1'"
        + "UNG+INVOIC+A+B+260301:0930+G2+UN+D:96A'UNH+2+INVOIC:D:96A:UN'UNT+2+2'UNE+1+G2'UNZ+2+REF1'"
    )
    other = "UNA|^.! ~" + interchange(*ORDER).replace(":", "|").replace("+", "^").replace("'", "~")
    found = units(grouped + interchange(*ORDER) + "\n" + other, format="edifact")
    assert [unit.document["envelope"]["id"] for unit in found] == [
        "SENDER/RECEIVER/REF1/G1/1",
        "SENDER/RECEIVER/REF1/G2/2",
        "SENDER/RECEIVER/REF1/1",
        "SENDER/RECEIVER/REF1/1",
    ]
    assert found[0].document["ung"]["01"] == ["ORDERS"]
    assert not any(unit.notes for unit in found)


def test_a_whole_interchange_as_one_unit() -> None:
    body = interchange(*ORDER, "UNH+2+ORDERS:D:96A:UN", "UNT+2+2")
    (unit,) = units(body, format="edifact", unit="interchange")
    assert [message["UNH"][0]["01"] for message in unit.document["messages"]] == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("segments", "trailer", "notes"),
    [
        (("UNH+1+ORDERS", "UNT+5+1"), True, ("UNT counts 5 segments, there are 2",)),
        (("UNH+1+ORDERS", "UNT+2+9"), True, ("UNT has control number 9, its opening 1",)),
        (("UNH+1+ORDERS", "UNT+2+1", "UNZ+2+REF1"), False, ("UNZ counts 2 messages, there are 1",)),
        (("UNH+1+ORDERS", "UNT+2+1"), False, ("there is no UNZ; the end may be missing",)),
    ],
)
def test_what_an_envelope_gets_wrong_is_noted_and_loses_nothing(
    segments: tuple[str, ...], trailer: bool, notes: tuple[str, ...]
) -> None:
    (unit,) = units(interchange(*segments, trailer=trailer), format="edifact")
    assert unit.notes == notes


@pytest.mark.parametrize(
    ("body", "detail", "position"),
    [
        ("", "it does not begin with UNA or UNB", "character 0"),
        ("UNA:+", "the UNA ends before its six characters", "character 0"),
        ("UNA:+.? 'UNH+1'", "no UNB follows the UNA", "character 0"),
        ("UNA::.? 'UNB+1'", "the UNA names the characters \"::.? '\", which cannot all separate", "character 0"),
        ("UNB;UNOC", "the element separator after UNB is ';', and no UNA says so", "character 0"),
        (UNB, "the interchange holds no message", "interchange REF1, segment 1 (UNB)"),
        (interchange("UNH+1+ORDERS", "BGM+220", trailer=False), "it ends inside message 1", "interchange REF1, segment 3 (BGM)"),
        (interchange("UNH+1+ORDERS"), "message 1 has no UNT", "interchange REF1, segment 3 (UNZ)"),
        (interchange("BGM+220", "UNH+1+ORDERS", "UNT+2+1"), "a segment stands outside a message", "interchange REF1, segment 2 (BGM)"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_refused_with_its_place(body: str, detail: str, position: str) -> None:
    error = refusal(body, format="edifact")
    assert (error.detail, error.position) == (detail, position)


def test_every_cut_gives_whole_messages_and_says_that_something_is_missing() -> None:
    body = ("UNA:+.? '" + interchange(*ORDER, "UNH+2+ORDERS:D:96A:UN", "FTX+AAI+++a?'b", "UNT+3+2")).encode()
    full = [unit.document for unit in units(body, format="edifact")]
    for end in range(len(body)):
        found, error = tolerant(body[:end], format="edifact")
        assert [unit.document for unit in found] == full[: len(found)] or found[-1].notes, body[:end]
        whole = body[:end].endswith(b"UNZ+2+REF1")
        assert whole or error is not None or any(unit.notes for unit in found), body[:end]


_words = st.text(st.sampled_from("ABCXYZ0189 -./+:'?*"), min_size=1, max_size=6).filter(
    lambda word: word.strip() == word
)
_marks = st.lists(st.sampled_from("*|~^!<>:;+\\@`%\x1c\x1d\x1f'\"$&?"), min_size=4, max_size=4, unique=True)


@settings(max_examples=30 * SEEDS)
@given(_marks, st.lists(st.lists(st.lists(_words, min_size=1, max_size=3), min_size=1, max_size=4), min_size=1, max_size=6), st.sampled_from(["", "\n", "\r\n"]))  # fmt: skip
def test_what_is_written_with_any_characters_is_read(marks: list[str], rows: list[list[list[str]]], gap: str) -> None:
    component, element, release, terminator = marks

    def written(segment: list[list[str]]) -> str:
        return element.join(
            component.join("".join(release + c if c in marks else c for c in part) for part in parts)
            for parts in segment
        )

    segments = [
        [["UNB"], ["UNOC", "3"], ["A"], ["B"], ["260301", "0930"], ["R"]],
        [["UNH"], ["1"], ["ORDERS", "D", "96A", "UN"]],
        *([["ZZZ"], *row] for row in rows),
        [["UNT"], [str(len(rows) + 2)], ["1"]],
        [["UNZ"], ["1"], ["R"]],
    ]
    text = f"UNA{component}{element}.{release} {terminator}{gap}" + "".join(
        f"{written(s)}{terminator}{gap}" for s in segments
    )
    (unit,) = units(text, format="edifact")
    assert [list(segment.values()) for segment in unit.document["ZZZ"]] == rows
    assert unit.notes == ()


@given(st.binary(max_size=300) | st.text("UNABHT+:'? 1", max_size=60).map(str.encode))
def test_any_bytes_give_units_or_a_refusal(body: bytes) -> None:
    found, error = tolerant(body, format="edifact")
    assert found or error


@settings(max_examples=100 * SEEDS)
@given(st.integers(0, 2**32), st.booleans())
def test_mutated_interchanges_give_units_or_a_refusal(seed: int, whole: bool) -> None:
    chance = random.Random(seed)
    samples = [interchange(*ORDER), "UNA:+.? '" + interchange("UNH+1+ORDERS", "UNT+2+1", unb=UNB.replace(":3", ":4"))]
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
            body[at:at] = chance.choice([b"+", b"'", b"?", b"UNB+", b"UNA:+.? '", b"UNH+1+ORDERS'", b"\xff", b":"])
    found, error = tolerant(bytes(body), format="edifact", unit="interchange" if whole else "message")
    assert found or error


@pytest.mark.parametrize(
    "middle",
    [
        "A1A'" * 240_000,
        "RFF+ON:A'" * 110_000,
        "NAD+A'" * 160_000,
        "LIN+1'" + "RFF+A'" * 150_000,
        "FTX+" + ":" * 990_000 + "'",
        "FTX+" + "?'" * 490_000 + "'",
        "UNB+" * 240_000,
        "UNH+1+ORDERS'" * 70_000,
        "UNA:+.? '" * 110_000,
        "CNI+1'" + "RFF+A'" * 60_000 + "STS+1'" * 80_000,
    ],
    ids=["tiny", "references", "parties", "line", "components", "released", "headers", "openings", "advices", "loops"],
)
def test_a_hostile_megabyte_takes_time_in_proportion(middle: str) -> None:
    body = interchange("UNH+1+IFTSTA:D:96A:UN", middle.removesuffix("'"), "UNT+2+1").encode()
    assert growth(body, format="edifact") < TOO_FAST


@pytest.mark.skipif(not payloads("edifact"), reason="the shared samples are not at hand")
@pytest.mark.parametrize("path", payloads("edifact"), ids=lambda path: path.name)
def test_samples_decode_as_another_reader_reads_them(path: Path) -> None:
    (unit,) = units(path.read_bytes(), format="edifact")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [
            s for s in RawSegmentCollection.from_str(path.read_text()).segments if s.tag not in ("UNA", "UNB", "UNZ")
        ]
    assert len(theirs) > 5
    for tag in {segment.tag for segment in theirs}:
        expected = [
            [[element] if isinstance(element, str) else list(element) for element in segment.elements if element]
            for segment in theirs
            if segment.tag == tag
        ]
        assert [list(segment.values()) for segment in unit.document[tag]] == expected, tag


@pytest.mark.parametrize(("body", "foreign"), [("ISA*", True), ("UNB;", False), (interchange("UNH+1+ORDERS"), False)])
def test_bytes_that_do_not_look_like_edifact_are_told_from_broken_edifact(body: str, foreign: bool) -> None:
    assert refusal(body, format="edifact").foreign is foreign
