"""One document under one mapping to the events it gives, with ids that are the same whenever it comes again.

An event's id is a UUIDv5 of the connection, what the mapping calls the event (`event_key`, else its whole content), the
milestone, the polarity and the objects. So a state that is reported again is the same fact, and a state that changed is
a further report of it. A time that is only known from the arrival is part of the id: two arrivals are two reports, and
the earliest counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from collector.limits import MAX_ID, MAX_IDS, MAX_LINKS, MAX_TEXT
from collector.mapping.context import Context, rfc3339, root_of
from collector.mapping.errors import Unusable, failed
from collector.mapping.model import Emit, Link, Mapped, MappingFile, Name, Object, Root, Time, Value
from collector.mapping.names import KEYS, id_of
from collector.mapping.numbers import number_text
from collector.mapping.times import Moment
from collector.mapping.transforms import Surroundings, text
from collector.mapping.when import occurred_at, time_of
from rules.vocabulary import NUMBER_ATTRIBUTES, ORDER_ATTRIBUTES, POLARITIES, TYPE_PREFIX

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:o2c:mapped")
# Fields of data that say how a time is known; left out where it is an instant that the source tells.
TIME_FIELDS = ("time_precision", "time_basis", "time_note")
# A document that gives more is no message of one business event; a list of documents or rows has its own limit.
MAX_EVENTS = 20_000
MAX_OBJECTS = 4 * MAX_IDS
_PLAIN = ("instant", "source", "")
_LONG = ("reason", "error")
_ATTRIBUTES = (*ORDER_ATTRIBUTES, *_LONG)


class Named(NamedTuple):
    """One object as an event names it: its id, further names with whether each is weak, and its place in a list."""

    type: str
    id: str
    others: tuple[tuple[str, bool], ...]
    label: str
    place: int
    loop: str


def apply(mapping: MappingFile, document: Any, context: Context) -> list[Mapped]:
    """Return the events that a document gives, none where nothing of it concerns an order. Raises MappingFailed."""
    return run(mapping, root_of(document, context), context)


def run(mapping: MappingFile, root: Root, context: Context) -> list[Mapped]:
    """Return the events of a document whose root is made already."""
    around = Surroundings(context.codes, context.currency)
    for name, value in mapping.lets:
        root[name] = value.get(root, around)
    version = None
    if mapping.source_version is not None and (found := mapping.source_version.get(root, around)) is not None:
        version = _text(mapping.source_version, found, MAX_ID)
    seen: dict[str, Mapped] = {}
    for emit in mapping.emits:
        for scope in _scopes(emit.foreach, root, around):
            if emit.when is not None and not emit.when.holds(scope, around):
                continue
            event = _event(emit, scope, around, context)
            if event is None:
                continue
            if version is not None:
                event["sequence"] = version
            known = seen.setdefault(event["id"], Mapped(event))
            if len(seen) > MAX_EVENTS:
                raise failed(emit.key, "", f"over {MAX_EVENTS} events of one document; send it in parts")
            if known.event["data"] != event["data"] or known.event["time"] != event["time"]:
                raise failed(emit.key, "", "two events of one message have the same event_key, objects and milestone")
    return list(seen.values())


def _scopes(loops: Sequence[Value], root: Root, around: Surroundings) -> Iterator[Root]:
    """Yield what the expressions of each round start from: the root, and the items of the loops."""
    if not loops:
        yield root
        return
    values = loops[0].get(root, around)
    items = values if isinstance(values, list) else [] if values is None else [values]
    for index, item in enumerate(items):
        inner = {**root, "item": item, "index": index}
        if "item" in root:
            inner["parent"] = root["item"]
        if "parent" in root:
            inner["grandparent"] = root["parent"]
        yield from _scopes(loops[1:], inner, around)


def _event(emit: Emit, root: Root, around: Surroundings, context: Context) -> dict[str, Any] | None:
    milestone, polarity = _milestone(emit, root, around)
    if not milestone:
        return None
    data = _attributes(emit, root, around, context)
    objects = _objects(emit, root, around, context, data.get("customer_id", ""), data.get("company", ""))
    at = occurred_at(emit.key, emit.occurred_at, root, around, context)
    named = _named(emit, objects)
    links = _links(emit, objects)
    data = {**named, **({"links": links} if links else {}), **data, **_time_fields(at)}
    for name, value in emit.further.items():
        if name not in data and (found := value.get(root, around)) is not None:
            data[name] = _text(value, found, MAX_ID)
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
        milestone = _text(milestone, found, MAX_ID)
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
        currency = _text(named, value, MAX_ID).strip().upper()
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
            found[name] = _text(value_of, value, MAX_TEXT if name in _LONG else MAX_ID)
    if "amount" in found and currency:
        found["currency"] = currency
    if context.company and "company" not in found:
        found["company"] = context.company
    return {name: found[name] for name in _ATTRIBUTES if name in found}


def _text(value: Value, found: Any, longest: int) -> str:
    try:
        plain = text(found)
    except Unusable as error:
        raise failed(value.key, value.expression, str(error)) from None
    if len(plain) > longest:
        if longest == MAX_TEXT:
            return plain[:longest]
        raise failed(value.key, value.expression, f"{plain[:40]!r}... has over {longest} characters")
    return plain


def _objects(
    emit: Emit, root: Root, around: Surroundings, context: Context, customer: str, company: str
) -> list[Named]:
    found: list[Named] = []
    for one in emit.objects:
        loops = (one.foreach,) if one.foreach is not None else ()
        for place, scope in enumerate(_scopes(loops, root, around)):
            if one.when is not None and not one.when.holds(scope, around):
                continue
            loop = one.foreach.expression if one.foreach is not None else ""
            found += _one_object(one, scope, around, context, customer, company, place, loop)
            if len(found) > MAX_OBJECTS:
                raise failed(emit.key, "", f"over {MAX_OBJECTS} objects in one event; use foreach")
    return found


def _one_object(
    one: Object,
    root: Root,
    around: Surroundings,
    context: Context,
    customer: str,
    company: str,
    place: int,
    loop: str,
) -> list[Named]:
    """Return the object behind an entry; several where its only name is a list."""
    called = [(name, _called(name, root, around, context, customer, company)) for name in one.names]
    spoken = [(name, ids) for name, ids in called if ids]
    if not spoken:
        return []
    # The name that can be trusted most is the id: a strong one before a weak one, else the first.
    first = next((pair for pair in spoken if not KEYS[pair[0].key].weak), spoken[0])
    if len(first[1]) > 1:
        if len(spoken) > 1:
            raise failed(
                first[0].value.key,
                first[0].value.expression,
                "several objects and further names: nobody can tell whose they are; use foreach",
            )
        return [Named(one.type, each, (), one.label, i, loop) for i, each in enumerate(first[1])]
    own = first[1][0]
    others = {i: KEYS[name.key].weak for name, ids in spoken for i in ids if i != own}
    return [Named(one.type, own, tuple(others.items()), one.label, place, loop)]


def _called(name: Name, root: Root, around: Surroundings, context: Context, customer: str, company: str) -> list[str]:
    """Return the ids that a name gives, none where the message has no value, or no scope for one that needs it."""
    value = name.value.get(root, around)
    if value is None:
        return []
    scope = ""
    if not KEYS[name.key].shared:
        known = _scope(name, root, around, context, customer, company)
        if known is None:
            return []
        scope = known
    ids = []
    for one in value if isinstance(value, list) else [value]:
        if one is None or one == "":
            continue
        if isinstance(one, bool):
            raise failed(name.value.key, name.value.expression, f"{one} names nothing")
        found = id_of(name.key, scope, _text(name.value, one, MAX_ID))
        if len(found) > MAX_ID:
            raise failed(
                name.value.key, name.value.expression, f"the id {found[:40]!r}... has over {MAX_ID} characters"
            )
        if found:
            ids.append(found)
    return list(dict.fromkeys(ids))


def _scope(name: Name, root: Root, around: Surroundings, context: Context, customer: str, company: str) -> str | None:
    """Return within what a key is unique: as the mapping says, else as the connection does, else as is usual."""
    if name.scope is not None:
        value = name.scope.get(root, around)
        return None if value is None else _text(name.scope, value, MAX_ID)
    usual = KEYS[name.key].scope
    if own := context.codes.get("scope", {}).get(name.key):
        return own
    if usual == "connection":
        return context.connection
    if usual == "company":
        return company
    if usual == "customer":
        return customer or None
    return None if usual else ""


def _named(emit: Emit, objects: Sequence[Named]) -> dict[str, Any]:
    """Return the id fields of an event."""
    ids: dict[str, dict[str, None]] = {}
    for one in objects:
        ids.setdefault(f"{one.type}_id", {})[one.id] = None
    for field, many in ids.items():
        if len(many) > MAX_IDS:
            raise failed(emit.key, "", f"{field}: {len(many)} objects, {MAX_IDS} at most; use foreach")
    return {field: next(iter(many)) if len(many) == 1 else list(many) for field, many in ids.items()}


def _links(emit: Emit, objects: Sequence[Named]) -> list[dict[str, Any]]:
    links: dict[str, dict[str, Any]] = {}
    for one in objects:
        for other, weak in one.others:
            relation = "weak_alias" if weak else "alias"
            _add(links, f"{one.type}:{other}", f"{one.type}:{one.id}", relation, False)
    for link in emit.links:
        for child, parent in _pairs(link, objects):
            _add(links, f"{child.type}:{child.id}", f"{parent.type}:{parent.id}", link.relation, link.retract)
    if len(links) > MAX_LINKS:
        raise failed(emit.key, "", f"{len(links)} links, {MAX_LINKS} at most in one event; use foreach")
    return list(links.values())


def _add(links: dict[str, dict[str, Any]], child: str, parent: str, relation: str, retract: bool) -> None:
    if child == parent:
        return
    link: dict[str, Any] = {"from": child, "to": parent}
    if relation:
        link["relation"] = relation
    if retract:
        link["retract"] = True
    links.setdefault(f"{child}\n{parent}\n{relation}", link)


def _pairs(link: Link, objects: Sequence[Named]) -> list[tuple[Named, Named]]:
    """Return which objects a stated link ties: round by round of the same loop, else all to the only one."""
    children = [o for o in objects if o.label == link.child]
    parents = [o for o in objects if o.label == link.parent]
    if not children or not parents:
        return []
    if children[0].loop and children[0].loop == parents[0].loop:
        by_place: dict[int, list[Named]] = {}
        for parent in parents:
            by_place.setdefault(parent.place, []).append(parent)
        return [(child, parent) for child in children for parent in by_place.get(child.place, ())]
    if len(children) > 1 and len(parents) > 1:
        raise failed(link.key, "", f"several {link.child} and several {link.parent}: give both the same foreach")
    return [(child, parent) for child in children for parent in parents]


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
    return "|".join(_text(value, found, MAX_TEXT) for value, found in parts)
