"""A mapping as it runs: every expression compiled, every transform bound. Values only; read.py makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from collector.limits import MAX_TEXT
from collector.mapping.errors import Unusable, failed
from collector.mapping.expression import Failed, Read, spend
from collector.mapping.times import Parse
from collector.mapping.transforms import Change, Surroundings, text

Root = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a message. key says where in the mapping it stands, expression how it is written there."""

    key: str
    expression: str
    read: Read
    changes: tuple[Change, ...] = ()

    def text(self, found: Any, longest: int) -> str:
        """Return what was found as text; a longer one is cut where it is prose, else it is an error.

        Raises MappingFailed.
        """
        try:
            plain = text(found)
        except Unusable as error:
            raise failed(self.key, self.expression, str(error)) from None
        if len(plain) > longest:
            if longest == MAX_TEXT:
                return plain[:longest]
            raise failed(self.key, self.expression, f"{plain[:40]!r}... has over {longest} characters")
        return plain

    def holds(self, root: Root, around: Surroundings) -> bool:
        """Return whether the value is true as JMESPath sees it: not null, false or empty. Raises MappingFailed."""
        value = self.get(root, around)
        return value is not None and value is not False and value != {}

    def get(self, root: Root, around: Surroundings) -> Any:
        """Return the value, None where there is none. Raises MappingFailed."""
        try:
            value = self.read(root)
            for change in self.changes:
                if type(value) is list:
                    spend(len(value))
                value = change(value, around)
        except Failed as error:
            raise failed(self.key, self.expression, (str(error) or type(error).__name__).splitlines()[0]) from None
        return None if value == "" or value == [] else value


@dataclass(frozen=True, slots=True)
class Time:
    """One time of a message, and what bounds it from above. zone None is that of the connection."""

    value: Value
    parse: Parse
    zone: tzinfo | Value | None = None
    precision: str = ""
    basis: str = "source"
    not_after: Time | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """The last resort: when the message came."""


@dataclass(frozen=True, slots=True)
class Name:
    """One name of an object. scope None is the usual one of the key."""

    key: str
    value: Value
    scope: Value | None = None


@dataclass(frozen=True, slots=True)
class Object:
    """One kind of object that an event names. label is what links call it, each the expression it is repeated over."""

    type: str
    label: str
    names: tuple[Name, ...]
    when: Value | None = None
    foreach: Value | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A stated link between objects of an emit, by their labels."""

    key: str
    child: str
    parent: str
    relation: str = ""
    retract: bool = False


@dataclass(frozen=True, slots=True)
class Emit:
    """One kind of event that a message may give."""

    key: str
    milestone: str | Value
    polarity: str
    when: Value | None
    foreach: tuple[Value, ...]
    occurred_at: tuple[Time | Received, ...]
    objects: tuple[Object, ...]
    links: tuple[Link, ...]
    attributes: Mapping[str, Value | Time]
    further: Mapping[str, Value]
    event_key: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A test inside a mapping file. expect: fields of each event; quarantine: the reason it must end with, or ''."""

    name: str
    where: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    connection: Mapping[str, Any]
    received_at: datetime
    expect: tuple[Mapping[str, Any], ...]
    ignored: bool
    quarantine: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the mapping says of messages that cannot be used though they are known: a quarantine reason and why."""

    reason: str
    detail: str


class Mapped(NamedTuple):
    """One event that a message gave: a structured CloudEvent, ready for collector.intake."""

    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MappingFile:
    """One mapping. label is `name@version:hash`, the hash that of the file's text."""

    name: str
    version: int
    status: str
    source: str
    file: str
    label: str
    decode: Mapping[str, Any]
    match: Value
    ignore: str = ""
    refuse: Refusal | None = None
    lets: tuple[tuple[str, Value], ...] = ()
    source_version: Value | None = None
    emits: tuple[Emit, ...] = ()
    examples: tuple[Example, ...] = field(default=(), repr=False)

    @property
    def experimental(self) -> bool:
        """Whether its format is not confirmed by a real sample."""
        return self.status == "experimental"
