"""Which files of a folder are complete: their companion is there, or they have not changed for long enough."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tower.model.connection import Files


@dataclass(slots=True)
class _Look:
    """What a file looked like, and since when it has looked so."""

    size: int
    changed_ns: int
    inode: int
    since: float


class Arrivals:
    """What is seen of one folder from look to look."""

    def __init__(self, folder: Path, rule: Files) -> None:
        self._folder = folder
        self._rule = rule
        self._looks: dict[str, _Look] = {}

    def complete(self, monotonic_s: float) -> list[Path]:
        """Return the complete files, the one that changed longest ago first. Raises OSError.

        Only plain files count: a link could lead anywhere. Names that begin with a dot are a sender's scratch. A file
        that its sender renames into place when it is whole passes as well.
        """
        rule, looks = self._rule, {}
        found: list[tuple[int, str]] = []
        names = {path.name for path in self._folder.iterdir()}
        for name in names:
            if name.startswith(".") or not fnmatchcase(name, rule.pattern) or fnmatchcase(name, rule.done):
                continue
            try:
                seen = (self._folder / name).lstat()
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(seen.st_mode):
                continue
            look = _Look(seen.st_size, seen.st_mtime_ns, seen.st_ino, monotonic_s)
            before = self._looks.get(name)
            if before and (before.size, before.changed_ns, before.inode) == (look.size, look.changed_ns, look.inode):
                look.since = before.since
            looks[name] = look
            if companions(rule, name) & names if rule.done else monotonic_s - look.since >= rule.settle_s:
                found.append((look.changed_ns, name))
        self._looks = looks
        return [self._folder / name for _, name in sorted(found)]


def companions(rule: Files, name: str) -> set[str]:
    """Return the names under which a sender may say that a file is complete; none where it says nothing.

    `*.done` speaks for orders.csv as orders.csv.done and as orders.done.
    """
    if not rule.done:
        return set()
    return {rule.done.replace("*", name), rule.done.replace("*", name.rpartition(".")[0] or name)} - {name}
