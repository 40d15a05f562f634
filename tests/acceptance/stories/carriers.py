"""One order in messages of four systems that know little of each other: a tracking number and metadata tie them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.events import event, page, rfc3339
from tests.acceptance.telling import Story, World

T0 = (datetime.now(UTC) - timedelta(days=2)).replace(microsecond=0)
HOUR = timedelta(hours=1)
SHIPPED = {"id": "m-1", "type": "shipped", "occurred_at": rfc3339(T0 + HOUR), "order_no": "SO-60", "delivery_no": "80006000",
           "shipment_no": "SH-60", "carrier": "UPS", "tracking": ["1Z9"]}  # fmt: skip
SCANS = [("in_transit", T0 + 2 * HOUR), ("delivered", T0 + 3 * HOUR)]
TRACKED = {"object": "Tracker", "mode": "production", "tracking_code": "1Z9", "carrier": "UPSDAP", "shipment_id": "shp_1",
           "tracking_details": [{"status": status, "datetime": rfc3339(at)} for status, at in SCANS]}  # fmt: skip
PAID: dict[str, Any] = {
    "object": "event", "id": "evt_1", "type": "payment_intent.succeeded", "livemode": True, "created": int(T0.timestamp()) + 4 * 3600,
    "data": {"object": {"object": "payment_intent", "id": "pi_1", "status": "succeeded", "amount_received": 1050, "currency": "eur",
                        "metadata": {"order_id": "SO-60"}}},
}  # fmt: skip


def scans_of_a_parcel_and_a_payment_reach_the_order_behind_them(world: World) -> Story:
    def tell(connection: str, message: dict[str, Any]) -> None:
        reply = world.client.post(f"/v1/ingest/{connection}", json=message)
        assert reply.status_code == 202, reply.text

    yield [
        event("/erp/main", "e1", "order_accepted", T0, order_id="SO-60", amount="10.50", currency="EUR"),
        lambda: tell("wms", SHIPPED),
    ]
    yield [lambda: tell("parcels", TRACKED), lambda: tell("stripe-eu", PAID)]
    found = {(m["milestone"], m["object_id"], m["occurred_at"]) for m in page(world.client, "SO-60")["milestones"]}
    assert found == {
        ("order_accepted", "SO-60", rfc3339(T0)),
        ("shipment_confirmed", "SH-60", rfc3339(T0 + HOUR)),
        ("in_transit", "SH-60", rfc3339(T0 + 2 * HOUR)),
        ("delivered", "SH-60", rfc3339(T0 + 3 * HOUR)),
        ("payment_received", "psp_payment_id:stripe-eu/pi_1", rfc3339(T0 + 4 * HOUR)),
    }
