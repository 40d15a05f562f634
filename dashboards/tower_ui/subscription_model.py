"""What the Subscriptions page says: what each hears of, where and when in words; a wish made of the form. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from dashboards.tower_ui import fmt

# Matchers that have a field of their own, in the order of the form; what else a subscription has is kept as it is.
FIELDS: dict[str, tuple[str, str]] = {
    "customer_id": ("Customers", "ACME, Umbra Optics"),
    "customer_tier": ("Tiers", "strategic, key"),
    "order_id": ("Orders", "SO-100001"),
    "channel": ("Channels", "edi, web"),
    "partner": ("Partners", "DHL"),
}
STATES = ("failing", "late", "diverging")
DELIVERIES: dict[str, str] = {"at_once": "At once", "hourly": "Once an hour", "daily": "Once a day"}
WAYS: dict[str, str] = {"inbox": "This page (inbox)", "mailto": "Mail", "sms": "SMS"}
DAYS: dict[str, str] = {"mon-sun": "Every day", "mon-fri": "Monday to Friday", "sat-sun": "Saturday and Sunday"}
STATE_WORDS: dict[str, tuple[str, str, str]] = {  # word, tone, what to do
    "active": ("● Active", "good", ""),
    "waiting": ("? Waiting", "late", "the address was asked and has not said yes; save it again to ask once more"),
    "asleep": ("○ Asleep", "muted", "its key has ended; a new key of that name wakes it"),
    "not_allowed": ("✖ Not allowed", "failing", "the rulebook no longer allows this way; change it to another"),
    "ended": ("– Ended", "muted", ""),
}
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class View:
    """One subscription as the page shows it."""

    id: str
    owner: str
    label: str
    about: str
    way: str
    when: str
    state: str
    told: int
    told_at: datetime | None
    created_at: datetime | None


def read(row: Mapping[str, Any], stages: Mapping[str, str]) -> View:
    """Return a subscription of the API as the page shows it."""
    return View(
        str(row["subscription_id"]), str(row["owner"]), str(row["label"]), about_words(row, stages), way_words(row),
        times_words(row), str(row["state"]), int(row.get("told") or 0), fmt.instant(row.get("told_at")),
        fmt.instant(row.get("created_at")),
    )  # fmt: skip


def about_words(row: Mapping[str, Any], stages: Mapping[str, str]) -> str:
    """Return what it hears of."""
    parts = [", ".join(fmt.state_word(s).lower() for s in row.get("states") or ()) or "anything that is stuck"]
    for name, written in (row.get("when") or {}).items():
        values = [stages.get(v, v) if name == "stage" else v for v in texts(written)]
        word = FIELDS[name][0].lower().rstrip("s") if name in FIELDS else fmt.words(name).lower()
        parts.append(f"{word} {' or '.join(values) or 'as given'}")
    if row.get("above"):
        amount = fmt.decimal(row["above"])
        parts.append(f"worth more than {amount:,.2f} {row.get('currency') or ''}".strip() if amount else "")
    return "; ".join(p for p in parts if p)


def way_words(row: Mapping[str, Any]) -> str:
    """Return where it goes."""
    way = WAYS.get(str(row.get("channel")), str(row.get("channel")))
    return f"{way}: {row['address']}" if row.get("address") else way


def times_words(row: Mapping[str, Any]) -> str:
    """Return when it is told."""
    words = DELIVERIES.get(str(row.get("deliver")), str(row.get("deliver")))
    zone = str(row.get("zone") or "UTC")
    if row.get("deliver") == "daily":
        words += f" at {row.get('daily_at')} {zone}"
    quiet = row.get("quiet") or {}
    if quiet:
        spans = "; ".join(f"{DAYS.get(days, days)} {', '.join(hours)}" for days, hours in quiet.items())
        words += f", quiet {spans} {zone}"
    return words


def texts(written: object) -> list[str]:
    """Return the values that a matcher names, as texts; none for one that is more than a list of values."""
    if isinstance(written, str | int):
        return [str(written)]
    return [str(v) for v in written] if isinstance(written, list) else []


@dataclass(slots=True)
class Form:
    """What the form begins with. rest: matchers and hours that it has no field for, kept as they are."""

    label: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    above: str = ""
    currency: str = ""
    channel: str = "inbox"
    address: str = ""
    deliver: str = "at_once"
    daily_at: time = time(7, 30)
    quiet_days: str = ""  # '' for none
    quiet_from: time = time(22, 0)
    quiet_until: time = time(7, 0)
    rest: dict[str, Any] = field(default_factory=dict)
    rest_quiet: dict[str, list[str]] = field(default_factory=dict)
    zone: str = "UTC"


def form_of(row: Mapping[str, Any], zone: str) -> Form:
    """Return the form filled with a subscription or a template. zone: the reader's, where it has none."""
    form = Form(zone=str(row.get("zone") or zone))
    for name in ("label", "above", "currency", "channel", "address", "deliver"):
        if row.get(name):
            setattr(form, name, str(row[name]))
    form.states = [str(s) for s in row.get("states") or ()]
    for name, written in (row.get("when") or {}).items():
        values = texts(written)
        if name == "stage" and values:
            form.stages = values
        elif name in FIELDS and values and not any("," in v for v in values):
            form.fields[name] = ", ".join(values)
        else:
            form.rest[name] = written
    if row.get("daily_at"):
        form.daily_at = time.fromisoformat(str(row["daily_at"]))
    quiet: Mapping[str, list[str]] = row.get("quiet") or {}
    spans = [(days, _SPAN.fullmatch(hours[0])) for days, hours in quiet.items() if len(hours) == 1]
    if len(quiet) == 1 and spans and spans[0][0] in DAYS and (match := spans[0][1]):
        form.quiet_days = spans[0][0]
        form.quiet_from, form.quiet_until = (
            time(int(match[1]) % 24, int(match[2])),
            time(int(match[3]) % 24, int(match[4])),
        )
    elif quiet:
        form.rest_quiet = {days: list(hours) for days, hours in quiet.items()}
    return form


