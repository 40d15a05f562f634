"""A silent feed is one finding with a life, whatever the number of orders that wait for it.

It opens when a feed has broken its promise, keeps its start while the feed stays late, is resolved when the feed is
heard in time again, and is retracted when it should never have been (another rulebook promises something else, or the
connection is gone). While a stream settles after a silence it vouches only for what it had told before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from rules.model import Book, Feed
from tower.engine.feeds import FeedState
from tower.store.sql import load

RULE = "feed."  # the finding of connection wms-berlin is of rule feed.wms-berlin


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding as it is stored."""

    system: str
    state: str
    opened_at: datetime
    detected_at: datetime
    resolved_at: datetime | None
    evidence: Mapping[str, Any]

    @property
    def heard_until(self) -> datetime | None:
        """How far the feed had told when it was last seen late."""
        told = self.evidence.get("watermark")
        return datetime.fromisoformat(told) if told else None


def settle(client: Client, book: Book, states: list[FeedState], now: datetime) -> list[FeedState]:
    """Open, resolve or retract the finding of each feed, and return the states with their gates held where needed.

    A tick that is repeated writes nothing more.
    """
    kept = _kept(client)
    promises = {feed.connection: feed for feed in book.feeds}
    by_name = {s.connection: s for s in states if s.gates}
    for name in kept.keys() - by_name.keys():
        if kept[name].state == "open":
            _write(client, book, name, replace(kept[name], state="retracted"), now)
    held: dict[str, datetime | None] = {}
    for name, state in by_name.items():
        feed, before = promises[name], kept.get(name)
        after = _next(feed, state, before, now)
        if after is not None and after != before:
            _write(client, book, name, after, now)
        held[name] = _held(feed, state, after, now)
    return [replace(s, held_at=held.get(s.connection)) for s in states]


def _next(feed: Feed, state: FeedState, before: Kept | None, now: datetime) -> Kept | None:
    """Return what the finding of a feed is from now on; None when there is none and never was."""
    if state.since is not None:
        evidence = _evidence(feed, state)
        if before is None or before.state != "open":
            return Kept(state.kind, "open", state.since, now, None, evidence)
        moved = feed.settle_s > 0 and evidence["watermark"] != before.evidence.get("watermark")
        return replace(before, evidence={**before.evidence, "watermark": evidence["watermark"]}) if moved else before
    if before is None or before.state != "open":
        return before
    if state.reason or not _heard_since(state, before):
        return replace(before, state="retracted")
    ended = state.hour.end if before.evidence.get("reason") == "too_few" and state.hour else state.last_seen_at
    return replace(before, state="resolved", resolved_at=max(ended or now, before.opened_at))


def _heard_since(state: FeedState, before: Kept) -> bool:
    """Return whether the feed brought something since it was late; else it is the promise that changed."""
    if before.evidence.get("reason") == "too_few":
        told = before.evidence.get("hour_from")
        same = state.hour is not None and told is not None and state.hour.start == datetime.fromisoformat(told)
        return not same or state.brought != before.evidence.get("brought")
    return _text(state.last_seen_at) != before.evidence.get("last_seen_at")


def _held(feed: Feed, state: FeedState, kept: Kept | None, now: datetime) -> datetime | None:
    """Return how far a feed that spoke again a moment ago vouches, None when it vouches for all it told."""
    if not feed.settle_s or kept is None or kept.state != "resolved" or kept.resolved_at is None:
        return None
    if state.reason or now >= kept.resolved_at + timedelta(seconds=feed.settle_s):
        return None
    return kept.heard_until


def _evidence(feed: Feed, state: FeedState) -> dict[str, Any]:
    told = {
        "reason": state.reason,
        "watermark": _text(state.watermark),
        "last_seen_at": _text(state.last_seen_at),
        "quiet_after_s": feed.quiet_after_s,
        "every_s": feed.every_s,
        "cron": feed.cron,
        "zone": feed.zone,
        "grace_s": feed.grace_s,
        "calendar": feed.calendar,
    }
    if state.reason == "too_few" and state.hour is not None:
        told |= {
            "hour_from": _text(state.hour.start),
            "hour_to": _text(state.hour.end),
            "least": state.least,
            "brought": state.brought,
        }
    return told


def _kept(client: Client) -> dict[str, Kept]:
    return {
        connection: Kept(system, state, opened, detected, resolved, msgspec.json.decode(evidence or "{}"))
        for connection, system, state, opened, detected, resolved, evidence in client.query(
            load("engine_feed_breaches")
        ).result_rows
    }


_SAYS = {
    "silent": "nothing was heard for longer than it may be quiet",
    "never_heard": "it was never heard",
    "run_missing": "a run of its timetable did not arrive",
    "too_few": "an hour brought fewer events than promised",
}


def _write(client: Client, book: Book, name: str, kept: Kept, now: datetime) -> None:
    client.command(
        load("engine_feed_breach"),
        parameters={
            "rule": RULE + name,
            "connection": name,
            "system": kept.system,
            "state": kept.state,
            "opened_at": kept.opened_at,
            "detected_at": kept.detected_at,
            "resolved_at": kept.resolved_at,
            "retracted_at": now if kept.state == "retracted" else None,
            "error": _SAYS.get(str(kept.evidence.get("reason")), ""),
            "evidence": msgspec.json.encode(kept.evidence).decode(),
            "book": book.hash,
            "now": now,
        },
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
