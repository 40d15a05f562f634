"""What X12 and EDIFACT have in common: messages in groups in an interchange, each with a trailer that counts.

Wrong counts and control numbers become notes. A message that is not whole is a fault; the messages before and after it
are given all the same, and the faults are raised at the end of the body.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from collector.decoders.loops import KEYS, Arrangement, Plan, Segment, declared, is_segment
from collector.decoders.unit import Undecodable, Unit

BLANK = " \t\r\n\0\x1a"
_MAX_FAULTS = 100  # of one body; the rest is not looked at


class Frame(NamedTuple):
    """The segments that enclose, and where an opening one has its control number."""

    begin: str
    begin_number: str
    group: str
    group_number: str
    group_end: str
    message: str
    message_number: str
    message_end: str
    end: str


class Plans:
    """The loops of each message type, with those that the block declares."""

    def __init__(
        self,
        spec: Mapping[str, Any],
        loops: Mapping[str, Mapping[str, int]],
        groups: Mapping[str, frozenset[str]],
        closers: frozenset[str],
    ) -> None:
        own_loops, own_groups = declared(spec)
        self._known = loops
        self._loops = own_loops
        self._groups = {**groups, **own_groups}
        self._closers = closers
        self._made: dict[str, Plan] = {}

    def of(self, message_type: str) -> Plan:
        """Return the plan of a message type, the groups alone for one that is not known."""
        plan = self._made.get(message_type)
        if plan is None:
            loops = {**self._known.get(message_type, {}), **self._loops}
            plan = self._made[message_type] = Plan(loops, self._groups, self._closers)
        return plan


class Faults:
    """The faults found in one body, in order."""

    def __init__(self) -> None:
        self.found: list[Undecodable] = []

    def add(self, detail: str, position: str, *, foreign: bool = False) -> None:
        """Note one more."""
        self.found.append(Undecodable(detail, position, foreign=foreign))

    @property
    def enough(self) -> bool:
        """Whether to stop looking."""
        return len(self.found) >= _MAX_FAULTS

    def tell(self) -> None:
        """Raise all faults as one, if there are any."""
        if not self.found:
            return
        first, *further = self.found
        if not further:
            raise first
        more = f"; and {len(further)} more, the next at {further[0].position}: {further[0].detail}"
        raise Undecodable(first.detail + more, first.position)


class Interchange(ABC):
    """The segments after one opening segment, as texts."""

    frame: ClassVar[Frame]
    listed: ClassVar[str]  # what a document of the whole interchange calls its messages
    alone: ClassVar[frozenset[str]] = frozenset()  # segments that are a message of their own outside of any

    def __init__(self, opening: Segment, texts: Sequence[str], notes: Sequence[str]) -> None:
        self.opening = opening
        self.number = self.text(opening, self.frame.begin_number)
        self._texts = texts
        self._notes = notes

    @abstractmethod
    def parse(self, text: str) -> tuple[str, Segment]:
        """Return id and elements of a segment. Raises Undecodable, with the id as position."""

    @abstractmethod
    def text(self, segment: Segment, key: str) -> str:
        """Return a plain element, '' where it is not given."""

    @abstractmethod
    def message_type(self, opening: Segment) -> str:
        """Return the type that an opening segment of a message names."""

    @abstractmethod
    def document(self, group: Segment | None, opening: Segment | None) -> dict[str, Any]:
        """Return the document of a message before its segments; without opening, of the whole interchange."""

    def units(self, plans: Plans, faults: Faults, *, whole: bool) -> Iterator[Unit]:
        """Yield each whole message; or one unit of all, if whole is asked for and nothing is at fault."""
        if not whole:
            yield from self._messages(plans, faults)
            return
        before = len(faults.found)
        units = list(self._messages(plans, faults))
        if units and len(faults.found) == before:
            document = self.document(None, None)
            document[self.listed] = [unit.document for unit in units]
            notes = tuple(f"{unit.position}: {note}" for unit in units for note in unit.notes)
            yield Unit(document, f"interchange {self.number}", notes)

    def _messages(self, plans: Plans, faults: Faults) -> Iterator[Unit]:
        """Yield each whole message. The last one carries the notes on the envelope."""
        walk = _Walk(self, plans, faults, self._notes)
        for number, text in enumerate(self._texts, 2):
            if (unit := walk.take(number, text)) is not None:
                yield unit
            if faults.enough:
                break
        if (unit := walk.end()) is not None:
            yield unit


class _Walk:
    """The way through the segments of one interchange. One unit is held back, so that later notes can go with it."""

    def __init__(self, interchange: Interchange, plans: Plans, faults: Faults, notes: Sequence[str]) -> None:
        self._of = interchange
        self._frame = frame = interchange.frame
        self._control = {frame.group, frame.group_end, frame.message, frame.message_end, frame.end}
        self._plans = plans
        self._faults = faults
        self._notes = list(notes)
        self._held: Unit | None = None
        self._message: Arrangement | None = None
        self._document: dict[str, Any] = {}
        self._identity = ""
        self._group: Segment | None = None
        self._groups = self._messages = self._in_group = 0
        self._closed = False
        self._sound = True  # no fault has been found
        self._lost = False  # a fault has been told; nothing is read until the next control segment
        self._number, self._name = 1, frame.begin

    def take(self, number: int, text: str) -> Unit | None:
        """Take the next segment; return the unit before the one that it completes."""
        self._number = number
        try:
            name, segment = self._of.parse(text)
            self._name = name
            if self._message is not None and (name not in self._control or name == self._frame.message_end):
                self._message.add(name, segment)
            elif name not in self._control and name not in self._of.alone:
                raise Undecodable("a segment stands outside a message", name)
        except Undecodable as error:
            self._fault(error.detail, error.position)
            self._message, self._lost = None, True
            return None
        if name == self._frame.message_end:
            return self._end_message(segment)
        if name in self._control:
            self._enclose(name, segment)
        elif self._message is None:
            return self._alone(name, segment)
        return None

    def end(self) -> Unit | None:
        """Return the last unit, with what the interchange as a whole got wrong."""
        if self._message is not None:
            self._fault(f"it ends inside message {self._identity}", self._name)
        elif self._held is None and self._sound:
            self._fault("the interchange holds no message", self._name)
        if self._held is None:
            return None
        if not self._closed:
            self._notes.append(f"there is no {self._frame.end}; the end may be missing")
        return self._held._replace(notes=(*self._held.notes, *self._notes))

    def _end_message(self, segment: Segment) -> Unit | None:
        name, message = self._frame.message_end, self._message
        before = None
        if message is not None:
            self._messages += 1
            self._in_group += 1
            notes = [*message.notes, *self._trailer(name, segment, message.count, "segments", self._identity)]
            before = self._hold(Unit(self._document, self._position(f"message {self._identity}"), tuple(notes)))
        else:
            self._fault(f"{name} stands outside a message", name)
        self._message, self._lost = None, False
        return before

    def _enclose(self, name: str, segment: Segment) -> None:
        """Take a control segment around messages."""
        frame = self._frame
        if self._message is not None:
            self._fault(f"message {self._identity} has no {frame.message_end}", name)
        self._message, self._lost = None, False
        if name == frame.message:
            self._identity = self._of.text(segment, frame.message_number)
            self._document = self._of.document(self._group, segment)
            self._message = Arrangement(self._document, self._plans.of(self._of.message_type(segment)))
            self._message.add(name, segment)
            return
        opened = self._of.text(self._group, frame.group_number) if self._group is not None else ""
        if name == frame.group_end:
            self._notes += self._trailer(name, segment, self._in_group, "messages", opened)
        elif self._group is not None:
            self._notes.append(f"group {opened} has no {frame.group_end}")
        self._group = None
        if name == frame.group:
            self._group, self._in_group = segment, 0
            self._groups += 1
        elif name == frame.end:
            counted, what = (self._groups, "groups") if self._groups else (self._messages, "messages")
            self._notes += self._trailer(name, segment, counted, what, self._of.number)
            self._closed = True

    def _alone(self, name: str, segment: Segment) -> Unit | None:
        document = self._of.document(None, {"01": name})
        document[name] = [segment]
        return self._hold(Unit(document, self._position(name)))

    def _hold(self, unit: Unit) -> Unit | None:
        before, self._held = self._held, unit
        return before

    def _fault(self, detail: str, name: str) -> None:
        self._sound = False
        if not self._lost:
            self._faults.add(detail, self._place(name))

    def _place(self, name: str) -> str:
        return self._position(f"segment {self._number} ({name})")

    def _position(self, what: str) -> str:
        return f"interchange {self._of.number}, {what}"

    def _trailer(self, name: str, segment: Segment, counted: int, what: str, opened: str) -> Iterator[str]:
        """Yield what a trailer says that is not so."""
        said, control = self._of.text(segment, "01"), self._of.text(segment, "02")
        if said.lstrip("0") != str(counted).lstrip("0"):
            yield f"{name} counts {said or 'no'} {what}, there are {counted}"
        if control != opened:
            yield f"{name} has control number {control or '(none)'}, its opening {opened or '(none)'}"


def named(parts: list[str], name: str, valid: set[str]) -> None:
    """Raise Undecodable if the parts are no segment. valid remembers the ids that are."""
    if name not in valid:
        if not is_segment(name):
            raise Undecodable(f"{name[:20]!r} is no segment", ascii(name[:3]))
        valid.add(name)
    if len(parts) > len(KEYS) + 1:
        raise Undecodable(f"a segment has more than {len(KEYS)} elements", name)
