"""What files pass through: a journal of their own, so that a large one holds up no other message, and the events'."""

from __future__ import annotations

from dataclasses import dataclass

from collector.stream import Stream
from tower.model.progress import Progress


@dataclass(frozen=True, slots=True)
class Journals:
    """The journal of files and that of events, each with how far it is stored."""

    files: Stream
    files_progress: Progress
    events: Stream
    events_progress: Progress
