"""The configured sending systems (`TOWER_CONNECTIONS`), strictly read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_KEYS = {"name", "kind", "source", "scope", "company", "warehouse", "partner", "attributes"}


class ConnectionsError(ValueError):
    """The connections file cannot be used; the message names file, entry, key and what to write."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One door for one system. `source` is a path prefix of event sources, matched by whole segments."""

    name: str
    kind: str
    source: str
    scope: str = ""
    company: str = ""
    warehouse: str = ""
    partner: str = ""
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Connections:
    """All connections. Empty and unconfigured differ: unconfigured means that every system kind is taken as known."""

    entries: tuple[Connection, ...] = ()
    configured: bool = False

    @property
    def kinds(self) -> frozenset[str] | None:
        """The system kinds with a connection; None when no file was given."""
        return frozenset(c.kind for c in self.entries) if self.configured else None

    def find(self, source: str) -> Connection | None:
        """Return the connection whose source prefix fits longest, whole segments only."""
        fits = [c for c in self.entries if source == c.source or source.startswith(c.source.rstrip("/") + "/")]
        return max(fits, key=lambda c: len(c.source.rstrip("/")), default=None)

    def kind_of(self, source: str) -> str:
        """Return the system kind behind a source: its connection's, else the source's first path segment."""
        connection = self.find(source)
        return connection.kind if connection else source.strip("/").split("/", 1)[0]


def load_connections(path: Path | None) -> Connections:
    """Read the file; None gives the unconfigured value. Raises ConnectionsError."""
    if path is None:
        return Connections()
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConnectionsError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise ConnectionsError(f"{path}: is no YAML: {error}") from error
    if (
        not isinstance(document, dict)
        or set(document) != {"connections"}
        or not isinstance(document["connections"], list)
    ):
        raise ConnectionsError(f"{path}: write one key `connections:` with a list of entries")
    entries = tuple(_entry(path, i, item) for i, item in enumerate(document["connections"], 1))
    for attribute in ("name", "source"):
        values = [getattr(e, attribute) for e in entries]
        double = next((v for v in values if values.count(v) > 1), None)
        if double is not None:
            raise ConnectionsError(f"{path}: two connections have the {attribute} {double!r}; each needs its own")
    return Connections(entries, configured=True)


def _entry(path: Path, number: int, item: Any) -> Connection:
    if not isinstance(item, dict):
        raise ConnectionsError(f"{path}: connection {number} is no mapping; write name, kind and source")
    unknown = set(item) - _KEYS
    if unknown:
        raise ConnectionsError(f"{path}: connection {number}: unknown key {min(unknown)!r}; known are {sorted(_KEYS)}")
    for key in ("name", "kind"):
        if not isinstance(item.get(key), str) or not item[key]:
            raise ConnectionsError(f"{path}: connection {number}: {key} is missing or no text")
    allowed = item.get("attributes", [])
    if not isinstance(allowed, list) or not all(isinstance(a, str) for a in allowed):
        raise ConnectionsError(f"{path}: connection {item['name']}: attributes is a list of field names")
    texts = {k: item.get(k, "") for k in ("scope", "company", "warehouse", "partner")}
    if not all(isinstance(v, str) for v in (*texts.values(), item.get("source", ""))):
        raise ConnectionsError(
            f"{path}: connection {item['name']}: scope, company, warehouse, partner and source are texts"
        )
    source = item.get("source") or f"/{item['kind']}/{item['name']}"
    return Connection(item["name"], item["kind"], source, attributes=frozenset(allowed), **texts)
