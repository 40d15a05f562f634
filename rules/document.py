"""YAML files as plain values that remember where each of them was written.

Scalars are read as YAML 1.2 does: `no` and `2026-12-24` stay text, only true and false are flags, and fractions are
Decimal. A key written twice is a problem, within a file and across the files of a book.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from rules.errors import Problem

Path = tuple[str | int, ...]
# Sections that only one file may hold, since their parts belong together or their order counts.
WHOLE = ("process", "value", "routes", "priorities")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?[0-9]*\.[0-9]+|[-+]?[0-9]+\.")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # five times as fast, where PyYAML was built with it
_MAX_DEPTH = 30
_MAX_VALUES = 200_000  # aliases can multiply a small file
_NAMES = ("id", "name", "connection", "milestone")


@dataclass(slots=True)
class Document:
    """The files of a book as one mapping, and the file and line of each value in it."""

    value: dict[str, Any] = field(default_factory=dict)
    places: dict[Path, tuple[str, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path) -> tuple[str, int]:
        """Return file and line of a value, or of the nearest one around it that is known."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, ("", 0))

    def label(self, path: Path) -> str:
        """Return the path as people write it; entries of lists go by their id or name."""
        text, value = "", self.value
        for step in path:
            value = _child(value, step)
            if isinstance(step, int):
                own = next(
                    (value[n] for n in _NAMES if isinstance(value, dict) and isinstance(value.get(n), str)), step
                )
                text += f"[{own}]"
            else:
                text += f".{step}" if text else str(step)
        return text

    def report(self, path: Path, problem: str, hint: str = "") -> None:
        """Note a problem at a value."""
        file, line = self.place(path)
        self.problems.append(Problem(problem, hint, self.label(path), file, line))


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def read_files(files: Mapping[str, str]) -> Document:
    """Return the files merged in the order of their names: lists follow each other, mappings join."""
    book = Document()
    book.places[()] = (min(files, default=""), 1)
    for name in sorted(files):
        one = _read(name, files[name])
        book.problems.extend(one.problems)
        for key, value in one.value.items():
            _merge(book, one, key, value)
    return book


def _read(name: str, text: str) -> Document:
    document = Document()
    try:
        node = yaml.compose(text, Loader=_LOADER)
        document.places[()] = (name, 1)
        value = _value(node, (), name, document, 0) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = " ".join(part for part in (error.context, error.problem) if part)
        document.problems.append(
            Problem(f"is no YAML: {what}", "check indentation, quotes and brackets", "", name, line)
        )
        return document
    except yaml.YAMLError as error:
        document.problems.append(Problem(f"is no YAML: {error}", "save the file as UTF-8 text", "", name, 1))
        return document
    if not isinstance(value, dict):
        line = node.start_mark.line + 1 if node is not None else 1
        document.problems.append(Problem("is no mapping", "start with a key such as `stages:`", "", name, line))
        return document
    document.value = value
    return document


def _value(node: yaml.Node, path: Path, name: str, document: Document, depth: int) -> Any:
    line = node.start_mark.line + 1
    document.places.setdefault(path, (name, line))
    if depth > _MAX_DEPTH or len(document.places) > _MAX_VALUES:
        raise yaml.MarkedYAMLError(problem="is nested too deeply or holds too much", problem_mark=node.start_mark)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, i), name, document, depth + 1) for i, item in enumerate(node.value)]
    found: dict[str, Any] = {}
    for key_node, item in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(key_node.start_mark)
        at = (*path, key)
        if key in found:
            first = document.places[at][1]
            problem = Problem(f"the key {key!r} is written twice, first in line {first}", "keep one of them")
            document.problems.append(
                Problem(problem.problem, problem.hint, _dotted(at), name, key_node.start_mark.line + 1)
            )
            continue
        document.places[at] = (name, key_node.start_mark.line + 1)
        found[key] = _value(item, at, name, document, depth + 1)
    return found


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    return text


def _merge(book: Document, one: Document, key: str, value: Any) -> None:
    held = book.value.get(key)
    shift = len(held) if isinstance(held, list) else 0
    if key in book.value and key in WHOLE:
        first = book.places[(key,)]
        problem = f"{key} is written in {first[0]}:{first[1]} already"
        book.problems.append(Problem(problem, "one file holds all of it", key, *one.place((key,))))
        return
    if held is None or value is None:
        if held is None:
            book.value[key] = value
    elif isinstance(held, list) and isinstance(value, list):
        held.extend(value)
    elif isinstance(held, dict) and isinstance(value, dict):
        for part in [p for p in value if p in held]:
            first = book.places[(key, part)]
            problem = f"{part!r} is written in {first[0]}:{first[1]} already"
            book.problems.append(Problem(problem, "keep one of them", f"{key}.{part}", *one.place((key, part))))
            del value[part]
        held.update(value)
    else:
        book.problems.append(Problem(f"{key} has another form in another file", "", key, *one.place((key,))))
        return
    for path, place in one.places.items():
        if path[:1] == (key,):
            moved = (key, path[1] + shift, *path[2:]) if len(path) > 1 and isinstance(path[1], int) else path
            book.places.setdefault(moved, place)


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)
