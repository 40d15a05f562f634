"""One mapping of a rulebook, read strictly: what is missing, unknown or of the wrong form is reported, not raised.

A reader asks for each key with the type it needs and gets a usable value either way, so that one pass over a book
finds every problem in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.document import Document, Path
from rules.duration import HINT as DURATION_HINT
from rules.duration import parse_duration
from rules.errors import closest
from rules.keys import KEYS
from rules.match import OF_ORDERS, Words, parse_when
from rules.model import When

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_REFERRED = ("calendars", "targets", "receivers")  # mappings whose names are ids
IDENTIFIER_HINT = "use letters, digits, dots, - and _, at most 80"


def is_identifier(text: str) -> bool:
    """Return whether a text can be an id or a name that others refer to."""
    return _IDENTIFIER.fullmatch(text) is not None


class Section:
    """The mapping at a path of a document; `part` names its keys in `keys`, for a rulebook rules.keys.KEYS."""

    def __init__(
        self, document: Document, path: Path, value: Any, part: str, keys: Mapping[str, Sequence[str]] = KEYS
    ) -> None:
        self.document, self.path, self.part, self.keys = document, path, part, keys
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.report(None, f"{shown(value)} is no mapping", f"known keys are {', '.join(keys[part])}")
        for key in self.value:
            if key not in keys[part]:
                self.report(key, "unknown key", closest(key, keys[part]))

    @property
    def where(self) -> str:
        """'file:line' of the mapping."""
        file, line = self.document.place(self.path)
        return f"{file}:{line}"

    def report(self, key: str | None, problem: str, hint: str = "") -> None:
        """Note a problem at a key, or at the mapping itself."""
        self.document.report((*self.path, key) if key is not None else self.path, problem, hint)

    def has(self, key: str) -> bool:
        """Return whether the key is written with a value."""
        return self.value.get(key) is not None

    def raw(self, key: str) -> Any:
        """Return the value as written, or None."""
        assert key in self.keys[self.part], f"{key} is missing from the keys of {self.part}"
        return self.value.get(key)

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a text; numbers count as text."""
        value = self.raw(key)
        if value is None:
            if required:
                self.report(key, f"{key} is missing", f"every {self.part.split()[0]} needs it")
            return default
        if isinstance(value, bool | dict | list):
            self.report(key, f"{shown(value)} is no text", f"write {key}: some-text")
            return default
        return str(value)

    def identifier(self, key: str) -> str:
        """Return an id: it appears in SQL comments, URLs and file names, so it is plain."""
        value = self.text(key, required=True)
        if value and not is_identifier(value):
            self.report(key, f"{value!r} is no {key}", IDENTIFIER_HINT)
        return value

    def choice(self, key: str, allowed: Sequence[str], default: str = "", *, required: bool = False) -> str:
        """Return one of a few words."""
        value = self.text(key, default, required=required)
        if self.has(key) and value not in allowed:
            self.report(key, f"{value!r} is not allowed", closest(value, allowed))
            return default
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """Return a list of texts; a single one may stand alone."""
        value = self.raw(key)
        if value is None:
            if required:
                self.report(key, f"{key} is missing", f"every {self.part.split()[0]} needs it")
            return ()
        items = value if isinstance(value, list) else [value]
        if any(item is None or isinstance(item, bool | dict | list) for item in items):
            self.report(key, f"{shown(value)} is no list of texts", f"write {key}: [one, another]")
            return ()
        return tuple(str(item) for item in items)

    def duration(self, key: str, *, least: int = 0, signed: bool = False) -> int | None:
        """Return whole seconds, or None when absent or wrong."""
        value = self.raw(key)
        if value is None:
            return None
        sign, text = 1, value
        if signed and isinstance(value, str) and value.startswith("-"):
            sign, text = -1, value[1:]
        try:
            seconds = sign * parse_duration(text)
        except ValueError as error:
            self.report(key, str(error), DURATION_HINT)
            return None
        if not signed and seconds < least:
            self.report(key, f"{value!r} is too short", f"at least {least} s")
            return None
        return seconds

    def percent(self, key: str, *, least_open: bool = True) -> Decimal | None:
        """Return '75%' as 0.75; above 0 and up to 100 %."""
        value = self.raw(key)
        if value is None:
            return None
        try:
            share = Decimal(str(value).removesuffix("%").strip()) / 100
        except InvalidOperation:
            share = Decimal(-1)
        if not str(value).endswith("%") or not 0 <= share <= 1 or (least_open and share == 0):
            self.report(key, f"{shown(value)} is no percentage above 0 and up to 100", "write for example 75%")
            return None
        return share

    def number(self, key: str) -> Decimal | None:
        """Return an exact number above 0."""
        value = self.raw(key)
        if value is None:
            return None
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if isinstance(value, bool) or not number.is_finite() or number <= 0:
            self.report(key, f"{shown(value)} is no number above 0", 'write for example "0.92"')
            return None
        return number

    def count(self, key: str, default: int, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.report(key, f"{shown(value)} is no whole number from {least} to {most}", f"default is {default}")
            return default
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.report(key, f"{shown(value)} is neither true nor false", "write true or false")
            return default
        return value

    def when(self, key: str = "when", words: Words = OF_ORDERS) -> When:
        """Return the matcher, which names attributes among the words; always true when absent."""

        def report(below: str, problem: str, hint: str) -> None:
            steps = [int(step) if step.isdecimal() else step for step in below.split(".")] if below else []
            self.document.report((*self.path, key, *steps), problem, hint)

        return parse_when(self.raw(key), report, words)

    def section(self, key: str, part: str) -> Section | None:
        """Return the mapping under a key, or None when absent."""
        value = self.raw(key)
        return None if value is None else Section(self.document, (*self.path, key), value, part, self.keys)

    def sections(self, key: str, part: str) -> Iterator[Section]:
        """Return the mappings of the list under a key."""
        for path, value in self.items(key):
            yield Section(self.document, path, value, part, self.keys)

    def items(self, key: str) -> list[tuple[Path, Any]]:
        """Return the items of the list under a key with their paths."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.report(key, f"{shown(value)} is no list", f"write {key}: [...] or one `- ` a line")
            return []
        return [((*self.path, key, i), item) for i, item in enumerate(value)]

    def named(self, key: str) -> list[tuple[str, Path, Any]]:
        """Return name, path and value of each entry of the mapping under a key."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, dict):
            self.report(key, f"{shown(value)} is no mapping of names", f"write {key}: {{name: ...}}")
            return []
        for name in value:
            if not is_identifier(name) and key in _REFERRED:
                self.document.report((*self.path, key, name), f"{name!r} is no name", IDENTIFIER_HINT)
        return [(name, (*self.path, key, name), item) for name, item in value.items()]


def shown(value: Any) -> str:
    """Return a value as a message quotes it."""
    text = repr(str(value) if isinstance(value, Decimal) else value)
    return text if len(text) <= 60 else text[:57] + "..."
