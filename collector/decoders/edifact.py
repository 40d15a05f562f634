"""EDIFACT interchanges to one document per message (UNH to UNT).

Separators come from UNA, or are the standard's own. Loops are those of the messages that mappings ship for.
Source: ISO 9735 (syntax versions 1 to 4), as public guides tell it.
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

# A UNA with the UNB it speaks for; one inside a body begins a further interchange, which may have other separators.
_UNA = re.compile(r"UNA.(.)....[\r\n \t]*UNB(?=\1)", re.DOTALL)
_CHARSET = re.compile(rb"UNO([A-Z])")
_CHARSETS = {
    b"D": "iso8859-2",
    b"E": "iso8859-5",
    b"F": "iso8859-7",
    b"G": "iso8859-3",
    b"H": "iso8859-4",
    b"I": "iso8859-6",
    b"J": "iso8859-8",
    b"K": "iso8859-9",
}
_FIRST_WITH_REPETITION = "4"
# What stands for a released separator while a text is split. Half a surrogate pair is in no decoded text.
_RELEASED = ("\ud800", "\ud801", "\ud802", "\ud803", "\ud804")

_GROUPS = {
    "NAD": frozenset({"LOC", "FII", "RFF", "DTM", "CTA", "COM"}),
    "RFF": frozenset({"DTM"}),
    "TDT": frozenset({"LOC", "DTM", "RFF"}),
    "TAX": frozenset({"MOA", "LOC"}),
    "ALC": frozenset({"ALI", "DTM", "QTY", "RNG", "PCD", "MOA", "RTE", "TAX"}),
}
_LOOPS: dict[str, dict[str, int]] = {
    "APERAK": {"ERC": 1},
    "CONTRL": {"UCI": 1, "UCF": 2, "UCM": 2, "UCS": 3},
    "DESADV": {"CPS": 1, "PAC": 2, "PCI": 3, "LIN": 2},
    "IFTSTA": {"CNI": 1, "STS": 2, "GID": 3},
    "INVOIC": {"LIN": 1},
    "ORDCHG": {"LIN": 1},
    "ORDERS": {"LIN": 1},
    "ORDRSP": {"LIN": 1},
    "RECADV": {"CPS": 1, "PAC": 2, "PCI": 3, "LIN": 2},
    "REMADV": {"DOC": 1, "AJT": 2},
}
_CLOSERS = frozenset({"UNS", "CNT", "UNT"})


def check(spec: Mapping[str, Any]) -> None:
    """Raise ValueError for a wrong block."""
    known(spec, "unit", "encoding", "loops")
    one_of(spec, "unit", ("message", "interchange"))
    check_encoding(spec)
    declared(spec)


def decode(spec: Mapping[str, Any], body: bytes) -> Iterator[Unit]:
    """Yield each message, or each interchange. Raises Undecodable after the last unit."""
    encoding = spec.get("encoding")
    text = text_of(body, encoding) if encoding else guessed(body, _charset(body))
    plans = Plans(spec, _LOOPS, _GROUPS, _CLOSERS)
    faults = Faults()
    for interchange in _interchanges(text, faults):
        yield from interchange.units(plans, faults, whole=spec.get("unit") == "interchange")
        if faults.enough:
            break
    faults.tell()


def _charset(body: bytes) -> str:
    found = _CHARSET.search(body[:200])
    return _CHARSETS.get(found[1], "latin-1") if found else "latin-1"


class _Marks(NamedTuple):
    """The service characters of an interchange; '' where it has none."""

    component: str
    element: str
    decimal: str
    release: str
    repetition: str
    terminator: str


_STANDARD = _Marks(":", "+", ".", "?", "*", "'")
_LEVEL_B = _Marks("\x1f", "\x1d", ".", "", "", "\x1c")


def _interchanges(text: str, faults: Faults) -> Iterator[_Interchange]:
    """Yield each interchange; what is none is a fault."""
    start = len(text) - len(text.lstrip(BLANK.replace("\x1c", "")))
    starts = sorted({start, *(found.start() for found in _UNA.finditer(text, start))})
    for begin, end in zip(starts, [*starts[1:], len(text)], strict=True):
        try:
            marks, past = _service(text[begin : begin + 10])
            yield from _split(text[begin + past : end], marks)
        except Undecodable as fault:
            faults.add(fault.detail, f"character {begin}", foreign=fault.foreign)


def _service(text: str) -> tuple[_Marks, int]:
    """Return the service characters, and how long their advice is. Raises Undecodable."""
    if text.startswith("UNA"):
        if len(text) < 9:
            raise Undecodable("the UNA ends before its six characters", "")
        component, element, decimal, release, repetition, terminator = tuple(text[3:9])
        marks = _Marks(component, element, decimal, release.strip(" "), repetition.strip(" "), terminator)
        separators = (component, element, terminator)
        used = [mark for mark in (*separators, marks.release) if mark]
        if len(set(used)) < len(used) or any(mark.isalnum() or mark == " " for mark in used):
            raise Undecodable(f"the UNA names the characters {text[3:9]!r}, which cannot all separate", "")
        return marks, 9
    if not text.startswith("UNB"):
        raise Undecodable("it does not begin with UNA or UNB", "", foreign=True)
    if text[3:4] not in ("+", "\x1d"):
        raise Undecodable(f"the element separator after UNB is {text[3:4]!r}, and no UNA says so", "")
    return (_LEVEL_B if text[3:4] == "\x1d" else _STANDARD), 0


def _split(text: str, marks: _Marks) -> Iterator[_Interchange]:
    """Yield the interchanges that follow one service advice. Raises Undecodable if there is none."""
    if marks.terminator not in "\r\n" and ("\n" in text or "\r" in text):
        # Line breaks are for the eye, or come from a transport with short lines.
        text = text.replace("\r", "").replace("\n", "")
    if marks.release and marks.release in text:
        text = _hide(text, marks)
    segments = [segment for part in text.split(marks.terminator) if (segment := part.strip(BLANK))]
    tag = f"UNB{marks.element}"
    if not segments or not segments[0].startswith(tag):
        raise Undecodable("no UNB follows the UNA", "")
    opened = (
        [index for index, segment in enumerate(segments) if segment.startswith(tag)] if text.count(tag) > 1 else [0]
    )
    for first, end in zip(opened, [*opened[1:], len(segments)], strict=True):
        yield _Interchange(marks, segments[first], segments[first + 1 : end])


def _hide(text: str, marks: _Marks) -> str:
    """Return the text with released characters out of the way of splitting."""
    release = marks.release
    hidden = (release, marks.terminator, marks.element, marks.component, marks.repetition)
    for mark, stand_in in zip(hidden, _RELEASED, strict=True):
        if mark:
            text = text.replace(release + mark, stand_in)
    return text.replace(release, "")  # before any other character it changes nothing


class _Interchange(Interchange):
    """The segments after one UNB."""

    frame = Frame("UNB", "05", "UNG", "05", "UNE", "UNH", "01", "UNT", "UNZ")
    listed = "messages"

    def __init__(self, marks: _Marks, unb: str, segments: list[str]) -> None:
        self._marks = marks
        self._shown = {
            ord(stand_in): mark
            for mark, stand_in in zip(
                (marks.release, marks.terminator, marks.element, marks.component, marks.repetition),
                _RELEASED,
                strict=True,
            )
        }
        self._repetition = ""
        self._valid: set[str] = set()
        _, opening = self.parse(unb)
        syntax = opening.get("01", [])
        if len(syntax) > 1 and syntax[1] >= _FIRST_WITH_REPETITION:
            self._repetition = marks.repetition
        super().__init__(opening, segments, ())

    def parse(self, text: str) -> tuple[str, Segment]:
        parts = text.split(self._marks.element)
        component = self._marks.component
        name, *nesting = parts[0].split(component)
        named(parts, name, self._valid)
        repetition = self._repetition
        segment: Segment = {}
        if repetition and repetition in text:
            for key, part in zip(KEYS, parts[1:], strict=False):
                if part:
                    repeated = [one.split(component) for one in part.split(repetition)]
                    segment[key] = repeated[0]
                    if len(repeated) > 1:
                        segment[f"{key}[]"] = repeated
        else:
            segment = {key: part.split(component) for key, part in zip(KEYS, parts[1:], strict=False) if part}
        if nesting:
            segment["00"] = nesting
        if " " in text or not text.isascii():
            segment = {key: self._show(value) for key, value in segment.items()}
        return name, segment

    def _show(self, value: list[Any]) -> list[Any]:
        """Return components with released characters back in place, without the padding at their ends."""
        return [one.rstrip(" ").translate(self._shown) if isinstance(one, str) else self._show(one) for one in value]

    def text(self, segment: Segment, key: str) -> str:
        found = segment.get(key)
        return str(found[0]) if found else ""

    def message_type(self, opening: Segment) -> str:
        return self.text(opening, "02")

    def document(self, group: Segment | None, opening: Segment | None) -> dict[str, Any]:
        unb, ung, unh = self.opening, group or {}, opening or {}
        sender, receiver, message = self.text(unb, "02"), self.text(unb, "03"), self.text(unh, "01")
        names = [sender, receiver, self.number]
        if group is not None:
            names.append(self.text(ung, "05"))
        if opening is not None:
            names.append(message)
        kind = unh.get("02", [""])
        envelope = {
            "id": "/".join(names),
            "sender": sender,
            "receiver": receiver,
            "interchange": self.number,
            "group": self.text(ung, "05"),
            "message": message,
            "type": kind[0],
            "version": "".join(kind[1:3]),
            "test": self.text(unb, "11") == "1",
            "decimal": self._marks.decimal,
        }
        return {"envelope": envelope, "unb": unb, "ung": ung}
