"""Acts of people that the audit must know before they happen: handed to the engine, which alone writes the chain."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tower.model.problem import Problem
from tower.store.audit import Audit, Entry
from tower.store.client import Store

_WAIT_S = 30.0


@dataclass(slots=True)
class _Asked:
    entries: Sequence[Entry]
    done: threading.Event = field(default_factory=threading.Event)
    failed: Exception | None = None


class Witness:
    """Takes entries from any thread; `step` is called by the engine's."""

    def __init__(self, store: Store, clock: Callable[[], datetime], wake: Callable[[], None]) -> None:
        self._audit = Audit(store)
        self._clock, self._wake = clock, wake
        self._asked: queue.SimpleQueue[_Asked] = queue.SimpleQueue()

    def record(self, entries: Sequence[Entry]) -> None:
        """Return once the entries are in the chain and synced. Raises Problem 503 when the engine does not tick."""
        asked = _Asked(entries)
        self._asked.put(asked)
        self._wake()
        if not asked.done.wait(_WAIT_S) or asked.failed is not None:
            raise Problem(503, "not_audited", "the engine wrote no audit row, so nothing was done", retry_after_s=5)

    def step(self, told: Sequence[Entry] = ()) -> int:
        """Write down what was asked for, and what the watchdog told meanwhile; return how many entries that were."""
        count = self._audit.append(told, self._clock())
        while not self._asked.empty():
            asked = self._asked.get()
            try:
                count += self._audit.append(asked.entries, self._clock())
            except Exception as error:
                asked.failed = error
                raise
            finally:
                asked.done.set()
        return count
