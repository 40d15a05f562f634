"""The objects an event names: where its fact is kept and which links it states, by the rules of rules.vocabulary.

The store works that out itself for an event that names one object of a type by its id alone (migration 0012). Here is
what it cannot: lists of ids, links of the event's own, and the scope of a connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count, islice
from operator import attrgetter
from typing import NamedTuple

import msgspec
from msgspec import Struct

from collector.event import Data, LinkStatement
from collector.limits import MAX_ID
from collector.rejection import Rejection
from rules.vocabulary import ALIASES, ID_FIELDS, OBJECT_TYPES, RELATIONS, Link, ObjectRef, deepest, infer_links, orient

# How the members of an event begin that names an object, and of one that only states links.
NAMING = tuple(b',"%b":' % name.encode() for name in (*ID_FIELDS, "objects"))
ONLY_LINKS = b',"objects":{"on_types":[],'
_MEMBER = b',"objects":%b'
_MAX_SHAPE = 32  # ids of an event whose shape is worth keeping
_ids = attrgetter(*ID_FIELDS)
_encode = msgspec.json.Encoder().encode


class Objects(Struct, gc=False):
    """Columns of an event: objects that hold the fact, and links as parallel lists."""

    on_types: list[str]
    on_ids: list[str]
    child_types: list[str]
    child_ids: list[str]
    parent_types: list[str]
    parent_ids: list[str]
    relations: list[str]
    retracts: list[int]


def settle_objects(data: Data, scope: str) -> bytes:
    """Return the finished columns of an event's objects and links as a JSON member after a comma.

    Where the store can work them out, the result is empty and data is left with single ids under the connection's
    scope; otherwise with none. Its links are taken out of it either way. Raises Rejection.
    """
    given = zip(OBJECT_TYPES, _ids(data), strict=True)
    named = {name: ids for name, value in given if value and (ids := _unique(value, scope))}
    stated = _stated(data.links, scope) if data.links else []
    for field in (*ID_FIELDS, "links"):
        setattr(data, field, None)
    if stated:
        columns = _columns(named, stated)
        alone = _alone(columns)
        if alone is None or _columns(alone, []) != columns:
            return _MEMBER % _encode(columns)
        named = alone
    elif sum(map(len, named.values())) > len(named):
        return _inferred(named)
    for name, (only,) in named.items():
        setattr(data, f"{name}_id", only)
    return b""


def _alone(columns: Objects) -> dict[str, list[str]] | None:
    """Return the one id of each type that the columns speak of, None if they speak of two objects of one type."""
    found: dict[str, list[str]] = {}
    for types, ids in (
        (columns.on_types, columns.on_ids),
        (columns.child_types, columns.child_ids),
        (columns.parent_types, columns.parent_ids),
    ):
        for name, i in zip(types, ids, strict=True):
            if found.setdefault(name, [i]) != [i]:
                return None
    return found


def _inferred(named: Mapping[str, Sequence[str]]) -> bytes:
    """Return the member of an event without links of its own."""
    ids = [i for of_type in named.values() for i in of_type]
    if len(ids) > _MAX_SHAPE:
        return _MEMBER % _encode(_columns(named, []))
    shape = _shape(tuple((name, len(of_type)) for name, of_type in named.items()))
    encoded = [_encode(i) for i in ids]
    return shape.member % tuple([encoded[place] for place in shape.places])


class _Shape(NamedTuple):
    """What all events with so many ids of each type have in common.

    member has a %b wherever an id belongs; places says which of the event's ids, in the order of its types, that is.
    """

    member: bytes
    places: list[int]


@lru_cache(4096)
def _shape(counts: tuple[tuple[str, int], ...]) -> _Shape:
    """Work out one shape, on numbers in the place of ids."""
    numbers = map(str, count())
    columns = _columns({name: list(islice(numbers, number)) for name, number in counts}, [])
    places: list[int] = []
    parts = []
    for name, values in msgspec.structs.asdict(columns).items():
        if name.endswith("_ids"):
            places += map(int, values)
            text = b"[%b]" % b",".join([b"%b"] * len(values))
        else:
            text = _encode(values)
        parts.append(b"%b:%b" % (_encode(name), text))
    return _Shape(_MEMBER % (b"{%b}" % b",".join(parts)), places)


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
