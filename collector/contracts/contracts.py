"""Which schemas each connection accepts for which kind of message, and whether one document fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from collector.contracts.schemas import Schema
from rules.errors import Problem, closest
from tower.model.connection import Connection


class Contracts:
    """The accepted versions of all connections. A kind of message is its topic, or the mapping that reads it."""

    def __init__(self, connections: Iterable[Connection], schemas: Mapping[str, Schema]) -> None:
        self._accepted: dict[str, dict[str, list[Schema]]] = {}
        self.problems: list[Problem] = []
        for connection in connections:
            for kind, names in connection.contracts.items():
                for name in names:
                    if name in schemas:
                        kinds = self._accepted.setdefault(connection.name, {})
                        kinds.setdefault(kind, []).append(schemas[name])
                    else:
                        where = f"connection {connection.name}: contracts: {kind}"
                        self.problems.append(Problem(f"there is no schema {name!r}", closest(name, schemas), where))

    def any(self, connection: str) -> bool:
        """Return whether a connection has a contract."""
        return connection in self._accepted

    def fault(self, connection: str, topic: str, mapping: str, document: Any) -> str:
        """Return why a document breaks its contract, '' when it fits a version or has none to fit."""
        kinds = self._accepted.get(connection, {})
        schemas = kinds.get(topic) or kinds.get(mapping)
        if not schemas:
            return ""
        faults = []
        for schema in schemas:
            fault = schema.fault(document)
            if not fault:
                return ""
            faults.append(f"{schema.name}: {fault}")
        return " / ".join(faults)
