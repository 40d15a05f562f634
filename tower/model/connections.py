"""The configured sending systems (`TOWER_CONNECTIONS`), strictly read."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from rules.document import read_files
from tower.model.connection import Connection
from tower.model.entry import ConnectionsError, Entry
from tower.model.read_connection import KEYS, read_connection

__all__ = ["Connection", "Connections", "ConnectionsError", "load_connections"]


@dataclass(frozen=True, slots=True)
class Connections:
    """All connections. Empty and unconfigured differ: unconfigured means that every system kind is taken as known."""

    entries: tuple[Connection, ...] = ()
    configured: bool = False

    @property
    def kinds(self) -> frozenset[str] | None:
        """The system kinds with a connection; None when no file was given."""
        return frozenset(c.kind for c in self.entries) if self.configured else None

    def named(self, name: str) -> Connection | None:
        """Return the connection of that name."""
        return next((c for c in self.entries if c.name == name), None)

    def find(self, source: str) -> Connection | None:
        """Return the connection whose source prefix fits longest, whole segments only."""
        fits = [c for c in self.entries if source == c.source or source.startswith(c.source.rstrip("/") + "/")]
        return max(fits, key=lambda c: len(c.source.rstrip("/")), default=None)

    def of_service(self, service: str) -> Connection | None:
        """Return the first connection whose spans are those of a service."""
        return next((c for c in self.entries if any(fnmatchcase(service, p) for p in c.spans.services)), None)

    def kind_of(self, source: str) -> str:
        """Return the system kind behind a source: its connection's, else the source's first path segment."""
        connection = self.find(source)
        return connection.kind if connection else source.strip("/").split("/", 1)[0]


def load_connections(path: Path | None) -> Connections:
    """Read the file; None gives the unconfigured value. Raises ConnectionsError."""
    if path is None:
        return Connections()
    try:
        text = path.read_text()
    except OSError as error:
        raise ConnectionsError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConnectionsError(f"{path}: is no text; save the file as UTF-8") from error
    document = read_files({str(path): text})
    if document.problems:
        raise ConnectionsError(str(document.problems[0]))
    listed = document.value.get("connections")
    if set(document.value) != {"connections"} or not isinstance(listed, list):
        raise ConnectionsError(f"{path}: write one key `connections:` with a list of entries")
    entries = tuple(
        read_connection(
            Entry(path, document, ("connections", i), item, f"connection {i + 1}", KEYS, "name, kind and source")
        )
        for i, item in enumerate(listed)
    )
    for attribute in ("name", "source"):
        values = [getattr(e, attribute) for e in entries]
        double = next((v for v in values if values.count(v) > 1), None)
        if double is not None:
            raise ConnectionsError(f"{path}: two connections have the {attribute} {double!r}; each needs its own")
    watched = [str(Path(e.files.folder).expanduser()) for e in entries if e.files]
    double = next((folder for folder in watched if watched.count(folder) > 1), None)
    if double is not None:
        raise ConnectionsError(f"{path}: two connections watch the folder {double}; each needs its own")
    return Connections(entries, configured=True)
