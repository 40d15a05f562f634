"""Folders of mapping files to sets of mappings: one set for one kind of system, the first mapping that matches wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from collector.decoders import Undecodable, Unit, decode
from collector.decoders.numbers import Number, numbers_of
from collector.mapping.apply import run
from collector.mapping.context import Context, root_of
from collector.mapping.errors import MappingFailed, MappingsError
from collector.mapping.model import Mapped, MappingFile
from collector.mapping.read import read_mapping
from collector.mapping.transforms import Surroundings
from rules.errors import Problem, closest

SHIPPED = Path(__file__).parent.parent / "mappings"
MAX_DOCUMENTS = 20_000  # in a list of JSON; files of rows have no limit but their size
MAX_UNKNOWN = 100  # documents of one message that no mapping knows, each with a row in quarantine
UNMAPPED, FAILED, CONTRACT = "unmapped_payload", "mapping_failed", "contract"


class Outcome(NamedTuple):
    """What became of one document of a message. reason is the quarantine reason, '' where it is usable.

    mapping is the label of the one that read it, '' if none matched. ignored says why it gives no event by intention.
    numbers are its control numbers, whatever became of it.
    """

    position: str
    mapping: str = ""
    events: tuple[Mapped, ...] = ()
    reason: str = ""
    detail: str = ""
    ignored: str = ""
    notes: tuple[str, ...] = ()
    numbers: tuple[Number, ...] = ()


class _Unknown:
    """Documents that no mapping knows: the first of them are told one by one, the rest as a number."""

    def __init__(self) -> None:
        self._told = 0
        self._last = Outcome("")

    def tell(self, outcome: Outcome) -> bool:
        """Return whether an outcome is told by itself."""
        self._told += 1
        self._last = outcome
        return self._told <= MAX_UNKNOWN

    def rest(self) -> Iterator[Outcome]:
        """Yield the one outcome of those that were not."""
        more = self._told - MAX_UNKNOWN
        if more > 0:
            detail = f"{more} further documents that no mapping of the set knows; this is the last"
            yield self._last._replace(detail=detail)


@dataclass(frozen=True, slots=True)
class Format:
    """The mappings of one set that read documents of one format."""

    decode: Mapping[str, Any]
    mappings: tuple[MappingFile, ...]

    def match(self, root: dict[str, Any], around: Surroundings) -> MappingFile | None:
        """Return the first mapping that says it knows the document."""
        for mapping in self.mappings:
            try:
                if mapping.match.holds(root, around):
                    return mapping
            except MappingFailed:  # an expression about another kind of document
                continue
        return None


class _Opened(NamedTuple):
    """A body that can be read: its documents after the first, the first, and the mapping that knows it, if one does."""

    form: Format
    units: Iterator[Unit]
    first: Unit
    mapping: MappingFile | None


def _bounded(opened: _Opened) -> _Opened | Outcome:
    """Return what was opened, or the refusal of a list of JSON with more documents than one message may hold."""
    if opened.form.decode["format"] != "json":
        return opened
    rest = list(islice(opened.units, MAX_DOCUMENTS))
    if len(rest) == MAX_DOCUMENTS:
        return Outcome("$", reason=UNMAPPED, detail=f"it holds over {MAX_DOCUMENTS} documents; send it in parts")
    return opened._replace(units=iter(rest))


class System:
    """The mappings of one kind of system, in the order of their files."""

    def __init__(self, name: str, mappings: Sequence[MappingFile]) -> None:
        self.name, self.mappings = name, tuple(mappings)
        specs: list[Mapping[str, Any]] = []
        for mapping in mappings:
            if mapping.decode not in specs:
                specs.append(mapping.decode)
        self._formats = [Format(spec, tuple(m for m in mappings if m.decode == spec)) for spec in specs]

    @property
    def edition(self) -> str:
        """The labels of all mappings: another text if any of them changes."""
        return ",".join(mapping.label for mapping in self.mappings)

    def outcomes(
        self,
        body: bytes,
        context: Context,
        old_news: Callable[[Unit], bool] | None = None,
        fault: Callable[[Unit, MappingFile], str] | None = None,
    ) -> Iterator[Outcome]:
        """Yield what becomes of each document of a message, in their order; at least one. Never raises for a message.

        A set may hold several formats: the first whose decoder and whose mappings know the first document is taken.
        old_news tells the documents that say nothing new, which are not read; fault why a known one may not be read.
        """
        base = root_of(None, context)
        around = Surroundings(context.codes, context.currency)
        opened = self._open(body, base, around)
        if isinstance(opened, Outcome):
            yield opened
            return
        form, units, first, mapping = opened
        unknown = _Unknown()
        try:
            for unit in chain((first,), units):
                numbers = numbers_of(unit.document)
                if old_news is not None and old_news(unit):
                    told = "it says what was said before"
                    yield Outcome(unit.position, ignored=told, notes=unit.notes, numbers=numbers)
                    continue
                root = {**base, "body": unit.document}
                if unit is not first:
                    mapping = form.match(root, around)
                if fault is not None and mapping is not None and (wrong := fault(unit, mapping)):
                    yield Outcome(unit.position, mapping.label, (), CONTRACT, wrong, notes=unit.notes, numbers=numbers)
                    continue
                outcome = self._outcome(unit, mapping, root, context)._replace(numbers=numbers)
                if outcome.mapping or unknown.tell(outcome):
                    yield outcome
        except Undecodable as error:
            yield _undecodable(error)
        yield from unknown.rest()

    def _open(self, body: bytes, base: Mapping[str, Any], around: Surroundings) -> _Opened | Outcome:
        """Return the format to read a body by with its documents, or what to say of a body that cannot be read."""
        readable: _Opened | None = None
        fault: Undecodable | None = None
        empty = False
        for form in self._formats:
            try:
                units = decode(form.decode, body)
                first = next(units, None)
            except Undecodable as error:
                if fault is None or error.weight > fault.weight:
                    fault = error
                continue
            if first is None:
                empty = True
                continue
            mapping = form.match({**base, "body": first.document}, around)
            readable = _Opened(form, units, first, mapping) if mapping or readable is None else readable
            if mapping is not None:
                break
        if readable is not None:
            return _bounded(readable)
        if empty or fault is None:
            return Outcome("", ignored="the message holds no document")
        return _undecodable(fault)

    def _outcome(self, unit: Unit, mapping: MappingFile | None, root: dict[str, Any], context: Context) -> Outcome:
        if mapping is None:
            return Outcome(unit.position, reason=UNMAPPED, detail=self._unmapped(unit), notes=unit.notes)
        if mapping.refuse is not None:
            reason, detail = mapping.refuse.reason, mapping.refuse.detail
            return Outcome(unit.position, mapping.label, reason=reason, detail=detail, notes=unit.notes)
        if mapping.ignore:
            return Outcome(unit.position, mapping.label, ignored=mapping.ignore, notes=unit.notes)
        try:
            events = run(mapping, root, context)
        except MappingFailed as error:
            detail = f"{mapping.file}: {error}"
            return Outcome(unit.position, mapping.label, reason=FAILED, detail=detail, notes=unit.notes)
        return Outcome(unit.position, mapping.label, tuple(events), notes=unit.notes)

    def _unmapped(self, unit: Unit) -> str:
        held = ", ".join(sorted(map(str, unit.document))[:12])
        return f"no mapping of the set {self.name} knows it; it holds {held or 'nothing'}"


def _undecodable(error: Undecodable) -> Outcome:
    return Outcome(error.position, reason=error.reason, detail=error.detail)


@dataclass(frozen=True, slots=True)
class MappingSet:
    """All sets by name."""

    systems: Mapping[str, System]

    def select(self, name: str) -> System:
        """Return the set that a connection names. Raises MappingsError."""
        system = self.systems.get(name)
        if system is None:
            raise MappingsError([Problem(f"there is no mapping set {name!r}", closest(name, self.systems))])
        return system


def load_mappings(*folders: Path) -> MappingSet:
    """Return the sets of some folders, each a folder of sets; without one, those that ship.

    A later folder's mapping replaces the one of the same name in the same set; further ones are asked first.
    Raises MappingsError with every problem.
    """
    problems: list[Problem] = []
    systems: dict[str, System] = {}
    for folder in folders or (SHIPPED,):
        for path in _sets(folder, problems):
            read = _read_set(path, problems)
            own = {mapping.name for mapping in read}
            held = systems[path.name].mappings if path.name in systems else ()
            systems[path.name] = System(path.name, (*read, *(m for m in held if m.name not in own)))
    if problems:
        raise MappingsError(problems)
    return MappingSet(dict(sorted(systems.items())))


def _sets(folder: Path, problems: list[Problem]) -> Sequence[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.is_dir() and any(path.glob("*.yaml")))
    except OSError as error:
        problems.append(Problem(f"the folder cannot be read ({error.strerror})", "", "", str(folder)))
        return ()
    if not found:
        problems.append(Problem("the folder holds no set", "make a folder in it for each system", "", str(folder)))
    return found


def _read_set(path: Path, problems: list[Problem]) -> list[MappingFile]:
    found: list[MappingFile] = []
    for file in sorted(path.glob("*.yaml")):
        name = f"{path.name}/{file.name}"
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(f"cannot be read ({error})", "save it as UTF-8 text", "", name, 1))
            continue
        mapping, wrong = (_read_shipped if path.parent == SHIPPED else read_mapping)(name, text, path)
        problems += wrong
        if mapping is not None:
            if mapping.name in {m.name for m in found}:
                problems.append(Problem(f"the set has a mapping {mapping.name!r} already", "", "mapping", name, 1))
            found.append(mapping)
    return found


@cache
def _read_shipped(name: str, text: str, path: Path) -> tuple[MappingFile | None, list[Problem]]:
    """Return what read_mapping does, from memory the second time: what ships hardly ever changes under a tower."""
    return read_mapping(name, text, path)


def structured(mapped: Mapped) -> bytes:
    """Return an event as the JSON that collector.intake takes."""
    return msgspec.json.encode(mapped.event)
