"""Segments of one EDI message arranged for mappings: flat by segment id, and again in the loops they repeat in.

Neither X12 nor EDIFACT marks its loops (HL apart): where one begins follows from the segment that leads it. A *loop*
goes on until a segment leads one of the same or a lower depth, or closes all; a *group* only while its members follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from collector.decoders.unit import Undecodable

Segment = dict[str, Any]
Bag = dict[str, Any]

# Positions as they are printed: REF02 is REF[0]."02".
KEYS = tuple(f"{number:02}" for number in range(1, 100))
_MAX_SEGMENTS = 200_000  # of one message
_MAX_HL_DEPTH = 16
# Loops and levels are listed with what is above and below them. That shares and copies nothing, but whoever writes a
# whole document out writes each segment that often.
_MAX_WEIGHT = 2_000_000
_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_LEVEL = re.compile(r"[A-Z0-9]{1,2}")


class Plan(NamedTuple):
    """How the segments of one message type repeat."""

    loops: Mapping[str, int]  # leading segment -> depth, 1 is outermost
    groups: Mapping[str, frozenset[str]]  # leading segment -> members
    closers: frozenset[str]  # segments that end every loop


def declared(spec: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, frozenset[str]]]:
    """Return the loops and groups that a block declares itself. Raises ValueError."""
    given = spec.get("loops", {})
    loops: dict[str, int] = {}
    groups: dict[str, frozenset[str]] = {}
    if not isinstance(given, Mapping):
        raise ValueError("decode: loops must map segments to a depth or to members, such as {LIN: 1, TAX: [MOA]}")
    for leader, what in given.items():
        if not isinstance(leader, str) or not _ID.fullmatch(leader):
            raise ValueError(f"decode: loops has {leader!r}, which is no segment")
        if isinstance(what, int) and not isinstance(what, bool) and 1 <= what <= 4:
            loops[leader] = what
        elif isinstance(what, list) and what and all(isinstance(m, str) and _ID.fullmatch(m) for m in what):
            groups[leader] = frozenset(what)
        else:
            raise ValueError(f"decode: loops: {leader} must be a depth, 1 to 4, or a list of segments, such as [MOA]")
    return loops, groups


def is_segment(name: str) -> bool:
    """Return whether a text can be the id of a segment."""
    return _ID.fullmatch(name) is not None


class Arrangement:
    """One message as it fills up."""

    def __init__(self, document: Bag, plan: Plan) -> None:
        self._document = document
        self._plan = plan
        self._leaders = plan.loops.keys() | plan.groups.keys() | plan.closers | {"HL"}
        self._head: Bag = {}
        document["head"] = self._head
        self._bag = document  # what takes every segment: the document, or the HL level that is open
        self._level: _Level | None = None
        self._loops: list[_Loop] = []
        self._groups: list[_Group] = []
        self._levels: dict[str, _Level] = {}
        self._weight = 0
        self.count = 0
        self.notes: list[str] = []

    def add(self, name: str, segment: Segment) -> None:
        """Take the next segment. Raises Undecodable."""
        self.count += 1
        if self._groups:
            self._groups = [group for group in self._groups if name in group.members]
        if name in self._leaders:
            self._lead(name, segment)
        _put(self._bag, name, segment)
        if self._level is not None:
            self._level.size += 1
            self._weight += len(self._level.path)
        elif not self._loops:
            _put(self._head, name, segment)
        for loop in self._loops:
            _put(loop.item, name, segment)
        if self._loops:
            innermost = self._loops[-1]
            _put(innermost.own, name, segment)
            innermost.size += 1
            self._weight += innermost.shown
        for group in self._groups:
            _put(group.item, name, segment)
        if self.count > _MAX_SEGMENTS or self._weight > _MAX_WEIGHT:
            raise Undecodable("it has too many segments, or too many in one loop; send smaller messages", name)

    def _lead(self, name: str, segment: Segment) -> None:
        plan = self._plan
        if name == "HL":
            self._loops, self._groups = [], []
            self._open_level(segment)
        elif name in plan.closers:
            self._loops, self._groups = [], []
            self._bag, self._level = self._document, None
        elif (depth := plan.loops.get(name)) is not None:
            self._groups = []
            self._loops = [loop for loop in self._loops if loop.depth < depth]
            self._loops.append(_Loop(name, depth, self._open(name)))
        else:
            self._groups.append(_Group(plan.groups[name], self._open(name)))

    def _open(self, name: str) -> Bag:
        """Return a new bag, listed where it begins and in every loop that is open."""
        item: Bag = {}
        if self._loops:
            item["up"] = {loop.name: loop.own for loop in self._loops}
            for loop in self._loops:
                self._weight += loop.size
                loop.shown += 1
        listed = name.lower()
        self._bag.setdefault(listed, []).append(item)
        for loop in self._loops:
            loop.item.setdefault(listed, []).append(item)
        return item

    def _open_level(self, segment: Segment) -> None:
        identity, parent, code = segment.get("01", ""), segment.get("02", ""), segment.get("03", "")
        if not _LEVEL.fullmatch(code):
            raise Undecodable(f"HL03 is {code!r}; it must be a level code such as S or O", f"HL {identity}")
        above = self._levels.get(parent)
        if parent and above is None:
            self.notes.append(f"HL {identity} names parent {parent}, which does not come before it")
        if identity in self._levels:
            self.notes.append(f"HL {identity} comes twice")
        path = [*above.path, above] if above else []
        if len(path) >= _MAX_HL_DEPTH:
            raise Undecodable(f"HL is nested deeper than {_MAX_HL_DEPTH} levels", f"HL {identity}")
        bag: Bag = {}
        item: Bag = {"id": identity, "parent": parent, "level": code, "seg": bag, "up": {}, "under": {}}
        for ancestor in path:
            item["up"][ancestor.code] = ancestor.bag
            ancestor.under.setdefault(code, []).append(bag)
            self._weight += ancestor.size
        self._document.setdefault("hl", []).append(item)
        self._bag = bag
        self._level = self._levels[identity] = _Level(code, bag, item["under"], path)


class _Loop:
    """A loop that may go on.

    item is what mappings read; own holds what stands in no loop inside it, size segments, shown by so many items.
    """

    __slots__ = ("depth", "item", "name", "own", "shown", "size")

    def __init__(self, name: str, depth: int, item: Bag) -> None:
        self.name = name
        self.depth = depth
        self.item = item
        self.own: Bag = {}
        self.size = 0
        self.shown = 0


class _Group(NamedTuple):
    members: frozenset[str]
    item: Bag


class _Level:
    """An HL level. path are the levels above, outermost first."""

    __slots__ = ("bag", "code", "path", "size", "under")

    def __init__(self, code: str, bag: Bag, under: Bag, path: list[_Level]) -> None:
        self.code = code
        self.bag = bag
        self.under = under
        self.path = path
        self.size = 0


def _put(bag: Bag, name: str, segment: Segment) -> None:
    found = bag.get(name)
    if found is None:
        bag[name] = [segment]
    else:
        found.append(segment)
