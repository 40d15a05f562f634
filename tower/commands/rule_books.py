"""Rulebooks that a command line names: a folder, a file, or a version that a tower once had in force."""

from __future__ import annotations

from pathlib import Path

from rules.errors import RulebookError
from rules.model import Book
from rules.parse import load_book, parse_book
from tower.commands.plainly import Stop

IN_FORCE = "in-force"


def on_disk(name: str) -> Book | None:
    """Return the book in a folder or a file; None when there is neither, and the name is a version's.

    Raises RulebookError, and Stop for a file that cannot be read.
    """
    path = Path(name)
    if path.is_dir():
        return load_book(path)
    if not path.is_file():
        return None
    try:
        return parse_book({path.name: path.read_text(encoding="utf-8")})
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{path}: cannot be read ({error})") from error


def version(name: str, versions: list[tuple[str, dict[str, str]]]) -> Book:
    """Return the one recorded book whose hash begins like that. versions: hash and files, the latest last."""
    fits = [files for h, files in dict(versions).items() if h.startswith(name)]
    if name == IN_FORCE and versions:
        fits = [versions[-1][1]]
    if len(fits) != 1:
        known = ", ".join(h[:12] for h, _ in versions[-8:]) or "none"
        many = "several versions begin like" if fits else "there is no folder, file or recorded version"
        raise Stop(f"{many} {name!r}; versions on record: {known}; the last of them is also called {IN_FORCE}")
    try:
        return parse_book(fits[0])
    except RulebookError as error:
        raise Stop(f"version {name} was written for another release and cannot be read: {error.problems[0]}") from error
