"""What an alert was good for, worked out when it closes; people may correct it."""

from __future__ import annotations

from collections.abc import Iterable

from clickhouse_connect.driver.client import Client

from tower.alerts.alert import Alert
from tower.store.sql import load

REAL, SELF_HEALED, FEED, DUPLICATE = "real", "self_healed", "feed", "duplicate"
OUTCOMES = (REAL, SELF_HEALED, FEED, DUPLICATE)


def outcome_of(alert: Alert, *, acted: bool, doubled: bool) -> str:
    """Return the outcome of a closed alert, '' where nobody was told.

    feed: all it told was taken back once late facts had arrived. duplicate: an earlier alert had told the same receiver
    all of it. real: somebody took it on or did something for one of its orders. self_healed: it went away by itself.
    """
    told = [m for m in alert.members.values() if m.told]
    if not told:
        return ""
    if all(m.breach.state == "retracted" for m in told):
        return FEED
    if doubled:
        return DUPLICATE
    return REAL if acted or alert.acknowledged_by else SELF_HEALED


def set_outcomes(client: Client, alerts: Iterable[Alert]) -> None:
    """Give each closed alert its outcome, from what is stored about it and its orders."""
    closing = [a for a in alerts if a.closed_at is not None and a.number and not a.outcome]
    if not closing:
        return
    parameters = {"ids": [a.alert_id for a in closing]}
    acted = {row[0] for row in client.query(load("alert_acted"), parameters=parameters).result_rows}
    doubled = {row[0] for row in client.query(load("alert_doubled"), parameters=parameters).result_rows}
    for alert in closing:
        alert.outcome = outcome_of(alert, acted=alert.alert_id in acted, doubled=alert.alert_id in doubled)
