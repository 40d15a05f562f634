"""Fixed-width files: each field has a place, each record type a layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from collector.decoders.charset import check_encoding, text_of
from collector.decoders.options import known
from collector.decoders.records import ANY, Book, Row, record_of
from collector.decoders.unit import Undecodable, Unit

_MAX_WIDTH = 32_768


def check(spec: Mapping[str, Any]) -> None:
    """Raise ValueError for a wrong block."""
    known(spec, "encoding", "width", "type", "records", "key", "totals")
    check_encoding(spec)
    _Layout(spec)


def decode(spec: Mapping[str, Any], body: bytes) -> Iterator[Unit]:
    """Yield each row. Raises Undecodable before the first."""
    yield from _Layout(spec).units(text_of(body, spec.get("encoding", "utf-8")))


class _Field(NamedTuple):
    """Where a field stands: from start up to end, in characters from 0."""

    name: str
    start: int
    end: int


class _Layout:
    """How one kind of file is laid out. Raises ValueError."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        given = spec.get("records")
        if not isinstance(given, list) or not given:
            raise ValueError("decode: records must be a list of record types")
        fields = [_fields(entry) for entry in given]
        records = [
            record_of(entry, "fields", tuple(field.name for field in place))
            for entry, place in zip(given, fields, strict=True)
        ]
        self._book = Book(spec, records)
        self._fields = {record.type: place for record, place in zip(records, fields, strict=True)}
        self._width = spec.get("width", 0)
        if not _whole(self._width, 0):
            raise ValueError(f"decode: width is {self._width!r}; write the length of a record in characters")
        self._type = _field({"field": "type", **spec["type"]}) if isinstance(spec.get("type"), Mapping) else None
        if self._type is None and self._fields.keys() != {ANY}:
            raise ValueError("decode: type must say where the record type stands, such as {start: 1, length: 1}")
        ends = [field.end for place in fields for field in place]
        if self._width and max(ends) > self._width:
            raise ValueError(f"decode: a field ends at {max(ends)}, beyond the width {self._width}")

    def units(self, text: str) -> Iterator[Unit]:
        """Yield each row of a file."""
        if not text.strip():
            raise Undecodable("the file is empty", "line 1")
        return self._book.units(lambda: self._rows(text))

    def _rows(self, text: str) -> Iterator[Row]:
        records, place = self._book.records, self._type
        foreign = True  # until a record of a known type says that the file is one of these
        for line, content in self._lines(text):
            if not content.strip():
                continue
            name = content[place.start : place.end].strip() if place else ANY
            record = records.get(name) or records.get(ANY)
            if record is None:
                raise Undecodable(f"no record type is declared for {name!r}", f"line {line}", foreign=foreign)
            foreign = False
            yield Row(line, record, [content[field.start : field.end] for field in self._fields[record.type]])

    def _lines(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield (number, content) of each record."""
        width = self._width
        mark = next((mark for mark in ("\r\n", "\n", "\x85", "\r") if mark in text), "")
        if not mark and width:
            if len(text) % width:
                raise Undecodable(f"its {len(text)} characters are no whole number of records of {width}", "the end")
            for number in range(len(text) // width):
                yield number + 1, text[number * width : (number + 1) * width]
            return
        for number, line in enumerate(text.split(mark) if mark else [text], 1):
            if width and len(line.rstrip()) > width:
                raise Undecodable(f"it has {len(line.rstrip())} characters, a record has {width}", f"line {number}")
            yield number, line


def _fields(entry: object) -> list[_Field]:
    given = entry.get("fields") if isinstance(entry, Mapping) else None
    if not isinstance(given, list) or not given:
        raise ValueError("decode: each record needs fields, such as [{field: order, start: 2, length: 10}]")
    return [_field(place) for place in given]


def _field(place: object) -> _Field:
    if not isinstance(place, Mapping) or place.keys() != {"field", "start", "length"}:
        raise ValueError(f"decode: a field is {place!r}; write {{field: order, start: 2, length: 10}}")
    name, start, length = place["field"], place["start"], place["length"]
    if not isinstance(name, str) or not name or not _whole(start, 1) or not _whole(length, 1):
        raise ValueError(f"decode: field {name!r} needs a start from 1 and a length")
    return _Field(name, start - 1, start - 1 + length)


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MAX_WIDTH
