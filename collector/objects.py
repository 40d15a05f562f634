"""The objects an event names: where its fact is kept and which links it states.

The rules are those of rules.vocabulary. Events of one shape (the same types, one id each) get the same answer, so
that answer is worked out once per shape and applied by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from collector.event import Data, LinkStatement
from collector.limits import MAX_ID
from collector.rejection import Rejection
from rules.vocabulary import ID_FIELDS, OBJECT_TYPES, RELATIONS, Link, ObjectRef, deepest, infer_links, orient

_ids = attrgetter(*(f"{name}_id" for name in OBJECT_TYPES))


class Objects(NamedTuple):
    """Columns of an event: objects that hold the fact, and links as parallel lists."""

    on_types: Sequence[str]
    on_ids: Sequence[str]
    child_types: Sequence[str] = ()
    child_ids: Sequence[str] = ()
    parent_types: Sequence[str] = ()
    parent_ids: Sequence[str] = ()
    relations: Sequence[str] = ()
    retracts: Sequence[int] = ()


NOTHING = Objects((), ())


def objects_of(data: Data, scope: str) -> Objects:
    """Return the objects and links of an event, ids prefixed by the connection's scope. Raises Rejection."""
    values = _ids(data)
    if data.links:
        return _listed(values, data.links, scope)
    shape = _shape(tuple(map(type, values)))
    if shape is None:
        return _listed(values, (), scope)
    if scope:
        values = tuple(f"{scope}/{i}" for i in values)
    columns = shape.columns
    if columns is NOTHING:
        return NOTHING
    return Objects(
        columns.on_types,
        [values[i] for i in shape.on],
        columns.child_types,
        [values[i] for i in shape.children],
        columns.parent_types,
        [values[i] for i in shape.parents],
        columns.relations,
        columns.retracts,
    )


class _Shape(NamedTuple):
    """What all events with these fields have in common: positions of holders, children and parents, and the rest."""

    on: list[int]
    children: list[int]
    parents: list[int]
    columns: Objects


@lru_cache(4096)
def _shape(kinds: tuple[type, ...]) -> _Shape | None:
    """Work out one shape on stand-in ids, given the type of each id field's value; None if one is a list."""
    if list in kinds:
        return None
    named = {name: [name] for name, kind in zip(OBJECT_TYPES, kinds, strict=True) if kind is str}
    if not named:
        return _Shape([], [], [], NOTHING)
    columns = _columns(named, [])
    return _Shape(
        [OBJECT_TYPES.index(t) for t in columns.on_types],
        [OBJECT_TYPES.index(t) for t in columns.child_types],
        [OBJECT_TYPES.index(t) for t in columns.parent_types],
        columns,
    )


def _listed(values: Sequence[Any], links: Sequence[LinkStatement], scope: str) -> Objects:
    """Return the columns of an event with lists of ids or stated links."""
    named = {name: _unique(value, scope) for name, value in zip(OBJECT_TYPES, values, strict=True) if value is not None}
    named = {name: ids for name, ids in named.items() if ids}
    stated = _stated(links, scope)
    return _columns(named, stated) if named or stated else NOTHING


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
