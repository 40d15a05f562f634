"""The objects an event names: where its fact is kept and which links it states.

The rules are those of rules.vocabulary. Events of one shape (the same types, one id each) get the same answer, so
that answer is worked out once per shape and applied by position.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from collector.event import Data, LinkStatement
from collector.rejection import Rejection
from rules.vocabulary import ID_FIELDS, OBJECT_TYPES, RELATIONS, Link, ObjectRef, deepest, infer_links, orient

_FIELDS = tuple((f"{name}_id", name) for name in OBJECT_TYPES)


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
    types: list[str] = []
    ids: list[str] = []
    plain = True
    for field, name in _FIELDS:
        value = getattr(data, field)
        if value is not None:
            types.append(name)
            ids.append(value)
            plain = plain and type(value) is str
    if not types and not data.links:
        return NOTHING
    if not plain or data.links:
        named = {t: _unique(value, scope) for t, value in zip(types, ids, strict=True)}
        return _columns({t: v for t, v in named.items() if v}, _stated(data.links or (), scope))
    if scope:
        ids = [f"{scope}/{i}" for i in ids]
    if len(types) == 1:
        return Objects(types, ids)
    on, children, parents, shape = _shape(tuple(types))
    return shape._replace(
        on_ids=[ids[i] for i in on], child_ids=[ids[i] for i in children], parent_ids=[ids[i] for i in parents]
    )


@cache
def _shape(types: tuple[str, ...]) -> tuple[list[int], list[int], list[int], Objects]:
    """Work out one shape on stand-in ids; returns the positions of holders, children and parents."""
    shape = _columns({t: [t] for t in types}, [])
    place = {t: i for i, t in enumerate(types)}
    return (
        [place[t] for t in shape.on_types],
        [place[t] for t in shape.child_types],
        [place[t] for t in shape.parent_types],
        shape,
    )


def _columns(named: dict[str, Sequence[str]], stated: list[Link]) -> Objects:
    links = list(dict.fromkeys([*infer_links(named), *stated]))
    on = deepest(named, links)
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
    if object_type not in RELATIONS and object_type != "order":
        raise Rejection(
            "invalid_link",
            'name an object as "shipment:S1", {"type": "shipment", "id": "S1"} or {"shipment_id": "S1"};'
            f" types are {', '.join(OBJECT_TYPES)} - at `$.data.links[{index}].{side}`",
        )
    return ObjectRef(object_type, f"{scope}/{object_id}" if scope else object_id)
