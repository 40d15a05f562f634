"""What the API is given by the composition root. Nothing here is global; a test builds its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from rules.model import Book
from tower.model.connections import Connections
from tower.model.principal import Principal
from tower.model.problem import Problem
from tower.model.progress import Progress
from tower.settings import Settings
from tower.store.audit import Entry
from tower.store.client import Store


class Health(Protocol):
    """How the engine is doing; see tower.engine.engine.EngineHealth."""

    @property
    def ok(self) -> bool: ...
    @property
    def detail(self) -> str: ...
    @property
    def last_tick_at(self) -> datetime | None: ...
    @property
    def tick_s(self) -> float | None: ...
    @property
    def lag_s(self) -> float | None: ...
    @property
    def book_error(self) -> str: ...


class Doors(Protocol):
    """How the collector is doing; see collector.collector.CollectorStats."""

    @property
    def ready(self) -> bool: ...
    @property
    def reason(self) -> str: ...


def _nobody_records(_: Sequence[Entry]) -> None:
    raise Problem(503, "not_audited", "no engine runs here to write the audit, so nothing was done", retry_after_s=5)


@dataclass(frozen=True)
class ApiContext:
    """Everything an endpoint may use."""

    settings: Settings
    store: Store
    connections: Connections
    book: Callable[[], Book]
    authenticate: Callable[[str | None], Principal | None]
    progress: Progress
    engine_health: Callable[[datetime], Health]
    collector_stats: Callable[[], Doors]
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    record: Callable[[Sequence[Entry]], None] = (
        _nobody_records  # puts acts of people into the audit, before they happen
    )

    def stats(self) -> dict[str, Any]:
        """Return the collector's figures by name, whatever it counts."""
        stats = self.collector_stats()
        names = getattr(stats, "__slots__", None) or getattr(stats, "__dict__", {})
        return {name: getattr(stats, name) for name in names}
