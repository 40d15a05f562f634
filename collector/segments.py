"""The journal's files on disk: one folder of segments, each named by the position of its first byte.

Positions count bytes since the journal began and never restart, so a name says where its bytes belong.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

SUFFIX = ".ndjson"
_CHUNK = 1 << 16


def segment_path(folder: Path, start: int) -> Path:
    """Return the file of the segment that begins at a position."""
    return folder / f"{start:020d}{SUFFIX}"


def starts(folder: Path) -> list[int]:
    """Return the first position of each segment in the folder, rising."""
    return sorted(int(p.stem) for p in folder.glob(f"*{SUFFIX}") if p.stem.isdecimal())


def sync_folder(folder: Path) -> None:
    """Make new, renamed and removed names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def create_segment(folder: Path, start: int) -> int:
    """Return a handle on a new empty segment whose name is durable.

    A segment of that name can only be left from a write that failed before anything in it was acknowledged.
    """
    path = segment_path(folder, start)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        sync_folder(folder)
    except OSError:
        os.close(handle)
        raise
    return handle


def recover_tail(path: Path) -> int:
    """Cut a torn last line off a segment, sync it and return its length; the torn line was never acknowledged."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        kept = 0
        at = size
        while at > 0:
            begin = max(0, at - _CHUNK)
            file.seek(begin)
            found = file.read(at - begin).rfind(b"\n")
            if found >= 0:
                kept = begin + found + 1
                break
            at = begin
        if kept != size:
            file.truncate(kept)
        os.fsync(file.fileno())
    return kept


def journal_id(folder: Path) -> str:
    """Return the journal's own name, made at first start: positions of another journal must not look like ours."""
    path = folder / "id"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        name = uuid.uuid4().hex
        fresh = path.with_suffix(".new")
        with fresh.open("w") as file:
            file.write(name)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(folder)
        return name
