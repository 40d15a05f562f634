"""One mapping of the connections file, read strictly: the first mistake ends the reading with one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from rules.document import Document
from rules.document import Path as Steps
from rules.duration import HINT, parse_duration
from rules.errors import closest


class ConnectionsError(ValueError):
    """The connections file cannot be used; the message names file, entry, key and what to write."""


class Entry:
    """The mapping at a path of the file. title is how its mistakes name it: `connection shop-eu`."""

    def __init__(
        self, file: Path, document: Document, steps: Steps, value: Any, title: str, known: Sequence[str], write: str
    ) -> None:
        self.file, self.document, self.steps, self.title = file, document, steps, title
        if not isinstance(value, dict):
            self.fail(None, f"{shown(value)} is no mapping; write {write}")
        self.value: dict[str, Any] = value
        for key in value:
            if key not in known:
                self.fail(key, f"unknown key {key!r}; {closest(key, known)}", named=False)

    def fail(self, key: str | None, problem: str, *, named: bool = True) -> NoReturn:
        """Raise ConnectionsError at a key, or at the mapping itself."""
        _, line = self.document.place((*self.steps, key) if key is not None else self.steps)
        where = f"{self.title}: {key}" if key is not None and named else self.title
        raise ConnectionsError(f"{self.file}:{line}: {where}: {problem}")

    def has(self, key: str) -> bool:
        """Return whether the key is written with a value."""
        return self.value.get(key) is not None

    def text(self, key: str, default: str = "", *, required: bool = False, write: str = "") -> str:
        """Return a text. A number is none: its zeros would be lost, so it is to be quoted."""
        value = self.value.get(key)
        if value is None or (value == "" and required):
            if required:
                self.fail(key, f"it is missing; write {write or f'{key}: some-text'}")
            return default
        if not isinstance(value, str):
            quoted = f'{key}: "{value}"'
            self.fail(key, f"{shown(value)} is no text; write {write or quoted}")
        return value

    def texts(self, key: str, *, write: str = "") -> tuple[str, ...]:
        """Return a list of texts, each once; a single one may stand alone."""
        value = self.value.get(key)
        items = [] if value is None else value if isinstance(value, list) else [value]
        if any(not isinstance(item, str) or not item for item in items):
            self.fail(key, f"{shown(value)} is no list of texts; write {write or f'{key}: [one, another]'}")
        if len(set(items)) < len(items):
            self.fail(key, f"{shown(value)} says one thing twice; write each once")
        return tuple(items)

    def choice(self, key: str, allowed: Sequence[str], default: str) -> str:
        """Return one of a few words."""
        value = self.text(key, default)
        if value not in allowed:
            self.fail(key, f"{value!r} is not allowed; {closest(value, allowed)}")
        return value

    def count(self, key: str, least: int, most: int) -> int:
        """Return a whole number, 0 when absent."""
        value = self.value.get(key)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fail(key, f"{shown(value)} is no whole number from {least} to {most}; write for example {key}: 50")
        return value

    def duration(self, key: str, default_s: int, least_s: int = 0) -> int:
        """Return whole seconds."""
        value = self.value.get(key)
        if value is None:
            return default_s
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            self.fail(key, f"{error}; {HINT}")
        if seconds < least_s:
            self.fail(key, f"{shown(value)} is too short; write at least {least_s}s")
        return seconds

    def named(self, key: str, write: str) -> Mapping[str, Any]:
        """Return the mapping under a key, empty when absent."""
        value = self.value.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail(key, f"{shown(value)} is no mapping; write {write}")
        return value

    def below(self, key: str, known: Sequence[str], write: str) -> Entry:
        """Return the mapping under a key with keys of its own."""
        return Entry(
            self.file,
            self.document,
            (*self.steps, key),
            self.value[key],
            f"{self.title}: {key}",
            known,
            write,
        )


def shown(value: Any) -> str:
    """Return a value as a message quotes it."""
    text = repr(value) if isinstance(value, str | list | dict) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
