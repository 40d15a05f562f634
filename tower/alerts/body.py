"""What a notice says: JSON for machines, a title and a few lines for people."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from tower.alerts.breach import Breach
from tower.alerts.notice import RESOLVED, SAYS, SUMMARY, Notice

MOST = 50  # breaches a notice names one by one; it says how many there are
_PEOPLE_MOST = 10


def body_of(notice: Notice, public_url: str, currency: str) -> dict[str, Any]:
    """Return the notice as a machine gets it and as the inbox keeps it."""
    link = f"{public_url}/alerts?id={quote(notice.alert_id)}" if public_url and notice.alert_id else public_url
    data: dict[str, Any] = {
        "notice_id": notice.notice_id, "alert_id": notice.alert_id, "receiver": notice.receiver,
        "reason": notice.reason, "says": SAYS[notice.reason], "labels": notice.labels, "priority": notice.priority,
        "value": format(notice.value, "f"), "currency": currency, "orders": notice.orders,
        "open_breaches": notice.open_count, "told": len(notice.opened), "ended_breaches": len(notice.ended),
        "breaches": [_breach(b, public_url) for b in notice.opened[:MOST]],
        "ended": [_breach(b, public_url) for b in notice.ended[:MOST]],
        "link": link or None,
    }  # fmt: skip
    if notice.reason == SUMMARY:
        data["held_back"] = len(notice.covers)
    return {"type": f"alert.{notice.reason}", "timestamp": _text(notice.at), "data": {**data, "title": title_of(data)}}


def _breach(breach: Breach, public_url: str) -> dict[str, Any]:
    order_id = breach.text("order_id")
    return {
        "breach_id": breach.breach_id, "order_id": order_id, "rule": breach.text("rule"), "kind": breach.text("kind"),
        "object_type": breach.text("object_type"), "object_id": breach.text("object_id"), "state": breach.state,
        "opened_at": _text(breach.opened_at), "over_at": _text(breach.over_at) if breach.over_at else None,
        "priority": breach.priority, "value": format(breach.value, "f"), "customer_id": breach.text("customer_id"),
        "system": breach.text("system"), "error": breach.text("error")[:300],
        "link": f"{public_url}/order?id={quote(order_id)}" if public_url and order_id else None,
    }  # fmt: skip


def title_of(data: dict[str, Any]) -> str:
    """Return one line: how urgent, how much, and where."""
    if data["reason"] == SUMMARY:
        return f"{data['held_back']} notices on {data['labels']['alerts']} alerts were held back"
    where = " ".join(v for v in data["labels"].values() if v) or "all orders"
    count, what = data["open_breaches"], "open"
    if data["reason"] == RESOLVED:
        count, what = data["ended_breaches"], "over"
    money = Decimal(data["value"])
    worth = f", {money:,.0f} {data['currency']} at risk" if money and what == "open" else ""
    head = f"{data['priority']} " if data["priority"] else ""
    return f"{head}{where}: {count} {what}{worth} ({data['says']})"


def text_of(body: dict[str, Any]) -> str:
    """Return the lines that people read below the title."""
    data = body["data"]
    lines = [
        f"{b['order_id'] or b['object_id']} {b['rule']} {b['kind']} since {b['opened_at']}"
        + (f", {b['error']}" if b["error"] else "")
        for b in [*data["breaches"], *data["ended"]][:_PEOPLE_MOST]
    ]
    more = data["told"] + data["ended_breaches"] - len(lines)
    lines += [f"and {more} more"] if more > 0 else []
    return "\n".join([*lines, *([data["link"]] if data["link"] else [])])


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
