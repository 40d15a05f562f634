"""What a connection's configuration, or baggage, says about a span is written on it as the tower's own attributes.

So all that reads stored telemetry later knows one set of names: `o2c.<type>_id`, `o2c.reports`, `o2c.source`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from collector.otlp import baggage
from collector.otlp.signal import TRACES, Signal
from collector.otlp.text import text_of
from rules.vocabulary import ID_FIELDS
from tower.model.connection import Connection, SpanMilestone
from tower.model.connections import Connections

_FIELDS = frozenset(f"o2c.{name}" for name in ID_FIELDS)
Speaks = Callable[[Any], Connection | None]


class Enricher:
    """Knows by a look at the bytes of a request whether there is anything to write."""

    def __init__(self, connections: Connections) -> None:
        always = False
        needles = {b"baggage"}
        for connection in connections.entries:
            if connection.scope:
                needles.add(b"o2c.")
            needles |= {name.encode() for name in connection.spans.ids}
            for rule in connection.spans.milestones:
                needles |= {name.encode() for name in (*rule.attributes, *rule.ids)}
                always |= not rule.attributes and not rule.ids
        self._needles = None if always else tuple(needles)

    def wanted(self, body: bytes) -> bool:
        """Return whether a request may hold something to be written on."""
        return self._needles is None or any(needle in body for needle in self._needles)

    def enrich(self, signal: Signal, request: Any, speaks: Speaks) -> None:
        """Write on a request, in place. speaks: the connection behind a resource."""
        for group in getattr(request, signal.resources):
            connection = speaks(group.resource)
            service = next((a.value.string_value for a in group.resource.attributes if a.key == "service.name"), "")
            if connection is not None and connection.scope:
                _scope(group.resource.attributes, connection.scope)
            for scope in getattr(group, signal.scopes):
                for item in getattr(scope, signal.items):
                    _write(signal, item, connection, service)


def _write(signal: Signal, item: Any, connection: Connection | None, service: str) -> None:
    texts = {a.key: text_of(a.value) for a in item.attributes}
    more: dict[str, str] = {}
    for name in baggage.ATTRIBUTES:
        if name in texts:
            more |= baggage.members(_header(texts[name]))
    if connection is not None:
        more |= _ids(texts, connection.spans.ids.items())
        if signal is TRACES:
            rule = next((r for r in connection.spans.milestones if _fits(r, service, item.name, texts)), None)
            if rule is not None:
                more |= {"o2c.reports": rule.milestone, **_ids(texts, rule.ids.items())}
    for name, value in more.items():
        if name not in texts:
            item.attributes.add(key=name).value.string_value = value
    if connection is not None and connection.scope:
        _scope(item.attributes, connection.scope)


def _header(text: str) -> str:
    """Return the value of a header that instrumentation keeps as text, or as a list of its lines."""
    if text.startswith("["):
        try:
            return ",".join(msgspec.json.decode(text, type=list[str]))
        except msgspec.MsgspecError:
            return ""
    return text


def _ids(texts: dict[str, str], names: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {f"o2c.{field}": texts[attribute] for attribute, field in names if texts.get(attribute)}


def _fits(rule: SpanMilestone, service: str, name: str, texts: dict[str, str]) -> bool:
    return (
        fnmatchcase(service, rule.service)
        and fnmatchcase(name, rule.name)
        and all(fnmatchcase(texts.get(key, ""), pattern) for key, pattern in rule.attributes.items())
    )


def _scope(attributes: Any, scope: str) -> None:
    """Put the connection's scope before each id."""
    for pair in attributes:
        if pair.key in _FIELDS and (text := text_of(pair.value)):
            pair.value.string_value = _scoped(text, scope)


def _scoped(text: str, scope: str) -> str:
    if text.startswith('["'):
        try:
            return msgspec.json.encode([f"{scope}/{i}" for i in msgspec.json.decode(text, type=list[str])]).decode()
        except msgspec.MsgspecError:
            pass
    return f"{scope}/{text}"
