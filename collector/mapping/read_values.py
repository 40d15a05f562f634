"""Values, times and conditions of a mapping file: expressions compiled, transforms bound, persons refused."""

from __future__ import annotations

from typing import Any

from collector.mapping.expression import ROOTS, BadExpression, check_starts, compile_expression
from collector.mapping.keys import KEYS
from collector.mapping.model import Received, Time, Value
from collector.mapping.personal import personal
from collector.mapping.times import BASES, FORMS, PRECISIONS, parser
from collector.mapping.transforms import TRANSFORMS, Change, Tables, build
from collector.mapping.zones import zone_of
from rules.document import Document
from rules.document import Path as Steps
from rules.errors import closest
from rules.section import Section, shown


class Values:
    """Reads the values of one file. roots are the names that expressions may start from outside a foreach."""

    def __init__(self, document: Document, tables: Tables) -> None:
        self.document, self.tables = document, tables
        self.roots: set[str] = set(ROOTS)

    def occurred_at(self, holder: Section, roots: set[str]) -> tuple[Time | Received, ...]:
        """Return the choices of when it happened, none where the key is absent."""
        raw = holder.raw("occurred_at")
        if raw is None:
            return ()
        path = (*holder.path, "occurred_at")
        choices = [((*path, i), choice) for i, choice in enumerate(raw)] if isinstance(raw, list) else [(path, raw)]
        found: list[Time | Received] = []
        for at, choice in choices:
            if choice == "received":
                found.append(Received())
            elif (time := self.time(at, choice, roots)) is not None:
                found.append(time)
        return tuple(found)

    def time(self, path: Steps, raw: Any, roots: set[str]) -> Time | None:
        """Return a time, written as an expression or as a mapping of its own keys."""
        if not isinstance(raw, dict):
            raw = {"expr": raw}
            section = Section(self.document, path, raw, "time", KEYS)
        else:
            section = Section(self.document, path, raw, "time", KEYS)
        value = self.own_value(section, roots)
        form = section.text("parse", "iso")
        try:
            parse = parser(form)
        except ValueError as error:
            section.report("parse", str(error), f"write one of {', '.join(FORMS)}, or a pattern such as %d.%m.%Y %H:%M")
            return None
        zone = self._zone(section, roots)
        precision = section.choice("precision", PRECISIONS)
        basis = section.choice("basis", BASES, "source")
        not_after = None
        if section.has("not_after"):
            not_after = self.time((*path, "not_after"), section.raw("not_after"), roots)
        return None if value is None else Time(value, parse, zone, precision, basis, not_after)

    def _zone(self, section: Section, roots: set[str]) -> Any:
        raw = section.raw("zone")
        if raw is None or isinstance(raw, dict):
            return self.value_at(section, "zone", roots)
        zone = zone_of(str(raw))
        if zone is None:
            section.report("zone", f"{shown(raw)} is no time zone", "write an IANA name, or {expr: ...} to read it")
        return zone

    def value_at(self, section: Section, key: str, roots: set[str] | None = None) -> Value | None:
        """Return the value under a key, None where it is absent."""
        if not section.has(key):
            return None
        return self.value((*section.path, key), section.raw(key), roots or self.roots)

    def own_value(self, section: Section, roots: set[str]) -> Value | None:
        """Return the value whose keys stand in the section itself, beside others."""
        return self._value_of(section, self.document.label(section.path), roots, public=True)

    def value(self, path: Steps, raw: Any, roots: set[str], *, public: bool = True) -> Value | None:
        """Return a value, written as an expression or as a mapping of `expr` or `value` and transforms."""
        if not isinstance(raw, dict):
            raw = {"expr": raw}
        section = Section(self.document, path, raw, "value", KEYS)
        return self._value_of(section, self.document.label(path), roots, public=public)

    def _value_of(self, section: Section, label: str, roots: set[str], *, public: bool) -> Value | None:
        changes = self._changes(section)
        if "value" in section.value:
            constant = section.raw("value")
            if section.has("expr"):
                section.report("value", "value and expr exclude each other", "keep one of them")
            if constant is None or isinstance(constant, dict | list):
                section.report("value", f"{shown(constant)} is no plain value", "write a text or a number")
            return Value(label, "", lambda _root: constant, changes)
        expression = section.raw("expr")
        if not isinstance(expression, str):
            section.report(
                None, f"{shown(expression)} is no expression", "write a JMESPath text, or value: for a constant"
            )
            return None
        if public and not section.has("not_personal") and (word := _personal(expression)):
            section.report(
                None,
                f"{expression!r} gives {word!r}, which names a person",
                "leave it out; if it is none, say why with not_personal: ...",
            )
        return self._compiled(section, None, label, expression, roots, changes)

    def _changes(self, section: Section) -> tuple[Change, ...]:
        raw = section.raw("transform")
        items = raw if isinstance(raw, list) else [] if raw is None else [raw]
        found = []
        for item in items:
            name, argument = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else (item, None)
            if not isinstance(name, str) or name not in TRANSFORMS:
                section.report("transform", f"{shown(name)} is no transform", closest(str(name), TRANSFORMS))
                continue
            try:
                found.append(build(name, argument, self.tables))
            except ValueError as error:
                section.report("transform", f"{name}: {error}", "docs/connections/mappings.md explains each transform")
        return tuple(found)

    def condition(self, section: Section, key: str, roots: set[str]) -> Value | None:
        """Return what must be true, None where nothing is asked; `match` must be there."""
        if not section.has(key):
            if key == "match":
                section.report(key, "match is missing", "say which messages the mapping is for")
            return None
        return self.value((*section.path, key), section.raw(key), roots, public=False)

    def _compiled(
        self,
        section: Section,
        key: str | None,
        label: str,
        text: str,
        roots: set[str],
        changes: tuple[Change, ...] = (),
    ) -> Value | None:
        try:
            read = compile_expression(text)
            check_starts(text, roots)
        except BadExpression as error:
            section.report(key, str(error), error.hint)
            return None
        return Value(label, text, read, changes)


def _personal(expression: str) -> str:
    try:
        return personal(expression)
    except BadExpression:  # told where it is compiled
        return ""
