"""Rows of a batch file to documents: record types, what each row belongs to, and the control totals of the file.

A file is read twice, first to check all of it, then to give its rows: it is taken whole or not at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Context, Decimal
from typing import Any, NamedTuple

from collector.decoders.options import known, names
from collector.decoders.unit import ControlTotal, Undecodable, Unit

ANY = "*"
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")
_EXACT = Context(prec=100)
_ROLES = ("row", "context", "header", "trailer")


class Record(NamedTuple):
    """One type of record. type is what the discriminator holds, * for whatever no other type claims."""

    type: str
    role: str
    under: str
    columns: tuple[str, ...]


class Row(NamedTuple):
    """One record of a file: as many fields as its type has columns."""

    line: int
    record: Record
    fields: list[str]

    def values(self) -> dict[str, str]:
        """Return the fields by name, without the space around them."""
        return {name: field.strip() for name, field in zip(self.record.columns, self.fields, strict=True)}


class _Total(NamedTuple):
    """A control total: a field of the trailer or header, and the column it sums, '' if it counts."""

    field: str
    of: frozenset[str]
    column: str
    decimal: str
    places: int


class Book:
    """The records of one kind of file. Raises ValueError for a block that contradicts itself."""

    def __init__(self, spec: Mapping[str, Any], records: list[Record]) -> None:
        self.records = {record.type: record for record in records}
        if len(self.records) < len(records):
            raise ValueError("decode: records has a type twice")
        self._above: dict[str, tuple[str, ...]] = {}
        for record in records:
            if record.under and record.under not in self._above:
                raise ValueError(f"decode: records: {record.type} is under {record.under}, which is not before it")
            self._above[record.type] = (*self._above.get(record.under, ()), record.under) if record.under else ()
            if len(set(record.columns)) < len(record.columns):
                raise ValueError(f"decode: records: {record.type} has a column twice")
        enclosing = [record for record in records if record.role in ("header", "trailer")]
        if len({record.role for record in enclosing}) < len(enclosing):
            raise ValueError("decode: records has more than one header or trailer")
        self._roles = {record.role for record in enclosing}
        self._parents = {record.under for record in records if record.under}
        self._key = names(spec, "key")
        for record in records:
            around = set(record.columns).union(*(self.records[above].columns for above in self._above[record.type]))
            lacking = [name for name in self._key if name not in around]
            if lacking and record.role == "row" and record.columns:
                raise ValueError(f"decode: key names {lacking[0]}, which record {record.type} does not have")
        given = spec.get("totals", [])
        if not isinstance(given, list) or not all(isinstance(entry, Mapping) for entry in given):
            raise ValueError("decode: totals must be a list, such as [{field: rows, of: L}]")
        columns = {column for record in enclosing for column in record.columns}
        self._totals = [self._total(entry, columns) for entry in given]

    def _total(self, entry: Mapping[str, Any], columns: set[str]) -> _Total:
        known({"format": "a total", **entry}, "field", "of", "sum", "decimal", "places")
        field, column = entry.get("field", ""), entry.get("sum", "")
        if field not in columns:
            raise ValueError(f"decode: totals: {field!r} is no column of a header or trailer")
        of = entry.get("of", [])
        listed = [of] if isinstance(of, str) else names(entry, "of")
        if not listed or not all(name in self.records for name in listed):
            raise ValueError(f"decode: totals: {field} must name the record types that it counts or sums")
        if column and not all(column in self.records[name].columns for name in listed):
            raise ValueError(f"decode: totals: {field} sums {column!r}, which not all of {', '.join(listed)} have")
        decimal, places = entry.get("decimal", "."), entry.get("places", 0)
        if decimal not in (".", ",") or not isinstance(places, int) or not 0 <= places <= 9:
            raise ValueError("decode: totals: decimal is '.' or ',', and places, the implied ones, 0 to 9")
        return _Total(field, frozenset(listed), column, decimal, places)

    def units(self, read: Callable[[], Iterator[Row]]) -> Iterator[Unit]:
        """Yield each row, after the whole file has proved sound. Raises Undecodable."""
        ends = self._check(read())
        for row, up in self._walk(read()):
            values = row.values()
            document: dict[str, Any] = {"type": row.record.type, "line": row.line, "row": values, "up": up, **ends}
            if self._key:
                document["key"] = self._key_of(values, up, row.line)
            yield Unit(document, f"line {row.line}")

    def _check(self, rows: Iterator[Row]) -> dict[str, dict[str, str]]:
        """Return the header and trailer of a file in which everything is as declared. Raises Undecodable."""
        tally = _Tally(self._totals)
        for row, up in self._walk(tally.watch(rows) if self._roles else rows):
            if self._key:
                self._key_of(row.values(), up, row.line)
        tally.settle()
        return tally.ends

    def _walk(self, rows: Iterator[Row]) -> Iterator[tuple[Row, dict[str, dict[str, str]]]]:
        """Yield each row that stands for itself with the records it is under. Raises Undecodable."""
        last: dict[str, dict[str, str]] = {}
        ends: set[str] = set()
        begun = False
        nothing: dict[str, dict[str, str]] = {}
        for row in rows:
            line, record, _ = row
            if ends and "trailer" in ends:
                raise Undecodable("a record follows the trailer", f"line {line}")
            if record.role in ("header", "trailer"):
                if record.role == "header" and (begun or ends):
                    raise Undecodable("a header record is not the first", f"line {line}")
                ends.add(record.role)
                continue
            begun = True
            up = nothing
            if above := self._above[record.type]:
                if above[-1] not in last:
                    raise Undecodable(f"a record {record.type} is under no record {above[-1]}", f"line {line}")
                up = {name: last[name] for name in above}
            if record.type in self._parents:
                last = {name: values for name, values in last.items() if record.type not in self._above[name]}
                last[record.type] = row.values()
            if record.role == "row":
                yield row, up
        if "header" in self._roles - ends:
            raise ControlTotal("the file has no header; it may be cut", "line 1")
        if "trailer" in self._roles - ends:
            raise ControlTotal("the file has no trailer; it may be cut", "the end")

    def _key_of(self, values: dict[str, str], up: dict[str, dict[str, str]], line: int) -> str:
        """Return the natural key. Raises Undecodable if a part of it is empty."""
        parts = []
        for name in self._key:
            part = values.get(name) or next((above[name] for above in reversed(up.values()) if above.get(name)), "")
            if not part:
                raise Undecodable(f"the key {name} is empty", f"line {line}")
            parts.append(part.replace("/", "//"))
        return "/".join(parts)


class _Tally:
    """What one file says of itself, and what it holds."""

    def __init__(self, totals: list[_Total]) -> None:
        self.ends: dict[str, dict[str, str]] = {"header": {}, "trailer": {}}
        self._totals = totals
        self._counts: Counter[str] = Counter()
        self._sums = [Decimal(0) for _ in totals]

    def watch(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield the rows, adding them up. Raises Undecodable for an amount that is none."""
        summing = [(at, total) for at, total in enumerate(self._totals) if total.column]
        for row in rows:
            record = row.record
            self._counts[record.type] += 1
            if record.role in self.ends:
                self.ends[record.role] = row.values()
            for at, total in summing:
                if record.type in total.of:
                    text = row.fields[record.columns.index(total.column)]
                    amount = _number(text, total.decimal, total.places, f"line {row.line}")
                    self._sums[at] = _EXACT.add(self._sums[at], amount)
            yield row

    def settle(self) -> None:
        """Raise ControlTotal if the file does not hold what it says."""
        for total, summed in zip(self._totals, self._sums, strict=True):
            position = f"total {total.field}"
            stated = self.ends["trailer"].get(total.field) or self.ends["header"].get(total.field, "")
            if not stated:
                raise ControlTotal(f"the file does not say its {total.field}", position)
            if total.column:
                actual, what = summed, f"its {total.column} sums to {summed}"
                said = _number(stated, total.decimal, total.places, position)
            else:
                actual = Decimal(sum(self._counts[name] for name in total.of))
                said, what = _number(stated, total.decimal, 0, position), f"it has {actual}"
            if said != actual:
                raise ControlTotal(f"the file says {total.field} is {stated}, {what}", position)


def record_of(entry: object, key: str, columns: tuple[str, ...]) -> Record:
    """Return one declared record type. key is what its columns are called. Raises ValueError."""
    if not isinstance(entry, Mapping):
        raise ValueError("decode: records must be a list of record types")
    name = entry.get("type", ANY)
    known({"format": f"record {name}", **entry}, "type", "role", "under", key)
    role, under = entry.get("role", "row"), entry.get("under", "")
    if not isinstance(name, str) or not isinstance(under, str):
        raise ValueError(f"decode: records: type {name!r} must be a text; put it in quotes")
    if role not in _ROLES:
        raise ValueError(f"decode: records: role of {name} is {role!r}; write {' or '.join(_ROLES)}")
    return Record(name, role, under, columns)


def _number(text: str, decimal: str, places: int, position: str) -> Decimal:
    """Return an amount as the file writes it, a sign behind it too. Raises Undecodable."""
    bare = text.replace(" ", "").replace("." if decimal == "," else ",", "").replace(",", ".")
    if bare.endswith("-"):
        bare = f"-{bare[:-1]}"
    if not _NUMBER.fullmatch(bare):
        raise Undecodable(f"{text[:40]!r} is no number", position)
    return Decimal(bare).scaleb(-places, _EXACT)
