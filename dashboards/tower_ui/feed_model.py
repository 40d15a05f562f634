"""What the Feeds page says of each connection: how bad it is, how fresh, what it brought, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from dashboards.tower_ui import fmt

# Reason or level -> (rank, mark, tone, word). The lowest rank is the worst.
_STANDING: dict[str, tuple[int, str, str, str]] = {
    "silent": (0, "▲", "bad", "Silent"),
    "never_heard": (1, "▲", "bad", "Never heard"),
    "run_missing": (0, "▲", "bad", "Run missing"),
    "too_few": (0, "▲", "bad", "Too few"),
    "low": (3, "●", "warn", "Fewer than usual"),
    "runs": (3, "●", "warn", "Runs missing"),
    "gaps": (4, "●", "warn", "Numbers missing"),
    "high": (5, "●", "warn", "More than usual"),
    "ok": (6, "○", "good", "On time"),
    "free": (7, "·", "muted", "No promise"),
}
_LATE = ("silent", "never_heard", "run_missing", "too_few")


@dataclass(frozen=True, slots=True)
class HourView:
    """One hour of a stream. None for what nobody expects; `whole` is false for the one under way."""

    start: datetime
    got: int
    expected: int | None
    low: int | None
    high: int | None
    open: bool
    whole: bool

    @property
    def tone(self) -> str:
        """Whether it is fine (good), unusual (warn) or cannot be said (muted)."""
        if not self.open or not self.whole or self.expected is self.low is self.high is None:
            return "muted"
        low, high = self.low is not None and self.got < self.low, self.high is not None and self.got > self.high
        return "warn" if low or high else "good"


@dataclass(frozen=True, slots=True)
class RunView:
    """One run of a timetable. state: arrived, late, missing or due."""

    due_at: datetime
    arrived_at: datetime | None
    state: str

    @property
    def tone(self) -> str:
        """Good for arrived, warn for late, bad for missing, muted while it is due."""
        return {"arrived": "good", "late": "warn", "missing": "bad"}.get(self.state, "muted")


@dataclass(frozen=True, slots=True)
class FeedView:
    """One connection as the page shows it."""

    name: str
    kind: str
    standing: str
    watermark: datetime | None
    last_seen_at: datetime | None
    late_since: datetime | None
    next_due_at: datetime | None
    quiet_after_s: int | None
    expects: str
    calendar: str
    scope: str
    expected: int | None
    got: int | None
    expected_by: str
    window_from: datetime | None
    window_to: datetime | None
    hours: tuple[HourView, ...]
    runs: tuple[RunView, ...]
    missing: int
    ranges: tuple[tuple[str, str, str, int], ...]
    quarantined: int
    waiting: int
    unknown: int
    value: Decimal | None
    drift: Mapping[str, Any]
    quota: Mapping[str, Any]

    @property
    def late(self) -> bool:
        """Whether it has broken its promise."""
        return self.standing in _LATE

    @property
    def mark(self) -> str:
        """The mark of its standing."""
        return _STANDING[self.standing][1]

    @property
    def tone(self) -> str:
        """The tone of its standing."""
        return _STANDING[self.standing][2]

    @property
    def word(self) -> str:
        """Its standing in words."""
        return _STANDING[self.standing][3]

    def lag_s(self, now: datetime) -> float | None:
        """Return how far behind now it has told, None when it never told."""
        return None if self.watermark is None else max(0.0, (now - self.watermark).total_seconds())

    def freshness(self, now: datetime) -> float | None:
        """Return how much of the time that it may be quiet is used up: 1 and more is late; None without a promise."""
        if self.late:
            return 1.0
        if self.next_due_at is None or self.last_seen_at is None:
            return None
        whole = (self.next_due_at - (self.watermark or self.last_seen_at)).total_seconds()
        used = (now - (self.watermark or self.last_seen_at)).total_seconds()
        return min(1.0, max(0.0, used / whole)) if whole > 0 else 1.0

    def todo(self, now: datetime) -> str:
        """Return what a person should do now, in one sentence; empty when nothing."""
        since = fmt.duration((now - self.late_since).total_seconds()) if self.late_since else ""
        if self.standing == "silent":
            return f"Silent for {since} longer than it may be: see that {self.name} runs and reaches the tower."
        if self.standing == "never_heard":
            return "Nothing ever came: check its address, its source and its key or signature."
        if self.standing == "run_missing":
            return "A run did not come: ask its sender for it, or send the file again."
        if self.standing == "too_few":
            return "It speaks, but brings too little: look for a stuck queue or a filter at the sender."
        if self.standing == "low":
            return "Compare with the sender's own count: something may not leave it."
        if self.standing == "runs":
            return "Runs of the last day are missing: what they held may have to be sent again."
        if self.standing == "gaps":
            return f"Ask for {fmt.plural(self.missing, 'missing number')} again."
        if self.standing == "high":
            return "A backfill or a repeat? Repeats change nothing."
        if self.quarantined:
            return f"{fmt.plural(self.quarantined, 'message')} in quarantine."
        return f"Its messages changed: {self.drift_text}." if self.drift_text else ""

    @property
    def drift_text(self) -> str:
        """How its messages changed, in words: `2 new fields, 1 unknown code`."""
        words = {"new_fields": "new field", "changed_types": "changed type", "unknown_codes": "unknown code"}
        return ", ".join(fmt.plural(int(self.drift[k]), word) for k, word in words.items() if self.drift.get(k))

    @property
    def quota_text(self) -> str:
        """What it sent today of what it may send; empty without a share of a day."""
        limit = self.quota.get("per_day")
        return f"{fmt.count(self.quota.get('today'))} of {fmt.count(limit)}" if isinstance(limit, int) else ""

    @property
    def turned_away(self) -> str:
        """What its native door did not take, in words: `3 over its share, 2 with a wrong signature`."""
        said = (("throttled", "over its share"), ("unverified", "without a right signature"))
        return ", ".join(f"{fmt.count(self.quota[k])} {words}" for k, words in said if self.quota.get(k))


def read_feeds(body: Mapping[str, Any]) -> list[FeedView]:
    """Return the feeds of an answer, the worst first, then those that most value waits for, then by name."""
    feeds = [_feed(row) for row in body.get("feeds") or () if isinstance(row, Mapping)]
    return sorted(feeds, key=lambda f: (_STANDING[f.standing][0], -(f.value or Decimal(0)), -f.unknown, f.name))


def chosen(feeds: Sequence[FeedView], name: str) -> FeedView | None:
    """Return the feed of that name, else the worst one that asks for something, else the first."""
    return next((f for f in feeds if f.name == name), feeds[0] if feeds else None)


def _feed(row: Mapping[str, Any]) -> FeedView:
    gaps = _mapping(row.get("gaps"))
    waiting = _mapping(row.get("waiting"))
    runs = tuple(_runs(row.get("runs")))
    scope = [f"{k} {row[k]}" for k in ("company", "warehouse", "partner") if row.get(k)]
    missing = int(gaps.get("missing") or 0)
    return FeedView(
        name=str(row.get("connection") or ""),
        kind=str(row.get("kind") or ""),
        standing=_standing(row, missing),
        watermark=fmt.instant(row.get("watermark")),
        last_seen_at=fmt.instant(row.get("last_seen_at")),
        late_since=fmt.instant(row.get("late_since")),
        next_due_at=fmt.instant(row.get("next_due_at")),
        quiet_after_s=row.get("quiet_after_s"),
        expects=str(row.get("expects") or ""),
        calendar=str(row.get("calendar") or ""),
        scope=", ".join(scope),
        expected=row.get("expected"),
        got=row.get("got"),
        expected_by=str(row.get("expected_by") or ("timetable" if runs else "")),
        window_from=fmt.instant(row.get("window_from")),
        window_to=fmt.instant(row.get("window_to")),
        hours=tuple(_hours(row.get("hours"))),
        runs=runs,
        missing=missing,
        ranges=tuple(
            (str(r.get("sequence_of")), str(r.get("from")), str(r.get("to")), int(r.get("missing") or 0))
            for r in gaps.get("ranges") or ()
        ),
        quarantined=int(row.get("quarantined") or 0),
        waiting=int(waiting.get("orders") or 0),
        unknown=int(waiting.get("unknown") or 0),
        value=fmt.decimal(waiting.get("value")),
        drift=_mapping(row.get("drift")),
        quota=_mapping(row.get("quota")),
    )


def _standing(row: Mapping[str, Any], missing: int) -> str:
    reason = str(row.get("reason") or "")
    if row.get("state") == "late":
        return reason if reason in _LATE else "silent"
    if row.get("level") == "low":
        return "runs" if row.get("runs") else "low"
    if missing:
        return "gaps"
    if row.get("level") == "high":
        return "high"
    return "ok" if row.get("gates") else "free"


def _hours(rows: object) -> Iterable[HourView]:
    found = [r for r in rows if isinstance(r, Mapping)] if isinstance(rows, list) else []
    for place, row in enumerate(found, 1):
        start = fmt.instant(row.get("from"))
        if start is not None:
            yield HourView(
                start, int(row.get("got") or 0), row.get("expected"), row.get("min"), row.get("max"),
                bool(row.get("open")), place < len(found),
            )  # fmt: skip


def _runs(rows: object) -> Iterable[RunView]:
    for row in rows if isinstance(rows, list) else ():
        due = fmt.instant(row.get("due_at"))
        if due is not None:
            yield RunView(due, fmt.instant(row.get("arrived_at")), str(row.get("state") or ""))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


HOUR = timedelta(hours=1)
