"""Rulebooks in the store: which came into force when, with their calendars."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from rules.calendar import CalendarIndex
from rules.compile import Compiled, compile_book
from rules.compile.deadlines import used_calendars
from rules.model import Book
from rules.parse import parse_book


def folder_state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when a rulebook folder changes: name, size and time of each file."""
    files = sorted(folder.glob("*.y*ml"))
    return tuple((f.name, s.st_size, s.st_mtime_ns) for f in files for s in (f.stat(),))


def record_calendars(client: Client, book: Book) -> None:
    """Store the day arrays of the calendars that the book's stages use; those already there stay."""
    wanted = {c.key: c for c in used_calendars(book).values()}
    known = {row[0] for row in client.query("SELECT DISTINCT calendar FROM calendar_index").result_rows}
    names = [f.name for f in fields(CalendarIndex)]
    for key in sorted(set(wanted) - known):
        index = wanted[key].index()
        client.insert("calendar_index", [[getattr(index, name) for name in names]], column_names=names)


def record_book(client: Client, compiled: Compiled, now: datetime) -> bool:
    """Note that this book is in force from now on; True if that is news and every order must be judged again."""
    record_calendars(client, compiled.book)
    kinds = sorted(compiled.kinds or ())
    rows = client.query("SELECT hash, kinds FROM books ORDER BY loaded_at DESC LIMIT 1").result_rows
    if rows and rows[0][0] == compiled.book.hash and list(rows[0][1]) == kinds:
        return False
    client.insert(
        "books",
        [[compiled.book.hash, kinds, now, json.dumps(compiled.book.text, sort_keys=True)]],
        column_names=["hash", "kinds", "loaded_at", "text"],
    )
    return True


def book_known_at(client: Client, compiled: Compiled, known_at: datetime) -> Compiled:
    """Return the rulebook that was in force at a moment; before the first one, the first."""
    rows = client.query(
        "SELECT hash, kinds, text FROM books ORDER BY loaded_at <= {at:DateTime64(3, 'UTC')} DESC, "
        "if(loaded_at <= {at:DateTime64(3, 'UTC')}, -toUnixTimestamp64Milli(loaded_at), toUnixTimestamp64Milli(loaded_at)) LIMIT 1",
        parameters={"at": known_at},
    ).result_rows
    if not rows or rows[0][0] == compiled.book.hash:
        return compiled
    kinds = frozenset(rows[0][1]) if compiled.kinds is not None else None
    return compile_book(parse_book(json.loads(rows[0][2])), kinds)
