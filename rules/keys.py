"""Every key a rulebook may hold, by part. What is not here is an error; docs/rulebook.md explains each."""

from __future__ import annotations

from rules.hours import HOLIDAY_KEYS
from rules.hours import KEYS as CALENDAR_KEYS
from rules.vocabulary import ID_FIELDS, ORDER_ATTRIBUTES

_RULE = ("id", "label", "when", "owner", "runbook", "severity", "examples")
_REPEAT = ("group_by", "group_wait", "group_interval", "repeat_interval")

KEYS: dict[str, tuple[str, ...]] = {
    "book": (
        "process",
        "milestones",
        "calendars",
        "stages",
        "findings",
        "feeds",
        "priorities",
        "routes",
        "receivers",
        "targets",
        "actions",
        "value",
        "examples",
    ),
    "process": ("start", "done", "cancelled"),
    "done": ("milestone", "per"),
    "milestone": ("object", "authority", "after", "means"),
    "authority": ("kind", "when"),
    "calendar": CALENDAR_KEYS,
    "holidays": HOLIDAY_KEYS,
    "stage": (
        *_RULE,
        "from",
        "to",
        "per",
        "within",
        "until",
        "plus",
        "calendar",
        "not_before",
        "pause",
        "at_risk",
        "tiers",
    ),
    "anchor": ("milestone", "pick"),
    "pause": ("from", "to"),
    "at_risk": ("odds",),
    "tier": ("when", "within", "until", "plus", "calendar"),
    "finding out_of_order": (*_RULE, "kind", "first", "then", "settle"),
    "finding diverging": (*_RULE, "kind", "fact", "systems", "settle"),
    "finding sync_late": (*_RULE, "kind", "milestone", "system", "within"),
    "finding duplicate": (*_RULE, "kind", "milestone", "per", "settle"),
    "feed": ("connection", "expects", "quiet_after", "calendar", "cron", "zone", "grace", "settle"),
    "expects": ("per_hour", "calendar"),
    "per_hour": ("min", "max"),
    "priority": ("name", "when"),
    "route": ("receiver", "when", *_REPEAT, "escalate", "continue", "mute", "active", "routes"),
    "escalation": ("after", "receiver"),
    "receiver": ("apprise", "webhook"),
    "webhook": ("url", "secret"),
    "target": ("kind", "url", "auth", "headers", "timeout"),
    "auth": ("bearer", "basic"),
    "action": ("id", "kind", "stage", "target", "request", "verify", "policy", "safety"),
    "request": ("method", "path", "json", "headers"),
    "verify": ("milestone", "within"),
    "policy": ("attempts", "backoff", "first", "max", "automatic"),
    "value": ("currency", "rates", "cost_per_touch", "cost_of_capital", "baseline"),
    "rate": ("currency", "rate", "since"),
    "example": ("name", "as_of", "given", "expect"),
    "given": ("milestone", "at", "from", *ID_FIELDS, *ORDER_ATTRIBUTES, "links", "reason", "error"),
    "expected": ("rule", "kind", "object"),
    "expect": ("findings", "states"),
}