def wish_of(form: Form) -> dict[str, Any]:
    """Return the body that the tower is asked with."""
    when: dict[str, Any] = dict(form.rest)
    for name, text in form.fields.items():
        if values := [v.strip() for v in text.split(",") if v.strip()]:
            when[name] = values if len(values) > 1 else values[0]
    if form.stages:
        when["stage"] = form.stages if len(form.stages) > 1 else form.stages[0]
    quiet = dict(form.rest_quiet)
    if form.quiet_days:
        until = "24:00" if form.quiet_until == time(0, 0) else f"{form.quiet_until:%H:%M}"
        quiet = {form.quiet_days: [f"{form.quiet_from:%H:%M}-{until}"]}
    above = form.above.replace(",", "").replace(" ", "").strip()
    address = form.address.strip() if form.channel != "inbox" else ""
    return {
        "label": form.label.strip(), "when": when, "above": above, "currency": form.currency if above else "",
        "states": form.states, "channel": form.channel, "address": address,
        "deliver": form.deliver, "daily_at": f"{form.daily_at:%H:%M}", "quiet": quiet, "zone": form.zone,
    }  # fmt: skip


def suggested_label(wish: Mapping[str, Any], stages: Mapping[str, str]) -> str:
    """Return a name for a wish that has none yet."""
    text = about_words(wish, stages)
    return (text[:1].upper() + text[1:])[:120]


def preview_words(seen: Mapping[str, Any]) -> str:
    """Return what it would have sent."""
    count = int(seen.get("notices") or 0)
    if not count:
        return "In the last 7 days it would have sent nothing."
    days: Sequence[Mapping[str, Any]] = seen.get("per_day") or ()
    most = max((int(d["notices"]) for d in days), default=0)
    words = f"In the last 7 days it would have sent {fmt.plural(count, 'notice')}"
    words += f" about {fmt.plural(int(seen.get('orders') or 0), 'order')}, at most {most:,} a day."
    if held := int(seen.get("held_back") or 0):
        words += f" {held:,} more, above the cap, would have become a summary."
    return words
