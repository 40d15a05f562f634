"""The objects an event names: where its fact is kept and which links it states.

The rules are those of rules.vocabulary. Events of one shape (the same types, one id each) get the same answer but for
the ids, so that answer is worked out once per shape, as JSON with places for the ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter, itemgetter
from types import NoneType
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from collector.event import Data, LinkStatement
from collector.limits import MAX_ID
from collector.rejection import Rejection
from rules.vocabulary import ALIASES, ID_FIELDS, OBJECT_TYPES, RELATIONS, Link, ObjectRef, deepest, infer_links, orient

_ids = attrgetter(*ID_FIELDS)
_encode = msgspec.json.Encoder().encode
_MAX_SHAPES = 4096


class Objects(Struct, omit_defaults=True, gc=False):
    """Columns of an event: objects that hold the fact, and links as parallel lists."""

    on_types: Sequence[str] = ()
    on_ids: Sequence[str] = ()
    child_types: Sequence[str] = ()
    child_ids: Sequence[str] = ()
    parent_types: Sequence[str] = ()
    parent_ids: Sequence[str] = ()
    relations: Sequence[str] = ()
    retracts: Sequence[int] = ()


def take_objects(data: Data, scope: str) -> bytes:
    """Return the columns of an event's objects and links as JSON members, each after a comma; empty if it names none.

    Ids are prefixed by the connection's scope. The fields that were read are emptied in data, so that what is left of
    it are the attributes. Raises Rejection.
    """
    values = _ids(data)
    if data.links:
        links, data.links = data.links, None
        return _listed(data, values, links, scope)
    kinds = tuple(map(type, values))
    shape = _SHAPES.get(kinds) or _learn(kinds)
    if not shape.single:
        return _listed(data, values, (), scope)
    for name in shape.fields:
        setattr(data, name, None)
    ids = [_encode(f"{scope}/{values[i]}" if scope else values[i]) for i in shape.named]
    return shape.members % shape.place(ids)


class _Shape(NamedTuple):
    """What all events with these fields have in common.

    named are the positions of the ids in the event; place puts them, once encoded, where members has a %b.
    """

    single: bool
    fields: tuple[str, ...]
    named: tuple[int, ...] = ()
    place: Callable[[list[bytes]], object] = tuple
    members: bytes = b""


_SHAPES: dict[tuple[type, ...], _Shape] = {}


def _learn(kinds: tuple[type, ...]) -> _Shape:
    """Work out one shape on stand-in ids, given the type of each id field's value. There are at most 3^12."""
    fields = tuple(name for name, kind in zip(ID_FIELDS, kinds, strict=True) if kind is not NoneType)
    shape = _Shape(list not in kinds, fields)
    if shape.single and fields:
        types = [ID_FIELDS[name] for name in fields]
        places: list[int] = []
        members = b""
        for column, values in msgspec.structs.asdict(_columns({t: [t] for t in types}, [])).items():
            if not values:
                continue
            if column.endswith("_ids"):
                places += [types.index(v) for v in values]
                members += b',"%b":[%b]' % (column.encode(), b",".join([b"%b"] * len(values)))
            else:
                members += b',"%b":%b' % (column.encode(), _encode(values))
        named = tuple(OBJECT_TYPES.index(t) for t in types)
        shape = _Shape(True, fields, named, itemgetter(*places), members)
    if len(_SHAPES) < _MAX_SHAPES:
        _SHAPES[kinds] = shape
    return shape


def _listed(data: Data, values: Sequence[Any], links: Sequence[LinkStatement], scope: str) -> bytes:
    """Return the columns of an event with lists of ids or stated links."""
    for name in ID_FIELDS:
        setattr(data, name, None)
    named = {name: _unique(value, scope) for name, value in zip(OBJECT_TYPES, values, strict=True) if value is not None}
    named = {name: ids for name, ids in named.items() if ids}
    stated = _stated(links, scope)
    return b"," + _encode(_columns(named, stated))[1:-1] if named or stated else b""


def _columns(named: Mapping[str, Sequence[str]], stated: list[Link]) -> Objects:
    links = list(dict.fromkeys([*infer_links(dict(named)), *stated]))
    on = deepest(dict(named), links)
    return Objects(
        [o.type for o in on],
        [o.id for o in on],
        [link.child.type for link in links],
        [link.child.id for link in links],
        [link.parent.type for link in links],
        [link.parent.id for link in links],
        [link.relation for link in links],
        [int(link.retract) for link in links],
    )


def _unique(value: str | list[str], scope: str) -> list[str]:
    """Return the ids of one field in one order, each once: their order in the event says nothing."""
    ids = [value] if isinstance(value, str) else sorted(set(value))
    return [f"{scope}/{i}" for i in ids] if scope else ids


def _stated(links: Sequence[LinkStatement], scope: str) -> list[Link]:
    found = set()
    for i, link in enumerate(links):
        child, parent = orient(_end(link.from_, scope, i, "from"), _end(link.to, scope, i, "to"))
        if child == parent:
            raise Rejection("invalid_link", f"an object cannot hang from itself - at `$.data.links[{i}]`")
        relation = link.relation or RELATIONS.get(child.type, "relates")
        if relation in ALIASES and child.type != parent.type:
            raise Rejection(
                "invalid_link",
                f"{relation} says that two names mean one object, so both are of one type;"
                f" {child.type} and {parent.type} are not - at `$.data.links[{i}]`",
            )
        found.add(Link(child, parent, relation, bool(link.retract)))
    return sorted(found)


def _end(end: str | dict[str, str], scope: str, index: int, side: str) -> ObjectRef:
    """Return the object that one end of a stated link names, in any of its three spellings."""
    if isinstance(end, str):
        object_type, _, object_id = end.partition(":")
    elif end.keys() == {"type", "id"}:
        object_type, object_id = end["type"], end["id"]
    elif len(end) == 1 and next(iter(end)) in ID_FIELDS:
        ((field, object_id),) = end.items()
        object_type = ID_FIELDS[field]
    else:
        object_type = object_id = ""
    if object_type not in OBJECT_TYPES or not 0 < len(object_id) <= MAX_ID:
        raise Rejection(
            "invalid_link",
            'name an object as "shipment:S1", {"type": "shipment", "id": "S1"} or {"shipment_id": "S1"};'
            f" ids have 1 to {MAX_ID} characters,"
            f" types are {', '.join(OBJECT_TYPES)} - at `$.data.links[{index}].{side}`",
        )
    return ObjectRef(object_type, f"{scope}/{object_id}" if scope else object_id)
