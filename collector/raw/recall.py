"""What the doors must know of the time before this process: repeats and the day's counts, from store and journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from collector.ingest.throttle import Throttle
from collector.raw.message import read_line
from collector.raw.seen import ID_DAYS, Seen
from tower.model.connections import Connections
from tower.store.client import Store
from tower.store.sql import load


def recall(
    store: Store, connections: Connections, unstored: Iterable[bytes], seen: Seen, throttle: Throttle, now: datetime
) -> None:
    """Fill in what was kept before; unstored are lines of native messages that are not in the store yet."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    counts: Counter[str] = Counter()
    with store.reader() as client:
        for connection, event_id, digest, at in client.query(
            load("raw_seen"), parameters=_since(now - timedelta(days=ID_DAYS))
        ).result_rows:
            seen.remember(connection, event_id, digest, at)
        for connection, count in client.query(load("raw_today"), parameters=_since(midnight)).result_rows:
            counts[connection] += count
        if limited := [c.name for c in connections.entries if c.limits.per_day]:
            parameters = {"since": midnight, "connections": limited}
            for connection, count in client.query(load("events_today"), parameters=parameters).result_rows:
                counts[connection] += count
    for message in map(read_line, unstored):
        seen.remember(message.connection, message.event_id, message.sha256, message.received_at)
        counts[message.connection] += message.received_at >= midnight
    throttle.load(counts, now)


def _since(since: datetime) -> dict[str, object]:
    return {"since": since, "first": f"{max(int(since.timestamp() * 1000), 0):012x}"}
