"""What can be wrong with a mapping, and with a message under a mapping.

MappingsError   a folder of mapping files cannot be used; holds Problems: file, line, key, what is wrong, hint
MappingFailed   one message, read by one mapping, gives a value that cannot be used: names key, expression and value
"""

from __future__ import annotations

from collections.abc import Iterable

from rules.errors import Problem
from rules.section import shown


class MappingsError(ValueError):
    """Mappings cannot be used; `problems` says where and why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class MappingFailed(Exception):
    """A message that its mapping cannot turn into events. The same message would fail again under the same mapping."""


class Unusable(ValueError):
    """A value that cannot be used as what it should be; the caller knows which key and expression gave it."""


def failed(key: str, expression: str, problem: str) -> MappingFailed:
    """Return the error of one key of a mapping on one message."""
    return MappingFailed(f"{key}: {expression}: {problem}" if expression else f"{key}: {problem}")


def leaf(value: object) -> object:
    """Return the text of an XML element that has attributes, '' if it has nothing else; anything else as it is."""
    if type(value) is not dict or not value or not all(name[:1] in "@#" for name in value):
        return value
    return value.get("#text", "")


def no(value: object, what: str) -> Unusable:
    """Return the error of a value that is not what it should be."""
    return Unusable(f"{shown(value)} is no {what}")
