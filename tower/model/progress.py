"""How far the journal has been stored and judged: the one thing that doors, drain and engine share in a process."""

from __future__ import annotations

import threading


class Progress:
    """Two rising journal positions (bytes since the journal began) and a bell that wakes the engine."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stored = 0
        self._judged = 0
        self._bell = threading.Event()

    @property
    def stored(self) -> int:
        """Position up to which every line is in the store."""
        with self._changed:
            return self._stored

    @property
    def judged(self) -> int:
        """Position up to which every line has been through a whole tick."""
        with self._changed:
            return self._judged

    def mark_stored(self, position: int) -> None:
        """The drain has stored everything before position; wakes the engine."""
        with self._changed:
            self._stored = max(self._stored, position)
            self._changed.notify_all()
        self._bell.set()

    def mark_judged(self, position: int) -> None:
        """A tick that began when `stored` was position has ended."""
        with self._changed:
            self._judged = max(self._judged, position)
            self._changed.notify_all()

    def wait_stored(self, position: int, timeout_s: float) -> bool:
        """Block until position is stored; False when the time runs out first."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stored >= position, timeout_s)

    def wait_judged(self, position: int, timeout_s: float) -> bool:
        """Block until position is judged; False when the time runs out first."""
        self._bell.set()
        with self._changed:
            return self._changed.wait_for(lambda: self._judged >= position, timeout_s)

    def ring(self) -> None:
        """Wake the engine without new events."""
        self._bell.set()

    def wait_bell(self, timeout_s: float) -> bool:
        """Block until woken or the time has passed, and silence the bell."""
        rung = self._bell.wait(timeout_s)
        self._bell.clear()
        return rung
