"""Systems that repeat all they know in each message: what was told before is the same event again, only news are new."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from collector.mapping import Context, load_mappings

MAPPINGS = load_mappings()
CONTEXT = Context("tracks", "carrier", "/carrier/tracks", datetime(2026, 6, 1, 12, tzinfo=UTC))


def _at(hour: int) -> str:
    return f"2026-03-01T{hour:02}:00:00Z"


EASYPOST: dict[str, Any] = {
    "object": "Tracker", "mode": "production", "tracking_code": "1Z9", "carrier": "UPS", "updated_at": _at(9),
    "tracking_details": [{"status": "in_transit", "datetime": _at(8)}, {"status": "failure", "datetime": _at(9)}],
}  # fmt: skip
SHIPPO: dict[str, Any] = {
    "carrier": "ups", "tracking_number": "1Z9", "tracking_history": [{"object_id": "a", "status": "TRANSIT", "status_date": _at(8)}],
    "tracking_status": {"object_id": "b", "status": "FAILURE", "status_date": _at(9)},
}  # fmt: skip
AFTERSHIP: dict[str, Any] = {
    "event": "tracking_update", "event_id": "1", "ts": 1772355600,
    "msg": {"tracking_number": "1Z9", "slug": "ups", "tag": "AttemptFail", "checkpoints": [
        {"tag": "InTransit", "checkpoint_time": _at(8)}, {"tag": "AttemptFail", "checkpoint_time": _at(9)}]},
}  # fmt: skip
PROJECT44: dict[str, Any] = {
    "shipment": {"id": "x1", "identifiers": [{"type": "BILL_OF_LADING", "value": "B1"}]},
    "events": [{"type": "PICKED_UP", "dateTime": _at(8)}, {"type": "DELIVERY_MISSED", "dateTime": _at(9)}],
}  # fmt: skip


def _told(name: str, message: Any) -> dict[str, str]:
    outcomes = list(MAPPINGS.select(name).outcomes(msgspec.json.encode(message), CONTEXT))
    assert [o.detail for o in outcomes if o.reason] == []
    return {m.event["id"]: m.event["type"] for o in outcomes for m in o.events}


def _later(name: str, message: Any) -> Any:
    """Return the next message: all that was told, and a delivery."""
    later = deepcopy(message)
    if name == "easypost":
        later["updated_at"] = _at(11)
        later["tracking_details"].append({"status": "delivered", "datetime": _at(11)})
    elif name == "shippo":
        later["tracking_history"].append({**later["tracking_status"], "object_id": "moved"})
        later["tracking_status"] = {"object_id": "c", "status": "DELIVERED", "status_date": _at(11)}
    elif name == "aftership":
        later.update(event_id="2", ts=1772362800)
        later["msg"]["checkpoints"].append({"tag": "Delivered", "checkpoint_time": _at(11)})
    else:
        later["events"].append({"type": "DELIVERY", "dateTime": _at(11)})
    return later


@pytest.mark.parametrize(
    ("name", "message"),
    [("easypost", EASYPOST), ("shippo", SHIPPO), ("aftership", AFTERSHIP), ("project44", PROJECT44)],
)
def test_what_was_told_before_is_the_same_event_again(name: str, message: Any) -> None:
    first, second = _told(name, message), _told(name, _later(name, message))
    assert sorted(first.values()) == ["o2c.delivery_failed", "o2c.in_transit"]
    assert first.items() <= second.items()
    assert [second[key] for key in second.keys() - first.keys()] == ["o2c.delivered"]


def test_a_name_that_is_given_later_does_not_contradict_what_was_told_before() -> None:
    named = deepcopy(PROJECT44)
    named["shipment"]["identifiers"] += [{"type": "PRO", "value": "7"}, {"type": "CARRIER_SCAC", "value": "ABFS"}]
    assert not _told("project44", PROJECT44).keys() & _told("project44", named).keys()


def test_an_event_that_is_delivered_twice_is_one() -> None:
    body = {"object": "payment_intent", "id": "pi_1", "status": "succeeded", "amount_received": 1050, "currency": "eur"}
    event = {
        "object": "event",
        "id": "evt_1",
        "type": "payment_intent.succeeded",
        "livemode": True,
        "created": 1772359200,
    }
    told = [_told("stripe", {**event, "pending_webhooks": left, "data": {"object": body}}) for left in (2, 1)]
    assert told[0] == told[1]
