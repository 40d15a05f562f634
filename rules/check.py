"""What `tower rules check` says about a folder: problems, warnings and what the book holds, as lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rules.errors import RulebookError
from rules.model import Book
from rules.parse import load_book


@dataclass(frozen=True, slots=True)
class Checked:
    """Problems mean that the book cannot be used; book is None then. Warnings do not."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    book: Book | None = None

    @property
    def ok(self) -> bool:
        """Whether the book can be used."""
        return self.book is not None


def check_folder(folder: Path) -> Checked:
    """Return what is wrong with the book in a folder, one line each, in the order of the files."""
    try:
        book = load_book(folder)
    except RulebookError as error:
        return Checked(problems=tuple(str(problem) for problem in error.problems))
    return Checked(warnings=(*map(str, book.warnings), *without_examples(book)), book=book)


def without_examples(book: Book) -> tuple[str, ...]:
    """Return a line for each stage that lacks an example that breaches or one that does not."""
    lines = []
    for stage in book.stages:
        own = [e for e in book.examples if e.expect["rule"] == stage.id]
        found = any(e.expect["findings"] for e in own)
        quiet = any(not e.expect["findings"] for e in own)
        if not (found and quiet):
            missing = (
                "an example" if not own else "an example that breaches" if not found else "one that does not breach"
            )
            lines.append(f"{stage.where}: stages[{stage.id}]: has not got {missing}")
    return tuple(lines)


def summary(book: Book) -> str:
    """Return one line that counts the parts of a book."""
    parts = ("milestones", "calendars", "stages", "findings", "feeds", "priorities", "actions", "examples")
    counts = ", ".join(f"{len(getattr(book, part))} {part}" for part in parts if getattr(book, part))
    return f"{counts} ({book.hash[:12]})"
