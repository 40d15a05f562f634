"""A stretch of the audit as a file, for people who keep books: every row with its hashes, so that it proves itself.

CSV opens in a spreadsheet, so a text that would be read as a formula gets an apostrophe in front, and so does one that
begins with an apostrophe: taking one away gives the text back, and with it the hash.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from tower.store.audit import COLUMNS, Audit, chain_hash
from tower.store.sql import load

FORMATS = ("csv", "ndjson")
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)


class FileError(ValueError):
    """The file is no export of an audit; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a file holds: rows from first to last without a gap, and the hash of the last one."""

    rows: int
    first: int
    last: int
    head: str


def export(audit: Audit, since: datetime | None, until: datetime | None, form: str) -> Iterator[str]:
    """Yield the file's lines: the rows from the first one at or after `since` to the last one before `until`."""
    with audit.store.reader() as client:
        values = {"since": since or _EARLIEST, "until": until or _LATEST}
        first, last = client.query(load("audit_stretch"), parameters=values).result_rows[0]
    if form == "csv":
        yield _csv(COLUMNS)
    if first is None or last is None or last < first:
        return
    for row in audit.rows(first - 1, last):
        texts = [_text(value) for value in row]
        if form == "csv":
            yield _csv([safe(text) for text in texts])
        else:
            yield msgspec.json.encode({**dict(zip(COLUMNS, texts, strict=True)), "seq": row[0]}).decode() + "\n"


def verify_file(file: TextIO) -> Stretch:
    """Return what the file holds. Raises FileError at the first row that was changed, removed, added or moved."""
    stretch: Stretch | None = None
    for number, row in enumerate(_read(file), start=1):
        try:
            values = [int(row["seq"]), datetime.fromisoformat(row["at"]), *(row[n] for n in COLUMNS[2:7])]
            previous, said = row["previous"], row["hash"]
        except (KeyError, ValueError, TypeError) as error:
            raise FileError(f"row {number} of the file is no row of an audit ({error})") from error
        seq = values[0]
        if stretch is not None and seq != stretch.last + 1:
            raise FileError(f"after row {stretch.last} of the audit comes {seq}: rows are missing, doubled or moved")
        before = stretch.head if stretch is not None else previous
        if previous != before or said != chain_hash(previous, values) or (seq == 1 and previous):
            raise FileError(f"row {seq} of the audit was changed, or is not the one that followed")
        stretch = Stretch(number, stretch.first if stretch else seq, seq, said)
    if stretch is None:
        raise FileError("the file holds no row of an audit")
    return stretch


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text


def _unsafe(text: str) -> str:
    return text[1:] if text.startswith("'") else text


def _read(file: TextIO) -> Iterator[dict[str, Any]]:
    head = file.readline()
    if not head:
        return
    if head.lstrip().startswith("{"):
        for line in (head, *file):
            try:
                yield msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.DecodeError as error:
                raise FileError(f"a line is no JSON ({error})") from error
        return
    if head.strip().removeprefix("\ufeff").split(",") != COLUMNS:
        raise FileError(f"the first line is neither JSON nor the head {','.join(COLUMNS)}")
    for row in csv.DictReader(file, COLUMNS):
        yield {name: _unsafe(text) if isinstance(text, str) else text for name, text in row.items()}


def _text(value: Any) -> str:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)


def _csv(values: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()
