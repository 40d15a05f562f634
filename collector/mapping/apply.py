"""One document under one mapping to the events it gives, with ids that are the same whenever it comes again.

An event's id is a UUIDv5 of the connection, what the mapping calls the event (`event_key`, else its whole content), the
milestone, the polarity and the objects. So a state that is reported again is the same fact, and a state that changed is
a further report of it. A time that is only known from the arrival is part of the id: two arrivals are two reports, and
the earliest counts.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from collector.limits import MAX_ID, MAX_TEXT
from collector.mapping.context import Context, rfc3339, root_of
from collector.mapping.errors import Unusable, failed
from collector.mapping.expression import MEMO, begin_document
from collector.mapping.loops import rounds
from collector.mapping.model import Emit, Mapped, MappingFile, Root, Time, Value
from collector.mapping.numbers import number_text
from collector.mapping.objects import Within, fields_of, links_of, named_objects
from collector.mapping.times import Moment
from collector.mapping.transforms import Surroundings
from collector.mapping.when import occurred_at, time_of
from rules.vocabulary import NUMBER_ATTRIBUTES, ORDER_ATTRIBUTES, POLARITIES, TYPE_PREFIX

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:o2c:mapped")
# Fields of data that say how a time is known; left out where it is an instant that the source tells.
TIME_FIELDS = ("time_precision", "time_basis", "time_note")
# A document that gives more is no message of one business event; a list of documents or rows has its own limit.
MAX_EVENTS = 5_000
_PLAIN = ("instant", "source", "")
_LONG = ("reason", "error")
_ATTRIBUTES = (*ORDER_ATTRIBUTES, *_LONG)


def apply(mapping: MappingFile, document: Any, context: Context) -> list[Mapped]:
    """Return the events that a document gives, none where nothing of it concerns an order. Raises MappingFailed."""
    return run(mapping, root_of(document, context), context)


def run(mapping: MappingFile, root: Root, context: Context) -> list[Mapped]:
    """Return the events of a document whose root is made already."""
    root[MEMO] = {}
    begin_document()
    around = Surroundings(context.codes, context.currency)
    for name, value in mapping.lets:
        root[name] = value.get(root, around)
    version = None
    if mapping.source_version is not None and (found := mapping.source_version.get(root, around)) is not None:
        version = mapping.source_version.text(found, MAX_ID)
    seen: dict[str, Mapped] = {}
    made = 0
    for emit in mapping.emits:
        for scope in rounds(emit.foreach, root, around):
            if emit.when is not None and not emit.when.holds(scope, around):
                continue
            event = _event(emit, scope, around, context)
            if event is None:
                continue
            if version is not None:
                event["sequence"] = version
            made += 1  # not those that differ: making the same one again takes as long
            if made > MAX_EVENTS:
                raise failed(emit.key, "", f"over {MAX_EVENTS} events of one document; send it in parts")
            known = seen.setdefault(event["id"], Mapped(event))
            if known.event["data"] != event["data"] or known.event["time"] != event["time"]:
                raise failed(emit.key, "", "two events of one message have the same event_key, objects and milestone")
    return list(seen.values())


def _event(emit: Emit, root: Root, around: Surroundings, context: Context) -> dict[str, Any] | None:
    milestone, polarity = _milestone(emit, root, around)
    if not milestone:
        return None
    data = _attributes(emit, root, around, context)
    own = context.codes.get("scope", {})
    within = Within(context.connection, data.get("company", ""), data.get("customer_id", ""), own)
    objects = named_objects(emit, root, around, within)
    at = occurred_at(emit.key, emit.occurred_at, root, around, context)
    named = fields_of(emit, objects)
    links = links_of(emit, objects)
    data = {**named, **({"links": links} if links else {}), **data, **_time_fields(at)}
    for name, value in emit.further.items():
        if name not in data and (found := value.get(root, around)) is not None:
            data[name] = value.text(found, MAX_ID)
    time = rfc3339(at.at)
    key = _event_key(emit, root, around)
    if key is None:
        key = msgspec.json.encode([time, data]).decode()
    elif at.basis == "received":
        key = f"{key}|{time}"
    objects_key = ",".join(f"{o.type}:{o.id}" for o in objects)
    identity = f"{context.connection}|{key}|{milestone}|{polarity}|{objects_key}"
    suffix = "" if polarity == "reached" else f".{polarity}"
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid5(_NAMESPACE, identity)),
        "source": context.source,
        "type": f"{TYPE_PREFIX}{milestone}{suffix}",
        "time": time,
        "data": data,
    }
    if trace := context.headers.get("traceparent"):
        event["traceparent"] = trace
    return event


def _milestone(emit: Emit, root: Root, around: Surroundings) -> tuple[str, str]:
    """Return milestone and polarity, ('', '') where a table knows no milestone for what the message says."""
    milestone = emit.milestone
    if isinstance(milestone, Value):
        found = milestone.get(root, around)
        if found is None:
            return "", ""
        milestone = milestone.text(found, MAX_ID)
    bare, _, polarity = milestone.partition(".")
    if polarity and polarity not in POLARITIES:
        raise failed(f"{emit.key}.milestone", "", f"{milestone!r} is no milestone")
    return bare, polarity or emit.polarity


def _attributes(emit: Emit, root: Root, around: Surroundings, context: Context) -> dict[str, Any]:
    """Return the attributes that have a value. The currency comes first, since amounts in minor units need it."""
    found: dict[str, Any] = {}
    currency = context.currency
    named = emit.attributes.get("currency")
    if isinstance(named, Value) and (value := named.get(root, around)) is not None:
        currency = named.text(value, MAX_ID).strip().upper()
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise failed(named.key, named.expression, f"{currency!r} is no currency of three letters")
    inner = Surroundings(around.codes, currency) if currency != around.currency else around
    for name, value_of in emit.attributes.items():
        if name == "currency":
            continue
        if isinstance(value_of, Time):
            moment = time_of(value_of, root, inner, context)
            if moment is not None:
                found[name] = rfc3339(moment.at)
            continue
        value = value_of.get(root, inner)
        if value is None:
            continue
        if name in NUMBER_ATTRIBUTES:
            try:
                found[name] = number_text(value, name)
            except Unusable as error:
                raise failed(value_of.key, value_of.expression, str(error)) from None
        else:
            found[name] = value_of.text(value, MAX_TEXT if name in _LONG else MAX_ID)
    if "amount" in found and currency:
        found["currency"] = currency
    if context.company and "company" not in found:
        found["company"] = context.company
    return {name: found[name] for name in _ATTRIBUTES if name in found}


def _time_fields(at: Moment) -> dict[str, str]:
    if at[1:] == _PLAIN:
        return {}
    told = zip(TIME_FIELDS, at[1:], _PLAIN, strict=True)
    return {field: value for field, value, usual in told if value != usual}


def _event_key(emit: Emit, root: Root, around: Surroundings) -> str | None:
    """Return what the message calls the event, None where it has no name for it."""
    if not emit.event_key:
        return None
    parts = [(value, value.get(root, around)) for value in emit.event_key]
    if any(found is None for _, found in parts):
        return None
    return "|".join(value.text(found, MAX_TEXT) for value, found in parts)
