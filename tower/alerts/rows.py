"""Alerts, their breaches and their notices as rows, and back again after a restart.

Written in this order: alerts and breaches, then notices, which make true what the rows before say was told; an alert
whose last notice is among them closes after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from rules.match import OF_BREACHES
from tower.alerts.alert import Alert, Member
from tower.alerts.breach import Breach
from tower.alerts.caps import Caps
from tower.alerts.desk import Acknowledged, Stepped
from tower.alerts.notice import ESCALATED
from tower.store.sql import load

_ALERT = (
    "alert_id", "group", "route", "receiver", "labels", "opened_at", "anchor", "flush_at", "reason", "next_at",
    "next_reason", "notices", "first_at", "last_at", "escalated", "acknowledged_by", "acknowledged_at", "note",
    "priority", "value", "orders", "breaches", "open_breaches", "closed_at", "outcome", "updated_at", "revision",
)  # fmt: skip
_MEMBER = (
    "alert_id", "breach_id", "order_no", "order_id", "state", "opened_at", "detected_at", "over_at", "facts", "told",
    "told_over", "quiet", "held_by", "updated_at", "revision",
)  # fmt: skip
Revise = Callable[[], int]


def write_state(client: Client, stepped: Stepped, now: datetime, revise: Revise) -> None:
    """Write the alerts that changed, with those of their breaches that did; synced on return.

    One that closes with a notice of this step stays open here: `write_closed` comes after the notice.
    """
    telling = {notice.alert_id for notice in stepped.notices}
    members = [_member_row(k, m, now, revise()) for k, kept in stepped.members.items() for m in kept.values()]
    if members:
        client.insert("alert_breaches", members, column_names=_MEMBER)
    if stepped.alerts:
        rows = [_alert_row(a, now, revise(), closes=a.alert_id not in telling) for a in stepped.alerts.values()]
        client.insert("alerts", rows, column_names=_ALERT)


def write_closed(client: Client, stepped: Stepped, now: datetime, revise: Revise) -> None:
    """Close the alerts whose last notices have been written."""
    telling = {notice.alert_id for notice in stepped.notices}
    closing = [a for a in stepped.alerts.values() if a.closed_at is not None and a.alert_id in telling]
    if closing:
        client.insert("alerts", [_alert_row(a, now, revise(), closes=True) for a in closing], column_names=_ALERT)


def _alert_row(alert: Alert, now: datetime, revision: int, *, closes: bool) -> list[Any]:
    priority, value, orders = alert.urgency()
    return [
        alert.alert_id, alert.group, alert.route, alert.receiver, alert.labels, alert.opened_at, alert.anchor,
        alert.flush_at, alert.reason, alert.next_at, alert.next_reason, alert.number, alert.first_at, alert.last_at,
        alert.escalated, alert.acknowledged_by, alert.acknowledged_at, alert.note, priority, value, orders,
        len(alert.members), len(alert.open_members), alert.closed_at if closes else None,
        alert.outcome if closes else "", now, revision,
    ]  # fmt: skip


def _member_row(alert_id: str, member: Member, now: datetime, revision: int) -> list[Any]:
    b = member.breach
    facts = {k: format(v, "f") if isinstance(v, Decimal) else str(v) for k, v in b.facts.items() if v not in (None, "")}
    return [
        alert_id, b.breach_id, b.order_no, b.text("order_id"), b.state, b.opened_at, b.detected_at, b.over_at, facts,
        member.told, member.told_over, int(member.quiet), member.held_by, now, revision,
    ]  # fmt: skip


def read_state(client: Client) -> tuple[list[Alert], Stepped]:
    """Return the open alerts as they were, and what of their rows is to be written again.

    What was told is what notices exist for: a breach whose row names a later notice was not told.
    """
    alerts = {row["alert_id"]: _alert(row) for row in _records(client, "alert_open")}
    again = Stepped()
    for row in _records(client, "alert_told"):
        alert = alerts[row["alert_id"]]
        alert.number = max(alert.number, int(row["number"]))
        alert.first_at = min(alert.first_at or row["at"], row["at"])
        alert.anchor = min(alert.anchor, max(alert.first_at, alert.opened_at))
        alert.reason = row["reason"]
        alert.escalated += row["reason"] == ESCALATED
        if row["receiver"] == alert.receiver:
            alert.last_at = row["at"]
        if row["receiver"] not in alert.told_to:
            alert.told_to.append(row["receiver"])
    for row in _records(client, "alert_members"):
        alert = alerts[row["alert_id"]]
        member = Member(_breach(row), row["told"], row["told_over"], bool(row["quiet"]), row["held_by"])
        if max(member.told, member.told_over) > alert.number:
            member.told = member.told if member.told <= alert.number else 0
            member.told_over = member.told_over if member.told_over <= alert.number else 0
            alert.flush_at = alert.anchor  # what was decided then is due now
            again.touch(alert, [member])
        alert.members[member.breach.breach_id] = member
    return list(alerts.values()), again


def _alert(row: Mapping[str, Any]) -> Alert:
    return Alert(
        row["alert_id"], row["group"], row["route"], row["receiver"], dict(row["labels"]), row["opened_at"],
        row["anchor"], flush_at=row["flush_at"], next_at=row["next_at"], next_reason=row["next_reason"],
        acknowledged_by=row["acknowledged_by"], acknowledged_at=row["acknowledged_at"], note=row["note"],
    )  # fmt: skip


def _breach(row: Mapping[str, Any]) -> Breach:
    return Breach(
        row["breach_id"], row["state"], row["opened_at"], row["detected_at"], row["over_at"], facts_of(row["facts"]),
        row["order_no"],
    )  # fmt: skip


def facts_of(kept: Mapping[str, str]) -> dict[str, str | Decimal | None]:
    """Return the attributes of a breach as they were kept, each of its own type."""
    facts: dict[str, str | Decimal | None] = {name: kept.get(name, "") for name in OF_BREACHES.texts}
    return facts | {name: Decimal(kept[name]) if name in kept else None for name in OF_BREACHES.numbers}


def fill_caps(client: Client, caps: Caps, now: datetime, longest_s: int) -> None:
    """Tell the caps what went out lately and what waits for a summary."""
    since = now - timedelta(seconds=longest_s)
    for row in _records(client, "notices_recent", {"since": since}):
        if row["held"]:
            caps.remember_held(row["receiver"], (row["notice_id"], row["alert_id"], row["priority"], row["at"]))
        else:
            caps.remember(row["receiver"], row["at"])


def read_acks(client: Client, alert_ids: Iterable[str]) -> list[Acknowledged]:
    """Return what people said about these alerts."""
    wanted = list(alert_ids)
    if not wanted:
        return []
    sql = "SELECT alert_id, by, at, note FROM alert_acks FINAL WHERE alert_id IN {ids:Array(String)}"
    return [Acknowledged(*row) for row in client.query(sql, parameters={"ids": wanted}).result_rows]


def _records(client: Client, name: str, parameters: dict[str, Any] | None = None) -> Sequence[dict[str, Any]]:
    found = client.query(load(name), parameters=parameters)
    return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
