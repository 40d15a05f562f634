"""The mapping sets in force: read at start, and again when a file of them has changed. A broken change is told, and the
last good sets stay.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from collector.contracts.contracts import Contracts
from collector.contracts.schemas import Schema, read_schemas
from collector.mapping import SHIPPED, MappingsError, MappingSet, System, load_mappings
from tower.model.connections import Connections

_log = structlog.get_logger(__name__)
_LOOK_S = 5.0


class Mappings:
    """The sets of all connections. Thread-safe."""

    def __init__(self, connections: Connections, own: Path | None) -> None:
        """Read the sets, if any connection names one. Raises MappingsError, also for a name that no set has."""
        self._connections = connections.entries
        self._named = {c.name: c.mapping for c in connections.entries if c.mapping}
        self._folders = (SHIPPED, own) if own else (SHIPPED,)
        self._lock = threading.Lock()
        self._state = self._files()
        self._looked_at = time.monotonic()
        self.schemas: Mapping[str, Schema] = {}
        self._systems, self.contracts = self._read()
        self.trouble = ""

    def system(self, connection: str) -> System | None:
        """Return the set of a connection, None if it names none."""
        return self._systems.get(connection)

    def look(self) -> None:
        """Take up changed files, at most every few seconds; a broken change is logged."""
        if time.monotonic() - self._looked_at > _LOOK_S:
            try:
                self.refresh()
            except MappingsError as error:
                _log.error("mappings not taken up, the last good ones stay", problems=str(error))

    def refresh(self) -> None:
        """Take up changed files now. Raises MappingsError, and then the last good sets stay."""
        with self._lock:
            self._looked_at = time.monotonic()
            state = self._files()
            if state == self._state and not self.trouble:
                return
            self._state = state
            try:
                self._systems, self.contracts = self._read()
            except MappingsError as error:
                self.trouble = str(error)
                raise
            self.trouble = ""
            _log.info("mappings taken up")

    def _read(self) -> tuple[dict[str, System], Contracts]:
        schemas, problems = read_schemas(self._folders)
        contracts = Contracts(self._connections, schemas)
        if problems or contracts.problems:
            raise MappingsError([*problems, *contracts.problems])
        found = load_mappings(*self._folders) if self._named else MappingSet({})
        systems = {name: found.select(mapping) for name, mapping in self._named.items()}
        self.schemas = schemas
        return systems, contracts

    def _files(self) -> list[tuple[str, int, int]]:
        """Return what changes when a file changes: name, size and time of each."""
        paths = sorted(p for folder in self._folders for p in folder.glob("*/*") if p.suffix in (".yaml", ".json"))
        stats = [(path, path.stat()) for path in paths]
        return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats]
