"""X12 interchanges to one document per transaction (ST to SE).

Separators come from each ISA. Loops are those of the transaction sets that mappings ship for.
Source: ASC X12.5 and X12.6 (interchange and syntax), as public guides tell them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from collector.decoders.charset import check_encoding, guessed, text_of
from collector.decoders.interchange import BLANK, Faults, Frame, Interchange, Plans, named
from collector.decoders.loops import KEYS, Segment, declared
from collector.decoders.options import known, one_of
from collector.decoders.unit import Undecodable, Unit

_ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1)
# An ISA of fixed width: one like it inside a body begins a further interchange, which may have other separators.
_ISA = re.compile(
    r"ISA(?P<e>[^A-Za-z0-9 \r\n])..(?P=e).{10}(?P=e)..(?P=e).{10}(?P=e)..(?P=e).{15}(?P=e)..(?P=e).{15}"
    r"(?P=e)\d{6}(?P=e)\d{4}(?P=e)",
    re.DOTALL,
)
_LONGEST_ISA = 400
_FIRST_WITH_REPETITION = "00402"
_NOT_FIXED = "the ISA is not of fixed width"

_GROUPS = {
    "N1": frozenset({"N2", "N3", "N4", "NX2", "PER", "REF", "G61", "SI", "LUI"}),
    "N9": frozenset({"MSG", "MTX", "DTM"}),
}
_LOOPS: dict[str, dict[str, int]] = {
    "180": {"BLI": 1},
    "204": {"S5": 1, "OID": 2},
    "210": {"LX": 1},
    "214": {"LX": 1, "AT7": 2},
    "810": {"IT1": 1, "SLN": 2},
    "812": {"CDD": 1},
    "820": {"ENT": 1, "RMR": 2, "ADX": 3},
    "824": {"OTI": 1, "TED": 2},
    "832": {"LIN": 1},
    "846": {"LIN": 1},
    "850": {"PO1": 1, "SCH": 2, "SLN": 2},
    "855": {"PO1": 1, "ACK": 2, "SCH": 2},
    "860": {"POC": 1, "SCH": 2},
    "865": {"POC": 1, "ACK": 2, "SCH": 2},
    "940": {"LX": 1, "W01": 2},
    "943": {"W04": 1},
    "944": {"W07": 1},
    "945": {"LX": 1, "W12": 2},
    "947": {"W19": 1},
    "997": {"AK2": 1, "AK3": 2, "AK4": 3},
    "999": {"AK2": 1, "IK3": 2, "IK4": 3},
}
_CLOSERS = frozenset({"CTT", "TDS", "W03", "W14", "W76", "L3", "AK9", "SE"})


def check(spec: Mapping[str, Any]) -> None:
    """Raise ValueError for a wrong block."""
    known(spec, "unit", "encoding", "loops")
    one_of(spec, "unit", ("transaction", "interchange"))
    check_encoding(spec)
    declared(spec)


def decode(spec: Mapping[str, Any], body: bytes) -> Iterator[Unit]:
    """Yield each transaction, or each interchange. Raises Undecodable after the last unit."""
    encoding = spec.get("encoding")
    text = text_of(body, encoding) if encoding else guessed(body, "latin-1")
    plans = Plans(spec, _LOOPS, _GROUPS, _CLOSERS)
    faults = Faults()
    for interchange in _interchanges(text, faults):
        yield from interchange.units(plans, faults, whole=spec.get("unit") == "interchange")
        if faults.enough:
            break
    faults.tell()


class _Marks(NamedTuple):
    """The separators of an interchange; '' where it has none."""

    element: str
    component: str
    repetition: str
    terminator: str


def _interchanges(text: str, faults: Faults) -> Iterator[_Interchange]:
    """Yield each interchange; what is none is a fault."""
    start = len(text) - len(text.lstrip(BLANK))
    starts = sorted({start, *(found.start() for found in _ISA.finditer(text, start))})
    for begin, end in zip(starts, [*starts[1:], len(text)], strict=True):
        try:
            marks, isa, notes = _header(text[begin : begin + _LONGEST_ISA])
        except Undecodable as fault:
            faults.add(fault.detail, f"character {begin}", foreign=fault.foreign)
            continue
        piece = text[begin:end]
        if marks.terminator not in "\r\n" and ("\n" in piece or "\r" in piece):
            # Line breaks are for the eye, or come from a transport with short lines.
            piece = piece.replace("\r", "").replace("\n", "")
        segments = [segment for part in piece.split(marks.terminator) if (segment := part.strip(BLANK))]
        tag = f"ISA{marks.element}"
        first = 0
        if piece.count(tag) > 1:
            # An ISA that is not of fixed width begins an interchange too, with the separators of the one before.
            for index, segment in enumerate(segments[1:], 1):
                if segment.startswith(tag):
                    yield _Interchange(marks, isa, segments[first + 1 : index], notes)
                    first, notes = index, (_NOT_FIXED,)
                    isa = _elements([part.strip() for part in segment.split(marks.element, 16)])
        yield _Interchange(marks, isa, segments[first + 1 :], notes)


def _header(text: str) -> tuple[_Marks, Segment, tuple[str, ...]]:
    """Return the separators, the ISA and notes about it. Raises Undecodable.

    Elements are counted rather than looked up at their fixed places, so that an ISA without padding, or broken by a
    line, is read as well.
    """
    if not text.startswith("ISA"):
        raise Undecodable("it does not begin with ISA", "", foreign=True)
    element = text[3:4]
    if not element or element.isalnum() or element in " \r\n":
        raise Undecodable(f"the element separator after ISA is {element!r}", "")
    parts = text.split(element, 16)
    if len(parts) < 17:
        raise Undecodable("the ISA ends before its 16 elements", "")
    rest = parts.pop()
    component, after = ("", rest) if rest[:1] in ("", "\r", "\n") else (rest[0], rest[1:].lstrip(" "))
    terminator = "\n" if after.startswith("\r\n") else after[:1]
    if not terminator or terminator.isalnum() or terminator in (element, component):
        raise Undecodable(f"the segment terminator after the ISA is {terminator!r}", "")
    values = [part.replace("\r", "").replace("\n", "") for part in parts[1:]]
    isa = _elements(["ISA", *(value.strip() for value in values), component])
    repetition = isa.get("11", "") if isa.get("12", "") >= _FIRST_WITH_REPETITION else ""
    marks = _Marks(element, _separator(component), _separator(repetition), terminator)
    return marks, isa, () if tuple(map(len, values)) == _ISA_WIDTHS else (_NOT_FIXED,)


def _separator(mark: str) -> str:
    """Return '' for what is a letter, a digit or a space: such a place says that there is no separator."""
    return "" if mark.isalnum() or mark == " " else mark


def _elements(parts: list[str]) -> Segment:
    return {key: part for key, part in zip(KEYS, parts[1:], strict=False) if part}


class _Interchange(Interchange):
    """The segments after one ISA."""

    frame = Frame("ISA", "13", "GS", "06", "GE", "ST", "02", "SE", "IEA")
    listed = "transactions"
    alone = frozenset({"TA1"})

    def __init__(self, marks: _Marks, isa: Segment, segments: list[str], notes: tuple[str, ...]) -> None:
        super().__init__(isa, segments, notes)
        self._element, self._component, self._repetition, _ = marks
        self._padded = f" {self._element}"
        self._valid: set[str] = set()

    def parse(self, text: str) -> tuple[str, Segment]:
        parts = text.split(self._element)
        name = parts[0]
        named(parts, name, self._valid)
        if self._padded in text:
            parts = [part.rstrip(" ") for part in parts]
        segment = _elements(parts)
        if self._component and self._component in text:
            _compose(segment, self._component)
        if self._repetition and self._repetition in text:
            _repeat(segment, self._repetition)
        return name, segment

    def text(self, segment: Segment, key: str) -> str:
        return str(segment.get(key, ""))

    def message_type(self, opening: Segment) -> str:
        return self.text(opening, "01")

    def document(self, group: Segment | None, opening: Segment | None) -> dict[str, Any]:
        isa, gs, st = self.opening, group or {}, opening or {}
        sender, receiver = isa.get("06", ""), isa.get("08", "")
        names = [sender, receiver, self.number]
        if opening is not None:
            names += [gs.get("06", ""), st.get("02", "")]
        envelope = {
            "id": "/".join(names),
            "sender": sender,
            "receiver": receiver,
            "interchange": self.number,
            "group": gs.get("06", ""),
            "message": st.get("02", ""),
            "type": st.get("01", ""),
            "version": gs.get("08", "") or isa.get("12", ""),
            "test": isa.get("15") == "T",
        }
        return {"envelope": envelope, "isa": isa, "gs": gs}


def _compose(segment: Segment, mark: str) -> None:
    """Add the components of composite elements: `04-1`, `04-2` beside `04`."""
    for key, value in list(segment.items()):
        if mark in value:
            for number, part in enumerate(value.split(mark), 1):
                if part:
                    segment[f"{key}-{number}"] = part


def _repeat(segment: Segment, mark: str) -> None:
    """Add the list of a repeated element: `03[]` beside `03`."""
    for key, value in list(segment.items()):
        if len(key) == 2 and mark in value:
            segment[f"{key}[]"] = value.split(mark)
