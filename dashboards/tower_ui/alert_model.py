"""What the Alerts page says: alerts in business order, what is next, what a silence would catch. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from dashboards.tower_ui import fmt

REASONS: dict[str, str] = {
    "new": "first notice",
    "more": "further breaches",
    "repeat": "reminder",
    "escalated": "escalation",
    "partly_resolved": "some are over",
    "resolved": "all is over",
    "summary": "summary",
    "confirm": "question",
}
OUTCOMES: dict[str, tuple[str, str]] = {
    "real": ("Real", "somebody took it on, or something was done about it"),
    "self_healed": ("Went away", "nobody did anything, and it was over"),
    "feed": ("Late facts", "all of it was taken back once late facts had come"),
    "duplicate": ("Told twice", "an earlier alert had told the same receiver"),
}
LENGTHS: dict[str, timedelta] = {
    "1 hour": timedelta(hours=1),
    "4 hours": timedelta(hours=4),
    "until tomorrow, 24 hours": timedelta(hours=24),
    "a week": timedelta(days=7),
}
# What a silence of an alert may be narrowed to, in this order.
MATCHED = ("stage", "system", "kind", "connection", "target", "customer_id", "priority")


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert as the page shows it."""

    id: str
    state: str
    receiver: str
    what: str
    labels: Mapping[str, str]
    priority: str
    value: Decimal | None
    orders: int
    open: int
    told_at: datetime | None
    opened_at: datetime | None
    reason: str
    next_at: datetime | None
    next_reason: str
    acknowledged_by: str
    note: str
    closed_at: datetime | None
    outcome: str

    @property
    def quiet(self) -> bool:
        """Whether nobody was told of it."""
        return self.told_at is None


def read_alert(row: Mapping[str, Any], stages: Mapping[str, str]) -> AlertView:
    """Return one alert of the tower's answer. stages: their labels by id."""
    labels = {str(k): str(v) for k, v in (row.get("labels") or {}).items() if v}
    return AlertView(
        str(row.get("alert_id")), str(row.get("state")), str(row.get("receiver")), title(labels, stages), labels,
        str(row.get("priority") or ""), fmt.decimal(row.get("value")), int(row.get("orders") or 0),
        int(row.get("open_breaches") or 0), fmt.instant(row.get("told_at")), fmt.instant(row.get("opened_at")),
        str(row.get("reason") or ""), fmt.instant(row.get("next_at")), str(row.get("next_reason") or ""),
        str(row.get("acknowledged_by") or ""), str(row.get("note") or ""), fmt.instant(row.get("closed_at")),
        str(row.get("outcome") or ""),
    )  # fmt: skip


def read_alerts(answer: Mapping[str, Any], stages: Mapping[str, str]) -> list[AlertView]:
    """Return the alerts in the tower's order."""
    return [read_alert(row, stages) for row in answer.get("alerts") or ()]


def title(labels: Mapping[str, str], stages: Mapping[str, str]) -> str:
    """Return what an alert is about, from what its breaches have in common."""
    kind = labels.get("kind")
    if kind == "feed_late":
        return f"Late feed: {labels.get('connection') or labels.get('system') or 'unnamed'}"
    if kind == "target_down":
        return f"Target down: {labels.get('target') or 'unnamed'}"
    parts = []
    if stage := labels.get("stage"):
        parts.append(stages.get(stage) or fmt.words(stage))
    elif rule := labels.get("rule"):
        parts.append(fmt.words(rule))
    if system := labels.get("system"):
        parts.append(f"waiting for {fmt.system(system)}")
    rest = [v for k, v in labels.items() if k not in ("stage", "rule", "system", "kind", "breach_id")]
    return ", ".join([*parts, *rest]) or "All breaches"


def last_words(alert: AlertView, tz: tzinfo, now: datetime) -> str:
    """Return when and why the last notice went out."""
    if alert.quiet:
        return "nobody was told yet"
    return f"{REASONS.get(alert.reason, alert.reason)}, first told {fmt.moment(alert.told_at, tz, now)}"


def next_words(alert: AlertView, tz: tzinfo, now: datetime) -> str:
    """Return when and why the next notice goes out if nothing changes."""
    if alert.closed_at is not None:
        return f"over since {fmt.moment(alert.closed_at, tz, now)}"
    if alert.next_at is None and not alert.open and not alert.quiet:
        return "over, if it stays so"
    if alert.next_at is None:
        return "none: acknowledged" if alert.acknowledged_by else "none"
    left = (alert.next_at - now).total_seconds()
    when = "now" if left < 1 else f"in {fmt.duration(left)}"
    return f"{REASONS.get(alert.next_reason, alert.next_reason)} {when}"


def told_words(member: Mapping[str, Any]) -> str:
    """Return whether a breach was told, and if not, what keeps it from being told."""
    if member.get("quiet"):
        return "history"
    if member.get("told"):
        return "told"
    if str(member.get("state") or "open") != "open":
        return "came and went"
    what, _, name = str(member.get("held_by") or "").partition(" ")
    return {"silence": f"silenced ({name})", "breach": "behind another alert"}.get(what, "not yet")


def matchers_of(alert: AlertView, chosen: Sequence[str]) -> dict[str, str]:
    """Return the matchers of a silence for what the alert's breaches have in common, as far as chosen."""
    return {name: alert.labels[name] for name in chosen if name in alert.labels}


def catches_words(catches: Mapping[str, Any], currency: str) -> str:
    """Return what a silence would keep from being told."""
    orders = int(catches.get("order_count") or 0)
    worth = fmt.money_short(fmt.decimal(catches.get("value")), currency)
    return (
        f"{fmt.plural(int(catches.get('breaches') or 0), 'breach', 'breaches')} of {fmt.plural(orders, 'order')}"
        f" in {fmt.plural(int(catches.get('alerts') or 0), 'alert')}, {worth} at risk"
    )


def rule_words(rule: str, stages: Mapping[str, str]) -> str:
    """Return what a rule is called."""
    if rule.startswith("feed."):
        return f"Late feed: {rule.removeprefix('feed.')}"
    if rule.endswith(".failed"):
        return f"{fmt.words(rule.removesuffix('.failed'))} fails"
    return stages.get(rule) or fmt.words(rule)


@dataclass(frozen=True, slots=True)
class Score:
    """How well one rule alerts."""

    rule: str
    alerts: int
    breaches: int
    outcomes: Mapping[str, int]
    precision: int  # percent
    lead_s: float | None
    ack_s: float | None
    over_s: float | None


def read_scores(answer: Mapping[str, Any], stages: Mapping[str, str]) -> list[Score]:
    """Return the scorecard, the least precise rule first: it is the one to mend."""
    scores = [
        Score(
            rule_words(str(r.get("rule")), stages), int(r["alerts"]), int(r["breaches"]),
            {name: int(r.get(name) or 0) for name in OUTCOMES}, round(float(r["precision"]) * 100),
            r.get("lead_s"), r.get("ack_s"), r.get("over_s"),
        )
        for r in answer.get("rules") or ()
    ]  # fmt: skip
    return sorted(scores, key=lambda s: (s.precision, -s.alerts, s.rule))
