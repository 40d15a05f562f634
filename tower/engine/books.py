"""Rulebooks in the store: which came into force when, with their calendars."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from rules.calendar_index import CalendarIndex
from rules.compile import Compiled, compile_book
from rules.compile.deadlines import used_calendars
from rules.errors import RulebookError
from rules.model import Book
from rules.parse import parse_book
from tower.store.client import Store


def folder_state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when a rulebook folder changes: name, size and time of each file."""
    files = sorted(folder.glob("*.y*ml"))
    return tuple((f.name, s.st_size, s.st_mtime_ns) for f in files for s in (f.stat(),))


def record_calendars(client: Client, book: Book) -> None:
    """Store the day arrays of the calendars that the book's stages and figures use; those already there stay."""
    wanted = {c.key: c for c in used_calendars(book).values()}
    if book.value.calendar:
        told_in = book.calendars[book.value.calendar]
        wanted.setdefault(told_in.key, told_in)
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


def book_known_at(store: Store, known_at: datetime) -> Book | None:
    """Return the rulebook that was in force at a moment; before the first one, the first; None if there is none."""
    with store.reader() as client:
        rows = client.query("SELECT loaded_at, text FROM books ORDER BY loaded_at").result_rows
    if not rows:
        return None
    _, text = next((row for row in reversed(rows) if row[0] <= known_at), rows[0])
    return parse_book(json.loads(text))


def recorded(store: Store) -> list[tuple[str, dict[str, str]]]:
    """Return hash and files of every rulebook that was in force, the present one last."""
    with store.reader() as client:
        rows = client.query("SELECT hash, text FROM books ORDER BY loaded_at").result_rows
    return [(str(h), json.loads(text)) for h, text in rows]


def book_of(client: Client, book_hash: str) -> Book | None:
    """Return the recorded rulebook with that hash; None when it is not on record, or cannot be read any more."""
    rows = client.query(
        "SELECT text FROM books WHERE hash = {hash:String} LIMIT 1", parameters={"hash": book_hash}
    ).result_rows
    try:
        return parse_book(json.loads(rows[0][0])) if rows else None
    except RulebookError:
        return None


_COMPILED: dict[tuple[str, frozenset[str] | None], Compiled] = {}


def compiled_for(book: Book, kinds: frozenset[str] | None) -> Compiled:
    """Return the book as SQL; compiling the same book again costs nothing."""
    key = (book.hash, kinds)
    if key not in _COMPILED:
        _COMPILED[key] = compile_book(book, kinds)
    return _COMPILED[key]
