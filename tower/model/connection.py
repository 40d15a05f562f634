"""One configured door for one sending system, as `TOWER_CONNECTIONS` says. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tower.model.schemes import KEY


@dataclass(frozen=True, slots=True)
class Verify:
    """How a message proves that it comes from the system. secrets are references, the newest first; each is tried.

    `options` are the scheme's own (tower.model.schemes); `expect` names parts of a message that must say exactly one of
    these values: `header:NAME`, `query:NAME` or `body:path.to.field`.
    """

    scheme: str = KEY
    secrets: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    expect: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def option(self, name: str) -> str:
        """Return an option that holds one text, '' when it is unset."""
        return next(iter(self.options.get(name, ())), "")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a connection may send; 0 means no limit. A day is a day in UTC."""

    per_second: int = 0
    per_day: int = 0


@dataclass(frozen=True, slots=True)
class Files:
    """A watched folder. A file is complete when it has not changed for settle_s or its `done` companion is there.

    archive: whether taken files are kept beside it for as long as raw bodies; else they are removed.
    """

    folder: str
    pattern: str = "*"
    settle_s: int = 60
    done: str = ""
    archive: bool = True


@dataclass(frozen=True, slots=True)
class SpanMilestone:
    """Spans whose success means that a milestone was reached. service, name and the values of attributes are patterns
    as in file names. ids: attribute to the id field it holds, for these spans only.
    """

    milestone: str
    service: str = "*"
    name: str = "*"
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    ids: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Spans:
    """Whose traces and logs speak for a connection, and how they are read. services: patterns of service names.
    ids: attribute to the id field it holds, beyond `o2c.*`.
    """

    services: tuple[str, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict, hash=False)
    milestones: tuple[SpanMilestone, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """One door for one system. `source` is a path prefix of event sources, matched by whole segments.

    mapping: name of the mapping set, '' when the system sends events of the tower's own form only. zone: of local times
    in its messages. codes: look-up tables, table to code to word. contracts: kind of message to the schema versions
    accepted. event_id: where a message names itself (`header:`, `query:`, `body:`), '' for what its scheme knows.
    headers: kept with the raw beyond the usual. origins: who may ask for a webhook's permission; none means anyone.
    """

    name: str
    kind: str
    source: str
    scope: str = ""
    company: str = ""
    warehouse: str = ""
    partner: str = ""
    attributes: frozenset[str] = frozenset()
    mapping: str = ""
    verify: Verify = Verify()
    zone: str = "UTC"
    currency: str = ""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    limits: Limits = Limits()
    contracts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    files: Files | None = None
    event_id: str = ""
    headers: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    spans: Spans = Spans()
