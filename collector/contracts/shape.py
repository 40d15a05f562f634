"""The shape of a document: which fields it has and of which types, and the short codes in them. No value of a person.

Keys that are data themselves (ids, dates, long maps) count as one field, and size and depth are bounded.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from collector.mapping.personal import WORDS

_MOST_NODES = 4000
_MOST_KEYS = 60
_DEEPEST = 12
_DATA_KEY = re.compile(r"[0-9]{5}|[0-9a-f]{8}-|.{41}")
_CODE = re.compile(r"[A-Z][A-Z0-9_-]{0,23}\Z|[a-z][a-z0-9_]{1,23}\Z|[0-9]{1,3}\Z")
_LETTERS = re.compile(r"[^a-z0-9]")
_PERSONAL = frozenset(WORDS)


class Shape(NamedTuple):
    """fields: (path, type); codes: (path, code)."""

    fields: frozenset[tuple[str, str]]
    codes: frozenset[tuple[str, str]]


def shape_of(document: Any) -> Shape:
    """Return the shape of a document as JSON has it."""
    fields: set[tuple[str, str]] = set()
    codes: set[tuple[str, str]] = set()
    waiting: list[tuple[str, Any, int]] = [("$", document, 0)]
    nodes = 0
    while waiting and nodes < _MOST_NODES:
        nodes += 1
        path, value, depth = waiting.pop()
        if isinstance(value, dict):
            fields.add((path, "object"))
            if depth < _DEEPEST:
                waiting += [(_below(path, key, len(value)), item, depth + 1) for key, item in value.items()]
        elif isinstance(value, list):
            fields.add((path, "list"))
            if depth < _DEEPEST:
                waiting += [(f"{path}[]", item, depth + 1) for item in value[:20]]
        elif isinstance(value, str):
            fields.add((path, "text"))
            if _CODE.match(value) and not _is_personal(path):
                codes.add((path, value))
        elif value is not None:
            fields.add((path, "flag" if isinstance(value, bool) else "number"))
    return Shape(frozenset(fields), frozenset(codes))


def _below(path: str, key: Any, many: int) -> str:
    text = str(key)
    return f"{path}.*" if many > _MOST_KEYS or _DATA_KEY.search(text) else f"{path}.{text}"


def _is_personal(path: str) -> bool:
    return _LETTERS.sub("", path.rpartition(".")[2].lower()) in _PERSONAL
