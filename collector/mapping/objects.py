"""The objects that an event names: their ids and further names by key, and the links that the mapping states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from collector.limits import MAX_ID, MAX_IDS, MAX_LINKS
from collector.mapping.errors import failed
from collector.mapping.loops import rounds
from collector.mapping.model import Emit, Link, Name, Object, Root
from collector.mapping.names import KEYS, id_of
from collector.mapping.transforms import Surroundings

MAX_OBJECTS = 4 * MAX_IDS


class Within(NamedTuple):
    """Within what the keys of one event are unique. own: the connection's own scope of a key, where it has one."""

    connection: str
    company: str
    customer: str
    own: Mapping[str, str]


class Named(NamedTuple):
    """One object as an event names it: its id, further names with whether each is weak, and its place in a list."""

    type: str
    id: str
    others: tuple[tuple[str, bool], ...]
    label: str
    place: int
    loop: str


def named_objects(emit: Emit, root: Root, around: Surroundings, within: Within) -> list[Named]:
    """Return the objects of an event, in the order of the mapping. Raises MappingFailed."""
    found: list[Named] = []
    for one in emit.objects:
        loops = (one.foreach,) if one.foreach is not None else ()
        for place, scope in enumerate(rounds(loops, root, around)):
            if one.when is not None and not one.when.holds(scope, around):
                continue
            found += _named(one, scope, around, within, place)
            if len(found) > MAX_OBJECTS:
                raise failed(emit.key, "", f"over {MAX_OBJECTS} objects in one event; use foreach")
    return found


def _named(one: Object, root: Root, around: Surroundings, within: Within, place: int) -> list[Named]:
    """Return the object behind an entry; several where its only name is a list."""
    called = [(name, _called(name, root, around, within)) for name in one.names]
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
        return [Named(one.type, each, (), one.label, i, "") for i, each in enumerate(first[1])]
    loop = one.foreach.expression if one.foreach is not None else ""
    own = first[1][0]
    others = {i: KEYS[name.key].weak for name, ids in spoken for i in ids if i != own}
    return [Named(one.type, own, tuple(others.items()), one.label, place, loop)]


def _called(name: Name, root: Root, around: Surroundings, within: Within) -> list[str]:
    """Return the ids that a name gives, none where the message has no value, or no scope for one that needs it."""
    value = name.value.get(root, around)
    if value is None:
        return []
    scope = ""
    if not KEYS[name.key].shared:
        known = _scope(name, root, around, within)
        if known is None:
            return []
        scope = known
    ids = []
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_OBJECTS:
        raise failed(name.value.key, "", f"over {MAX_OBJECTS} objects in one event; use foreach")
    for one in values:
        if one is None or one == "":
            continue
        if isinstance(one, bool):
            raise failed(name.value.key, name.value.expression, f"{one} names nothing")
        found = id_of(name.key, scope, name.value.text(one, MAX_ID))
        if len(found) > MAX_ID:
            raise failed(
                name.value.key, name.value.expression, f"the id {found[:40]!r}... has over {MAX_ID} characters"
            )
        if found:
            ids.append(found)
    return list(dict.fromkeys(ids))


def _scope(name: Name, root: Root, around: Surroundings, within: Within) -> str | None:
    """Return within what a key is unique: as the mapping says, else as the connection does, else as is usual."""
    if name.scope is not None:
        value = name.scope.get(root, around)
        return None if value is None else name.scope.text(value, MAX_ID)
    usual = KEYS[name.key].scope
    if own := within.own.get(name.key):
        return own
    if usual == "connection":
        return within.connection
    if usual == "company":
        return within.company
    if usual == "customer":
        return within.customer or None
    return None if usual else ""


def fields_of(emit: Emit, objects: Sequence[Named]) -> dict[str, Any]:
    """Return the id fields of an event."""
    ids: dict[str, dict[str, None]] = {}
    for one in objects:
        ids.setdefault(f"{one.type}_id", {})[one.id] = None
    for field, many in ids.items():
        if len(many) > MAX_IDS:
            raise failed(emit.key, "", f"{field}: {len(many)} objects, {MAX_IDS} at most; use foreach")
    return {field: next(iter(many)) if len(many) == 1 else list(many) for field, many in ids.items()}


def links_of(emit: Emit, objects: Sequence[Named]) -> list[dict[str, Any]]:
    """Return the links of an event that do not follow from its objects: further names, and what the mapping states."""
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
