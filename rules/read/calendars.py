"""calendars: names for opening hours; the hours themselves are read by rules.hours."""

from __future__ import annotations

from rules.calendar import Calendar
from rules.errors import RulebookError
from rules.section import Section


def read_calendars(book: Section) -> dict[str, Calendar]:
    """Return the calendars by name."""
    found = {}
    for name, path, value in book.named("calendars"):
        try:
            found[name] = Calendar.from_config(value, name=name)
        except RulebookError as error:
            for problem in error.problems:
                steps = _steps(value, problem.key)
                book.document.report((*path, *steps), problem.problem, problem.hint)
    return found


def _steps(value: object, key: str) -> tuple[str, ...]:
    """Split 'open.mon-fri' where the mapping does: its first part is a key of the calendar."""
    head, _, rest = key.partition(".")
    return () if not key else (head, rest) if rest and isinstance(value, dict) else (head,)
