"""Where a file of a watched folder is: dropped, claimed, archived or failed. Every step is one durable rename.

A claimed file carries the instant of its claim in its name, from which the id of its message follows: after a crash the
same file becomes the same message.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector.segments import sync_folder

_CLAIMED = re.compile(r"(?P<ms>\d{13})-(?P<name>.+)", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Claimed:
    """A file that nobody but the tower touches any more."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError for a file that the tower did not put there."""
        found = _CLAIMED.fullmatch(path.name)
        if found is None:
            raise ValueError(path.name)
        self.path = path
        self.name = found["name"]
        self.at = _EPOCH + timedelta(milliseconds=int(found["ms"]))


class Places:
    """One watched folder. Files that the tower moves stay on its file system; a move is durable once settled."""

    def __init__(self, folder: Path, *, archive: bool) -> None:
        self.folder = folder
        self._taking = folder / ".taking"
        self._archive = folder / "archive" if archive else None
        self._failed = folder / "failed"
        self._last_ms = 0  # no two claims share an instant
        self._moved: set[Path] = set()

    def prepare(self) -> None:
        """Make the places. Raises OSError, also where files cannot be moved."""
        for place in (self._taking, self._failed, *([self._archive] if self._archive else [])):
            self._make(place)
        self.settle()

    def claimed(self) -> list[Claimed]:
        """Return the files whose taking has begun, in the order of their claims. Raises OSError."""
        return [Claimed(path) for path in sorted(self._taking.iterdir()) if _CLAIMED.fullmatch(path.name)]

    def claim(self, path: Path, at: datetime) -> Claimed:
        """Take a file out of the sender's reach. Raises OSError; FileNotFoundError if it is gone."""
        self._last_ms = max((at - _EPOCH) // timedelta(milliseconds=1), self._last_ms + 1)
        target = self._taking / f"{self._last_ms:013d}-{path.name}"
        path.rename(target)
        self._moved |= {self.folder, self._taking}
        return Claimed(target)

    def archive(self, claimed: Claimed) -> None:
        """Put a file away that was taken. Raises OSError."""
        if self._archive is None:
            claimed.path.unlink(missing_ok=True)
            self._moved.add(self._taking)
            return
        day = self._archive / claimed.at.date().isoformat()
        self._make(day)
        self._move(claimed, day)

    def fail(self, claimed: Claimed, why: str) -> None:
        """Put a file away that was refused, with the reason beside it. Raises OSError."""
        beside = self._failed / f"{claimed.path.name}.why.txt"
        beside.write_text(f"{why}\n", encoding="utf-8")
        self._move(claimed, self._failed)

    def settle(self) -> None:
        """Make every move so far durable. Raises OSError."""
        for place in sorted(self._moved):
            sync_folder(place)
        self._moved.clear()

    def _make(self, place: Path) -> None:
        if not place.is_dir():
            place.mkdir()
            self._moved.add(place.parent)

    def _move(self, claimed: Claimed, place: Path) -> None:
        claimed.path.rename(place / claimed.path.name)
        self._moved |= {place, self._taking}

    def purge(self, before: datetime) -> int:
        """Remove what was put away before a moment, and return how many files that were. Raises OSError."""
        limit = (before - _EPOCH) // timedelta(milliseconds=1)
        days = [d for d in self._archive.iterdir() if d.is_dir()] if self._archive and self._archive.is_dir() else []
        removed = 0
        for place in (self._failed, *days):
            for path in place.iterdir():
                found = _CLAIMED.fullmatch(path.name)
                if found and int(found["ms"]) < limit:
                    path.unlink(missing_ok=True)
                    removed += 1
            if place != self._failed and not any(place.iterdir()):
                place.rmdir()
        return removed
