"""Feeds of the fake tower: one of each kind of trouble, and some without any."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

HOUR = timedelta(hours=1)


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def feeds(now: datetime) -> dict[str, Any]:
    """Return what GET /v1/feeds answers."""
    rng = random.Random(11)
    rows = [
        _stream(
            rng, now, "commerce-main", "commerce", 420, lag_s=12, drift={"new_fields": 2, "changed_types": 0, "unknown_codes": 1},
            quota={"per_second": None, "per_day": 100000, "today": 8214, "throttled": 0, "unverified": 2, "duplicate": 17},
        ),
        _stream(rng, now, "crm-main", "crm", 60, lag_s=40, gates=False),
        _stream(rng, now, "edi-gateway", "edi", 90, lag_s=65, missing=3),
        _stream(rng, now, "erp-main", "erp", 900, lag_s=4, calendar="office"),
        _stream(
            rng, now, "wms-berlin", "wms", 700, lag_s=5400, silent_h=2, reason="silent", warehouse="BER1",
            waiting={"orders": 212, "unknown": 184, "value": "1284500.40"},
        ),
        _stream(rng, now, "wms-hamburg", "wms", 260, lag_s=30, low=True, warehouse="HAM1", quarantined=4),
        _stream(rng, now, "tms-main", "tms", 140, lag_s=700),
        _stream(rng, now, "tax-engine", "tax", 300, lag_s=9, high=True),
        _timetable(now, "bank-statements", "bank", "cron 30 5 * * mon-fri", 24 * HOUR, {}),
        _timetable(
            now, "legacy-erp", "erp", "every 30m", HOUR / 2,
            {2: "late", 5: "missing", 6: "missing", 9: "late"}, quarantined=17,
        ),
        _never(now, "3pl-krakow", "3pl"),
    ]  # fmt: skip
    return {"feeds": rows, "unconfigured": ["old-portal"], "as_of": iso(now)}


def _base(name: str, kind: str, **more: Any) -> dict[str, Any]:
    row = {
        "connection": name, "kind": kind, "state": "ok", "watermark": None, "last_seen_at": None, "expected": None,
        "got": None, "level": "ok", "gates": True, "reason": None, "late_since": None, "next_due_at": None, "lag_s": None,
        "expects": "", "quiet_after_s": None, "grace_s": None, "calendar": None, "zone": None, "company": None,
        "warehouse": None, "partner": None, "expected_min": None, "expected_max": None, "expected_by": None,
        "window_from": None, "window_to": None, "hours": [], "runs": [], "events": 0, "quarantined": 0,
        "gaps": {"numberings": 0, "missing": 0, "ranges": [], "restarts": 0},
        "waiting": {"orders": 0, "unknown": 0, "value": "0.00"},
        "drift": {"new_fields": 0, "changed_types": 0, "unknown_codes": 0},
        "quota": {"per_second": None, "per_day": None, "today": None, "throttled": 0, "unverified": 0, "duplicate": 0},
    }  # fmt: skip
    return {**row, **more}


def _stream(rng: random.Random, now: datetime, name: str, kind: str, usual: int, *, lag_s: float, silent_h: int = 0,
            low: bool = False, high: bool = False, missing: int = 0, gates: bool = True, **more: Any) -> dict[str, Any]:  # fmt: skip
    top = now.replace(minute=0, second=0, microsecond=0)
    hours = []
    for back in range(24, -1, -1):
        start = top - back * HOUR
        middle = round(usual * (0.15 + max(0.0, 1 - abs(start.hour - 13) / 9)))
        got = round(middle * rng.uniform(0.85, 1.15))
        if back and back <= silent_h:
            got = 0
        got = round(got * 0.3) if low and back == 1 else round(got * 2.4) if high and back == 1 else got
        got = round(got * (now - start) / HOUR) if back == 0 and not silent_h else 0 if back == 0 else got
        slack = round(3 * middle**0.5 + 0.1 * middle)
        hours.append(
            {"from": iso(start), "open": True, "got": got, "expected": middle, "min": max(0, middle - slack), "max": middle + slack}
        )  # fmt: skip
    told = now - timedelta(seconds=lag_s)
    late = bool(more.get("reason"))
    judged = hours[-2]
    gaps = {"numberings": 1, "missing": missing, "restarts": 0, "ranges": []}
    if missing:
        gaps["ranges"] = [
            {"sequence_of": "isa:ACME/US", "from": "000104210", "to": "000104211", "missing": 2},
            {"sequence_of": "isa:GLOBEX/US", "from": "77", "to": "77", "missing": 1},
        ]
    return _base(
        name, kind, state="late" if late else "ok", watermark=iso(told), last_seen_at=iso(told + timedelta(seconds=1)),
        expected=judged["expected"], got=judged["got"], level="low" if low else "high" if high else "ok", gates=gates,
        late_since=iso(told + timedelta(minutes=15)) if late else None,
        next_due_at=None if late or not gates else iso(told + timedelta(minutes=15)), lag_s=int(lag_s),
        expects="a message every 15m" if gates else None, quiet_after_s=900 if gates else None,
        expected_min=judged["min"], expected_max=judged["max"], expected_by="history", window_from=judged["from"],
        window_to=hours[-1]["from"], hours=hours, events=sum(h["got"] for h in hours), gaps=gaps, **more,
    )  # fmt: skip


def _timetable(now: datetime, name: str, kind: str, expects: str, every: timedelta, odd: dict[int, str], **more: Any) -> dict[str, Any]:  # fmt: skip
    seconds = int(every.total_seconds())
    last = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
    runs = []
    for back in range(47 if every < HOUR else 6, -1, -1):
        due = last - back * every
        state = odd.get(back, "arrived")
        after = {"arrived": timedelta(minutes=2), "late": every * 0.7}.get(state)
        runs.append({"due_at": iso(due), "arrived_at": iso(due + after) if after else None, "state": state})
    day = [r for r in runs if datetime.fromisoformat(str(r["due_at"])) > now - 24 * HOUR]
    got = sum(r["state"] != "missing" for r in day)
    return _base(
        name, kind, watermark=iso(last), last_seen_at=iso(last + timedelta(minutes=2)), expected=len(day), got=got,
        level="low" if got < len(day) else "ok", next_due_at=iso(last + every + timedelta(minutes=10)),
        lag_s=int((now - last).total_seconds()), expects=expects, grace_s=600, zone="Europe/Berlin", runs=runs, **more,
    )  # fmt: skip


def _never(now: datetime, name: str, kind: str) -> dict[str, Any]:
    return _base(
        name, kind, state="late", reason="never_heard", late_since=iso(now - 50 * HOUR), level="learning",
        expects="a message every 1h", quiet_after_s=3600,
    )  # fmt: skip
