"""CSV and its relatives: a delimiter, quotes, names in the first line or declared."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from collector.decoders.charset import check_encoding, text_of
from collector.decoders.options import known, names
from collector.decoders.records import ANY, Book, Record, Row, record_of
from collector.decoders.unit import Undecodable, Unit

_MAX_COLUMNS = 1000


def check(spec: Mapping[str, Any]) -> None:
    """Raise ValueError for a wrong block."""
    known(spec, "delimiter", "quote", "encoding", "header", "columns", "type", "records", "key", "totals")
    check_encoding(spec)
    _Dialect(spec)


def decode(spec: Mapping[str, Any], body: bytes) -> Iterator[Unit]:
    """Yield each row. Raises Undecodable before the first."""
    yield from _Dialect(spec).units(text_of(body, spec.get("encoding", "utf-8")))


class _Dialect:
    """How one kind of file is written. Raises ValueError."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        self._delimiter = _mark(spec, "delimiter", ",")
        self._quote = _mark(spec, "quote", '"') if spec.get("quote", "") is not None else None
        self._columns = tuple(names(spec, "columns"))
        self._key = tuple(names(spec, "key"))
        self._header = spec.get("header", "records" not in spec)
        self._at = spec.get("type", 1) - 1 if isinstance(spec.get("type", 1), int) else -1
        if not isinstance(self._header, bool):
            raise ValueError("decode: header is true or false; declare names as columns")
        if "records" in spec:
            if self._columns or self._header:
                raise ValueError("decode: with records, each type has its own columns and the file no line of names")
            if self._at < 0:
                raise ValueError("decode: type must be the number of the column that tells the record type, from 1")
            given = spec["records"]
            if not isinstance(given, list) or not given:
                raise ValueError("decode: records must be a list of record types")
            self._book = Book(spec, [_record(entry) for entry in given])
        else:
            if not self._header and not self._columns:
                raise ValueError("decode: without a header, columns must name the columns")
            if "type" in spec or "totals" in spec:
                raise ValueError("decode: type and totals need records")
            self._book = Book(spec, [Record(ANY, "row", "", self._columns)])

    def units(self, text: str) -> Iterator[Unit]:
        """Yield each row of a file."""
        if "\n" not in text:
            text = text.replace("\x85", "\n")  # the line end of EBCDIC
        if not text.strip():
            raise Undecodable("the file is empty", "line 1")
        if "records" in self._spec:
            yield from self._book.units(lambda: self._typed(text))
            return
        columns, note = self._named(text) if self._header else (self._columns, "")
        record = Record(ANY, "row", "", columns)
        found = Book(self._spec, [record]).units(lambda: self._plain(text, record))
        for unit in found:
            yield unit._replace(notes=(note,)) if note else unit
            note = ""

    def _rows(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, fields); lines without any are left out."""
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=self._delimiter,
            quotechar=self._quote,
            quoting=csv.QUOTE_MINIMAL if self._quote else csv.QUOTE_NONE,
            strict=True,
        )
        try:
            for fields in reader:
                if len(fields) > _MAX_COLUMNS:
                    raise Undecodable(f"a row has more than {_MAX_COLUMNS} columns", f"line {reader.line_num}")
                if any(fields):
                    yield reader.line_num, fields
        except csv.Error as error:
            raise Undecodable(f"this is no CSV as declared: {error}", f"line {reader.line_num}") from None

    def _named(self, text: str) -> tuple[tuple[str, ...], str]:
        """Return the names in the first line, and a note of those not declared. Raises Undecodable."""
        line, fields = next(self._rows(text), (1, []))
        columns = tuple(field.strip() for field in fields)
        while columns and not columns[-1]:
            columns = columns[:-1]  # a delimiter at the end of the line
        if not columns or "" in columns or len(set(columns)) < len(columns):
            raise Undecodable("the header names a column twice or not at all", f"line {line}")
        new = [name for name in columns if name not in self._columns] if self._columns else []
        if missing := [name for name in self._columns or self._key if name not in columns]:
            others = f"; it has {', '.join(new)}, which is not declared" if new else ""
            raise Undecodable(f"the header has no column {', '.join(missing)}{others}", f"line {line}")
        return columns, f"the header has a new column {', '.join(new)}" if new else ""

    def _plain(self, text: str, record: Record) -> Iterator[Row]:
        rows = self._rows(text)
        if self._header:
            next(rows)
        for line, fields in rows:
            yield _row(line, record, fields)

    def _typed(self, text: str) -> Iterator[Row]:
        records, at = self._book.records, self._at
        foreign = True  # until a record of a known type says that the file is one of these
        for line, fields in self._rows(text):
            name = fields[at].strip() if at < len(fields) else ""
            record = records.get(name) or records.get(ANY)
            if record is None:
                detail = f"no record type is declared for {name[:40]!r}"
                raise Undecodable(detail, f"line {line}", foreign=foreign)
            foreign = False
            yield _row(line, record, fields)


def _row(line: int, record: Record, fields: list[str]) -> Row:
    columns = record.columns
    if len(fields) != len(columns):
        while len(fields) > len(columns) and not fields[-1]:
            fields.pop()
        if len(fields) != len(columns):
            raise Undecodable(f"it has {len(fields)} fields, {len(columns)} are expected", f"line {line}")
    return Row(line, record, fields)


def _record(entry: object) -> Record:
    columns = tuple(names(entry, "columns")) if isinstance(entry, Mapping) else ()
    record = record_of(entry, "columns", columns)
    if not columns:
        raise ValueError(f"decode: records: {record.type} has no columns")
    return record


def _mark(spec: Mapping[str, Any], key: str, otherwise: str) -> str:
    mark = spec.get(key, otherwise)
    if not isinstance(mark, str) or len(mark) != 1 or mark in "\r\n" or mark.isalnum():
        raise ValueError(f"decode: {key} is {mark!r}; write one character, such as {otherwise!r}")
    return mark
