"""Events made of telemetry on their way into the journal of events, through the same checks as any sender's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import structlog

from collector.identity import Identities
from collector.intake import take
from collector.otlp.facts import instant_of
from collector.otlp.line import Line
from collector.senders import Sender, Senders
from rules.vocabulary import HEARTBEAT
from tower.model.connections import Connections
from tower.model.principal import Principal

_log = structlog.get_logger(__name__)
_BEAT_MS = 1000  # a watermark moves by at least this much


class Keeper:
    """Journals events, each once as far as it remembers, and says how far connections were heard. For one thread."""

    def __init__(
        self,
        connections: Connections,
        commit: Callable[[bytes], object],
        milestones: Callable[[], frozenset[str]],
        clock: Callable[[], datetime],
    ) -> None:
        self.connections = connections
        self._commit = commit
        self._milestones = milestones
        self._clock = clock
        self._identities = Identities()
        self._heard: dict[str, int] = {}

    def keep(self, events: Sequence[Mapping[str, Any]], lines: Sequence[Line]) -> None:
        """Journal events, and behind them a heartbeat of each connection that the lines hear. Raises Unavailable."""
        heard = self._moved(lines)
        events = [*events, *(self._beat(name, at) for name, at in heard.items())]
        if not events:
            return
        now = self._clock()
        batch = take(
            [msgspec.json.encode(event) for event in events],
            senders=_Telemetry(self.connections, now),
            milestones=self._milestones(),
            identities=self._identities,
            now=now,
            utf8=True,
        )
        for rejected in batch.reply.rejected:
            _log.error("span_fact_rejected", id=rejected.id, code=rejected.code, detail=rejected.detail)
        if batch.lines:
            self._commit(bytes(batch.lines))
        self._identities.remember(batch.fresh)
        self._heard |= heard

    def _moved(self, lines: Sequence[Line]) -> dict[str, int]:
        """Return the configured connections that were heard further than before, Unix ms."""
        heard: dict[str, int] = {}
        for line in lines:
            for name, at in line.heard.items():
                heard[name] = max(at, heard.get(name, 0))
        return {
            name: at
            for name, at in heard.items()
            if at >= self._heard.get(name, 0) + _BEAT_MS and self.connections.named(name) is not None
        }

    def _beat(self, name: str, at: int) -> dict[str, Any]:
        connection = self.connections.named(name)
        assert connection is not None
        moment = instant_of(at * 1_000_000)
        return {
            "specversion": "1.0",
            "id": f"telemetry-{moment}",
            "source": connection.source,
            "type": f"o2c.{HEARTBEAT}",
            "time": moment,
        }


class _Telemetry(Senders):
    """The senders behind events made of telemetry: whoever the door let in; ids have their scope already."""

    def __init__(self, connections: Connections, now: datetime) -> None:
        super().__init__(connections, Principal("telemetry", frozenset({"admin"})), now)

    def find(self, source: str) -> Sender:
        return replace(super().find(source), scope="")
