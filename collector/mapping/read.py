"""The text of a mapping file to a mapping that runs, or every mistake in it with file, line, key and a hint."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from collector.decoders import check_spec
from collector.mapping.examples import read_examples
from collector.mapping.expression import ROOTS, SCOPED
from collector.mapping.keys import KEYS
from collector.mapping.model import (
    Emit,
    Link,
    MappingFile,
    Name,
    Object,
    Refusal,
    Time,
    Value,
)
from collector.mapping.names import KEYS as NAMES
from collector.mapping.plugins import PLUGINS
from collector.mapping.read_values import Values
from collector.mapping.transforms import Tables
from rules.document import read_files
from rules.errors import Problem, closest
from rules.section import Section, is_identifier, shown
from rules.vocabulary import OBJECT_TYPES, POLARITIES, TIME_ATTRIBUTES

REASONS = ("unresolved", "unmapped_payload")
_STATUSES = ("confirmed", "experimental")
_MILESTONE = re.compile(r"[a-z][a-z0-9_]*(?:\.(?:failed|reversed))?")
_LET = re.compile(r"[a-z][a-z0-9_]*")
_DEPTH = 3  # of foreach: item, parent, grandparent


def read_mapping(name: str, text: str, folder: Path | None = None) -> tuple[MappingFile | None, list[Problem]]:
    """Return the mapping and what is wrong with it; None if anything is. folder holds the files its tests name."""
    document = read_files({name: text})
    if document.problems:
        return None, document.problems
    top = Section(document, (), document.value, "mapping", KEYS)
    mapping = _Reader(top, text, folder).mapping()
    return (None if document.problems else mapping), document.problems


class _Reader(Values):
    """One file being read."""

    def __init__(self, top: Section, text: str, folder: Path | None) -> None:
        super().__init__(top.document, Tables(_tables(top)))
        self.top, self.text, self.folder = top, text, folder

    def mapping(self) -> MappingFile:
        """Return the whole file; its mistakes are in the document."""
        top = self.top
        name, version = top.identifier("mapping"), top.count("version", 0, 1, 1_000_000)
        if not version and "version" not in {p.key for p in self.document.problems}:
            top.report("version", "version is missing", "write version: 1, and count it up with each change")
        file, _ = self.document.place(())
        label = f"{name}@{version}:{hashlib.sha256(self.text.encode()).hexdigest()[:8]}"
        match = self.condition(top, "match", set(ROOTS))
        lets = tuple(self._lets())
        emits = self._emits()
        ignore, refuse = top.text("ignore"), self._refuse()
        if not top.has("emit") and not ignore and refuse is None:
            top.report("emit", "emit is missing", "say what events a message gives, or `ignore: why` if it gives none")
        if sum((bool(emits), bool(ignore), refuse is not None)) > 1:
            top.report("emit", "emit, ignore and refuse exclude each other", "keep one of them")
        return MappingFile(
            name=name,
            version=version,
            status=top.choice("status", _STATUSES, required=True),
            source=top.text("source", required=True),
            file=file,
            label=label,
            decode=self._decode(),
            match=match or Value("match", "", lambda _root: False),
            ignore=ignore,
            refuse=refuse,
            lets=lets,
            source_version=self.value_at(top, "source_version"),
            emits=emits,
            examples=read_examples(top, self.folder),
        )

    # The parts of the file ---------------------------------------------------------------------------------------

    def _decode(self) -> Mapping[str, Any]:
        spec = self.top.raw("decode")
        if not isinstance(spec, dict):
            self.top.report("decode", "decode is missing or no mapping", "write for example decode: {format: json}")
            return {"format": "json"}
        try:
            check_spec(spec)
        except ValueError as error:
            self.top.report("decode", str(error), "docs/connections/decoders.md explains each format")
        return spec

    def _refuse(self) -> Refusal | None:
        section = self.top.section("refuse", "refuse")
        if section is None:
            return None
        reason = section.choice("reason", REASONS, required=True)
        return Refusal(reason, section.text("detail", required=True))

    def _lets(self) -> Iterable[tuple[str, Value]]:
        for name, path, raw in self.top.named("let"):
            if not _LET.fullmatch(name) or name in (*ROOTS, *SCOPED):
                self.document.report(
                    path, f"{name!r} cannot be a name", "use small letters, digits and _, no root's name"
                )
                continue
            value = self.value(path, raw, self.roots, public=False)
            self.roots.add(name)
            if value is not None:
                yield name, value

    def _emits(self) -> tuple[Emit, ...]:
        common = self.top.section("common", "common")
        return tuple(self._emit(section, common) for section in self.top.sections("emit", "emit"))

    def _emit(self, section: Section, common: Section | None) -> Emit:
        roots, foreach = self._foreach(section, set(self.roots), _DEPTH)
        milestone = self._milestone(section, roots)

        def holder(key: str) -> Section:
            return section if section.has(key) or common is None else common

        attributes: dict[str, Value | Time] = {}
        for part in (common, section):
            attributes |= self._attributes(part, roots) if part is not None else {}
        further: dict[str, Value] = {}
        for part in (common, section):
            further |= self._further(part, roots) if part is not None else {}
        for word in ("reason", "error"):
            if value := self.value_at(holder(word), word, roots):
                attributes[word] = value
        objects = self._objects(holder("objects"), roots)
        occurred_at = self.occurred_at(holder("occurred_at"), roots)
        if not occurred_at and not section.document.problems:
            section.report(None, "occurred_at is missing", "say where the message tells when it happened")
        own = section if section.has("event_key") else self.top
        return Emit(
            key=self.document.label(section.path),
            milestone=milestone,
            polarity=section.choice("polarity", POLARITIES, "reached"),
            when=self.condition(section, "when", roots),
            foreach=foreach,
            occurred_at=occurred_at,
            objects=objects,
            links=self._links(section, objects),
            attributes=attributes,
            further=further,
            event_key=self._event_key(own, roots),
        )

    def _milestone(self, section: Section, roots: set[str]) -> str | Value:
        raw = section.raw("milestone")
        if isinstance(raw, dict):
            return self.value_at(section, "milestone", roots) or ""
        milestone = section.text("milestone", required=True)
        if milestone and not _MILESTONE.fullmatch(milestone):
            section.report("milestone", f"{milestone!r} is no milestone", "use small letters, digits and _")
        if "." in milestone and section.has("polarity"):
            section.report("polarity", "the milestone has a polarity already", "keep one of them")
        return milestone

    def _foreach(self, section: Section, roots: set[str], depth: int) -> tuple[set[str], tuple[Value, ...]]:
        """Return what may be used inside, and the loops from the outermost."""
        raw = section.raw("foreach")
        levels = raw if isinstance(raw, list) else [raw] if raw is not None else []
        if len(levels) > depth:
            section.report("foreach", f"it has {len(levels)} levels", f"at most {depth} can be told apart")
        found = []
        for i, level in enumerate(levels):
            path = (*section.path, "foreach", i) if isinstance(raw, list) else (*section.path, "foreach")
            value = self._loop(path, level, roots)
            roots = roots | {"item", "index"} | ({"parent"} if "item" in roots else set())
            roots |= {"grandparent"} if i == _DEPTH - 1 else set()
            if value is not None:
                found.append(value)
        return roots, tuple(found)

    def _loop(self, path: tuple[str | int, ...], raw: Any, roots: set[str]) -> Value | None:
        if not isinstance(raw, dict):
            return self.value(path, raw, roots, public=False)
        if "plugin" not in raw:
            return self.value(path, raw, roots, public=False)
        section = Section(self.document, path, raw, "plugin", KEYS)
        name = section.choice("plugin", tuple(PLUGINS), required=True)
        if not name:
            return None
        return Value(self.document.label(path), f"plugin {name}", PLUGINS[name])

    def _objects(self, holder: Section, roots: set[str]) -> tuple[Object, ...]:
        found = []
        for section in holder.sections("objects", "object"):
            object_type = section.choice("type", OBJECT_TYPES, required=True)
            inner, loops = self._foreach(section, roots, 1)
            own = [self._name(section, object_type, inner)] if section.has("key") else []
            further = [self._name(s, object_type, inner) for s in section.sections("names", "name")]
            names = tuple(name for name in (*own, *further) if name is not None)
            if not names and not self.document.problems:
                section.report("key", "key is missing", f"say by which key; {closest('', _keys_of(object_type))}")
            found.append(
                Object(
                    type=object_type,
                    label=section.text("as", object_type),
                    names=names,
                    when=self.condition(section, "when", inner),
                    foreach=loops[0] if loops else None,
                )
            )
        return tuple(found)

    def _name(self, section: Section, object_type: str, roots: set[str]) -> Name | None:
        key = section.text("key", required=True)
        known = _keys_of(object_type)
        if key and key not in known and object_type:
            section.report("key", f"{key!r} is no key of {object_type}", closest(key, known))
        value = self.own_value(section, roots)
        scope = self.value_at(section, "scope", roots)
        return None if value is None or key not in known else Name(key, value, scope)

    def _links(self, section: Section, objects: Iterable[Object]) -> tuple[Link, ...]:
        labels = {o.label for o in objects}
        found = []
        for link in section.sections("links", "link"):
            child = link.choice("from", sorted(labels), required=True)
            parent = link.choice("to", sorted(labels), required=True)
            found.append(
                Link(self.document.label(link.path), child, parent, link.text("relation"), link.flag("retract"))
            )
        return tuple(found)

    def _attributes(self, holder: Section, roots: set[str]) -> dict[str, Value | Time]:
        section = holder.section("attributes", "attributes")
        if section is None:
            return {}
        found: dict[str, Value | Time] = {}
        for name in section.value:
            if name not in KEYS["attributes"]:
                continue
            read: Callable[..., Value | Time | None] = self.time if name in TIME_ATTRIBUTES else self.value
            value = read((*section.path, name), section.value[name], roots)
            if value is not None:
                found[name] = value
        return found

    def _further(self, holder: Section, roots: set[str]) -> dict[str, Value]:
        found = {}
        for name, path, raw in holder.named("further"):
            if not _LET.fullmatch(name):
                self.document.report(path, f"{name!r} is no name of a field", "use small letters, digits and _")
            value = self.value(path, raw, roots)
            if value is not None:
                found[name] = value
        return found

    def _event_key(self, holder: Section, roots: set[str]) -> tuple[Value, ...]:
        raw = holder.raw("event_key")
        if raw is None:
            return ()
        path = (*holder.path, "event_key")
        parts = [((*path, i), part) for i, part in enumerate(raw)] if isinstance(raw, list) else [(path, raw)]
        values = [self.value(at, part, roots, public=False) for at, part in parts]
        return tuple(value for value in values if value is not None)


def _keys_of(object_type: str) -> list[str]:
    return [key for key, known in NAMES.items() if object_type in known.types]


def _tables(top: Section) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, path, raw in top.named("tables"):
        if not isinstance(raw, dict) or any(isinstance(word, dict | list) or word is None for word in raw.values()):
            top.document.report(path, f"{shown(raw)} is no table", 'write {"code": word, "other": word}')
            continue
        if not is_identifier(name):
            top.document.report(path, f"{name!r} is no name of a table", "use letters, digits, - and _")
        found[name] = {str(code): str(word) for code, word in raw.items()}
    return found
