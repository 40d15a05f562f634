"""What a connection's messages look like that they did not before: a new field, another type, an unknown code.

The first messages of a kind teach its shape; later ones are sampled. What is new is written down with the first message
that showed it, and counted. Nothing is refused for drift: a contract does that, or a mapping that fails.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.contracts.shape import shape_of
from collector.raw.message import RawMessage
from collector.stats import Totals
from tower.store.client import Store
from tower.store.shapes import Trait, read_traits, write_traits

LEARN_MESSAGES = 50
LEARN_FOR = timedelta(days=3)
_EVERY_S = 0.2  # between two looks at one kind of message, once its shape is learned
_MOST_CODES = 12  # a field with more different codes holds names or ids
_MOST_TRAITS = 3000  # of one kind of message; what has more is no shape
_FLUSH_S = 5.0
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Kind:
    """One kind of message of one connection: how often it was looked at, and what it has shown."""

    seen: Trait
    types: dict[str, dict[str, Trait]] = field(default_factory=dict)
    codes: dict[str, dict[str, Trait]] = field(default_factory=dict)
    next_s: float = 0.0
    traits: int = 0

    def add(self, trait: Trait) -> None:
        (self.codes if trait.kind == "code" else self.types).setdefault(trait.path, {})[trait.value] = trait
        self.traits += 1


class Drift:
    """Watches all connections. Thread-safe."""

    def __init__(self, store: Store, totals: Totals, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._totals, self._clock = store, totals, clock
        self._lock = threading.Lock()
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._changed: dict[tuple[str, ...], Trait] = {}
        self._flush_s = 0.0

    def load(self) -> None:
        """Take up what was known before this process."""
        for trait in read_traits(self._store):
            kind = self._kind(trait.connection, trait.topic, trait.first_at)
            if trait.kind == "messages":
                kind.seen = trait
            else:
                kind.add(trait)
            self._totals.of(trait.connection).drift += trait.drifted

    def due(self, connection: str, topic: str) -> bool:
        """Return whether the next document of a kind is to be looked at: each while learning, later a sample."""
        kind = self._kinds.get((connection, topic))
        return kind is None or kind.seen.messages < LEARN_MESSAGES or self._clock() >= kind.next_s

    def look(self, message: RawMessage, topic: str, document: object) -> None:
        """Compare a document, as JSON has it, with what its kind looked like."""
        with self._lock:
            now = message.received_at
            kind = self._kind(message.connection, topic, now)
            kind.next_s = self._clock() + _EVERY_S
            learning = kind.seen.messages < LEARN_MESSAGES and now - kind.seen.first_at <= LEARN_FOR
            kind.seen = kind.seen.again(now)
            self._changed[kind.seen.key] = kind.seen
            self._compare(kind, message, document, learning)
            if self._clock() >= self._flush_s:
                self._flush()

    def accept(self, connection: str, topic: str = "") -> int:
        """Take what has drifted as it is from now on; return how much that was."""
        with self._lock:
            drifted = [
                trait
                for (name, kind), known in self._kinds.items()
                if name == connection and topic in ("", kind)
                for traits in (*known.types.values(), *known.codes.values())
                for trait in traits.values()
                if trait.drifted
            ]
            for trait in drifted:
                # One more, so that this state of the row counts.
                accepted = replace(trait, drifted=False, messages=trait.messages + 1)
                kept = self._kinds[trait.connection, trait.topic]
                (kept.codes if trait.kind == "code" else kept.types)[trait.path][trait.value] = accepted
                self._changed[accepted.key] = accepted
            self._totals.of(connection).drift -= len(drifted)
            self._flush()
            return len(drifted)

    def stop(self) -> None:
        """Write down what has changed."""
        with self._lock:
            self._flush()

    def _compare(self, kind: _Kind, message: RawMessage, document: object, learning: bool) -> None:
        shape = shape_of(document)
        new: list[str] = []
        for path, value in sorted(shape.fields):
            # Below a new field everything is new; it is told once.
            told = any(path.startswith((f"{parent}.", f"{parent}[]")) for parent in new)
            if path not in kind.types:
                new.append(path)
            known = kind.types.get(path, {})
            self._trait(kind, message, "field", path, value, known, drifted=not learning and not told)
        for path, value in sorted(shape.codes):
            known = kind.codes.get(path, {})
            if value in known or len(known) <= _MOST_CODES:
                # A field whose codes were never learned has none to be unknown.
                drifted = not learning and bool(known) and path not in new
                self._trait(kind, message, "code", path, value, known, drifted=drifted)

    def _trait(
        self,
        kind: _Kind,
        message: RawMessage,
        what: str,
        path: str,
        value: str,
        known: dict[str, Trait],
        *,
        drifted: bool,
    ) -> None:
        trait = known.get(value)
        if trait is not None and not trait.drifted:
            return
        if trait is not None:
            trait = trait.again(message.received_at)
            known[value] = trait
        elif kind.traits < _MOST_TRAITS:
            was = ", ".join(sorted(known)) if what == "field" else ""
            at = message.received_at
            trait = Trait(
                message.connection, kind.seen.topic, what, path, value, at, at, 1, drifted, was, message.raw_id
            )
            kind.add(trait)
            if drifted:
                self._totals.of(message.connection).drift += 1
                _log.info("drift", connection=message.connection, topic=kind.seen.topic, what=what, path=path)
        else:
            return
        self._changed[trait.key] = trait

    def _flush(self) -> None:
        self._flush_s = self._clock() + _FLUSH_S
        changed: Sequence[Trait] = list(self._changed.values())
        if not changed:
            return
        try:
            write_traits(self._store, changed)
        except (ClickHouseError, OSError) as error:
            _log.warning("shapes_not_written", error=str(error)[:300])  # they are written with the next ones
        else:
            self._changed = {}

    def _kind(self, connection: str, topic: str, now: datetime) -> _Kind:
        found = self._kinds.get((connection, topic))
        if found is None:
            seen = Trait(connection, topic, "messages", "", "", now, now, 0, False, "", "")
            found = self._kinds[connection, topic] = _Kind(seen)
        return found
