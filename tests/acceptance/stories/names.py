"""One order under the names of several systems, and what an operator may say about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.events import event, page, rfc3339
from tests.acceptance.stories.asof import LINKED, MS
from tests.acceptance.telling import Said, Story, World

T0 = (datetime.now(UTC) - timedelta(hours=3)).replace(microsecond=0)
HOUR = timedelta(hours=1)


def alias(name: str, of: str, relation: str = "alias") -> list[dict[str, Any]]:
    return [{"from": name, "to": of, "relation": relation}]


def on_board(world: World, text: str) -> list[str]:
    return [row["order_id"] for row in world.client.get("/v1/orders", params={"q": text}).json()["orders"]]


def say(world: World, **order: Any) -> None:
    reply = world.client.post("/v1/links", json=order)
    assert reply.status_code == 200, reply.text


def the_shop_and_the_erp_speak_of_one_order(world: World) -> Story:
    """Each names it by its own number; the page is found by either, and looking back the two are still apart."""
    shop, erp = "commerce_order_id:web/4611686018427", "SO-4711"
    yield [
        event("/commerce/web", "n1", "order_captured", LINKED - HOUR, order_id=shop, amount="100.00", currency="EUR")
    ]
    assert on_board(world, "4611686018427") == [shop]
    tied = alias(f"order:{shop}", f"order:{erp}")
    yield [
        event("/erp/main", "n2", "order_accepted", LINKED, order_id=erp, links=tied),
        event("/wms/berlin", "n3", "shipment_confirmed", LINKED, order_id=shop, shipment_id="SH-4711"),
    ]
    assert on_board(world, "4611686018427") == on_board(world, erp) == [erp]
    found = page(world.client, shop)
    assert (found["order_id"], found["names"], found["amount"]) == (erp, [shop], "100.00")
    reached = {(m["milestone"], m["object_id"]) for m in found["milestones"]}
    assert reached == {("order_captured", erp), ("order_accepted", erp), ("shipment_confirmed", "SH-4711")}
    said = next(link for link in found["links"] if link["relation"] == "alias")
    assert (said["child_id"], said["parent_id"], said["source"], said["event_id"]) == (shop, erp, "/erp/main", "n2")
    earlier = world.board(as_of=rfc3339(LINKED - MS))
    assert [name for name in (shop, erp) if name in earlier] == [shop]
    assert page(world.client, shop, as_of=rfc3339(LINKED - MS))["order_id"] == shop


def a_purchase_order_number_of_two_orders_names_neither_until_an_operator_says_which(world: World) -> Story:
    number = "customer_po:C-42/PO 93"

    def tie(order: str) -> list[dict[str, Any]]:
        return alias(f"order:{number}", f"order:{order}", "weak_alias")

    yield [
        event("/edi/gateway", "w1", "order_captured", T0, order_id=number),
        event("/erp/main", "w2", "order_accepted", T0 + HOUR, order_id="SO-93", links=tie("SO-93")),
        event("/erp/main", "w3", "order_accepted", T0 + HOUR, order_id="SO-94", links=tie("SO-94")),
    ]
    assert page(world.client, number)["order_id"] == number
    assert sorted(on_board(world, "93")) == ["SO-93", number]

    order = {"from": f"order:{number}", "to": "order:SO-94", "relation": "alias", "reason": "the buyer confirmed it"}
    yield [Said(lambda: say(world, **order))]
    assert page(world.client, number)["order_id"] == "SO-94"
    yield [Said(lambda: say(world, **order, retract=True))]
    # What the ERP said of that pair stays taken back; of the other it still holds.
    assert page(world.client, number)["order_id"] == "SO-93"
    acts = [
        r["act"] for r in world.client.get("/v1/audit").json()["audit"] if r["detail"].get("child") == order["from"]
    ]
    assert acts == ["unlink", "link"]


def an_operator_s_word_holds_against_a_system_that_says_it_again(world: World) -> Story:
    shipment = {"order_id": "SO-90", "shipment_id": "SH-90"}
    yield [
        event("/erp/main", "u1", "order_accepted", T0, order_id="SO-90"),
        event("/wms/berlin", "u2", "shipment_confirmed", T0, **shipment),
    ]
    undo = {"from": "shipment:SH-90", "to": "order:SO-90", "retract": True, "reason": "picked for another order"}
    yield [Said(lambda: say(world, **undo))]  # beside what is said of the purchase order: one tick for both
    yield [event("/wms/berlin", "u3", "packed", datetime.now(UTC), **shipment)]
    assert [o["object_id"] for o in page(world.client, "SO-90")["objects"]] == ["SO-90"]


def a_word_that_lies_ahead_counts_once_its_time_has_come(world: World) -> Story:
    """It is taken in by a tick of an earlier moment; no new event touches the order when it comes into force."""
    at = datetime.now(UTC) + timedelta(seconds=5)
    yield [
        event("/commerce/web", "v1", "order_captured", T0, order_id="WEB-95"),
        event("/erp/main", "v2", "order_accepted", T0, order_id="SO-95"),
        event("/erp/main", "v3", "linked", at, links=alias("order:WEB-95", "order:SO-95")),
    ]
    before = on_board(world, "95")
    if datetime.now(UTC) < at:
        assert sorted(before) == ["SO-95", "WEB-95"]
    while datetime.now(UTC) < at:
        yield []
    yield []
    assert on_board(world, "95") == ["SO-95"]


def what_makes_no_sense_is_refused_with_a_sentence(world: World) -> Story:
    wrong = {"from": "order:A", "to": "shipment:B", "relation": "alias", "reason": "a mistake"}
    answer = world.client.post("/v1/links", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_link")
    assert "both are of one type" in answer.json()["detail"]
    assert world.client.post("/v1/links", json={"from": "order:A", "to": "order:B"}).status_code in (400, 422)
    spoof = event("/tower/links", "s1", "order_accepted", T0, order_id="X")
    reply = world.client.post("/v1/events", json=spoof, headers={"Content-Type": "application/cloudevents+json"})
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden_connection")
    yield []
