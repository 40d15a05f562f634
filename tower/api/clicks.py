"""How often somebody changed something through this process, so that cached boards know they are old."""

from __future__ import annotations

import threading


class Clicks:
    """A rising count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def add(self) -> None:
        """Count one change."""
        with self._lock:
            self.count += 1
