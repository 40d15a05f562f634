"""A folder of YAML files becomes a Book, or an error that names every problem in it.

load_book reads the files, rules.document joins them, rules.read makes values of each part, rules.lint looks up every
name and asks whether the rules can work.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from rules.document import Document, read_files
from rules.errors import Problem, RulebookError
from rules.lint import lint
from rules.model import Book
from rules.read.actions import read_actions
from rules.read.calendars import read_calendars
from rules.read.examples import read_examples
from rules.read.feeds import read_feeds
from rules.read.findings import read_findings
from rules.read.policy import read_errors
from rules.read.process import read_milestones, read_process
from rules.read.routes import read_inhibitions, read_receivers, read_routes
from rules.read.stages import read_stages
from rules.read.subscriptions import read_subscriptions
from rules.read.targets import read_targets
from rules.read.value import read_priorities, read_score, read_value
from rules.section import Section

SHIPPED = Path(__file__).parent / "book"
_ENDINGS = (".yaml", ".yml")


def load_book(folder: Path) -> Book:
    """Return the book that the YAML files of a folder form. Raises RulebookError with every problem."""
    try:
        names = sorted(f for f in folder.iterdir() if f.suffix in _ENDINGS and f.is_file())
    except OSError as error:
        raise _unreadable(folder, f"the rulebook folder cannot be read ({error.strerror})") from error
    if not names:
        raise _unreadable(folder, "the rulebook folder holds no .yaml file")
    files = {}
    for file in names:
        try:
            files[file.name] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RulebookError(
                [Problem(f"cannot be read ({error})", "save it as UTF-8 text", "", file.name, 1)]
            ) from error
    return parse_book(files)


def _unreadable(folder: Path, problem: str) -> RulebookError:
    return RulebookError(
        [Problem(problem, "TOWER_BOOK names a folder with the YAML files of a book", "", str(folder), 0)]
    )


def parse_book(files: Mapping[str, str]) -> Book:
    """Return the book that the files (name to YAML text) form. Raises RulebookError with every problem."""
    return _parsed(tuple(sorted(files.items())))


@lru_cache(maxsize=16)
def _parsed(texts: tuple[tuple[str, str], ...]) -> Book:
    """Parse; the same text is asked for at start and by the engine, and again for what an old verdict stood on."""
    files = dict(texts)
    document = read_files(files)
    if document.problems:  # half a file would only bring follow-up problems
        raise RulebookError(document.problems)
    book = _read(document, files)
    warnings = lint(book, document)
    if document.problems:
        raise RulebookError(sorted(set(document.problems), key=lambda p: (p.file, p.line, p.key)))
    return _finish(book, warnings)


def _read(document: Document, files: Mapping[str, str]) -> Book:
    top = Section(document, (), document.value, "book")
    milestones = read_milestones(top)
    return Book(
        hash="",
        process=read_process(top, milestones),
        milestones=milestones,
        calendars=read_calendars(top),
        stages=read_stages(top),
        findings=read_findings(top),
        feeds=read_feeds(top),
        priorities=read_priorities(top),
        targets=read_targets(top),
        errors=read_errors(top),
        actions=read_actions(top),
        value=read_value(top),
        score=read_score(top),
        examples=read_examples(top),
        routes=read_routes(top),
        receivers=read_receivers(top),
        inhibitions=read_inhibitions(top),
        subscriptions=read_subscriptions(top),
        text=dict(files),
    )


def _finish(book: Book, warnings: tuple[Problem, ...]) -> Book:
    """Return the book with its hash: of its text and of the dates its calendars resolve to."""
    keys = sorted(calendar.key for calendar in book.calendars.values())
    digest = hashlib.sha256(json.dumps([book.text, keys], sort_keys=True).encode()).hexdigest()
    return replace(book, hash=digest, warnings=warnings)
