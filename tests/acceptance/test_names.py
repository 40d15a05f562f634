"""One order under the names of several systems, and what an operator may say about it. Through a real tower's doors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.acceptance.events import event, page, rfc3339, send
from tests.commands.process import Running

T0 = (datetime.now(UTC) - timedelta(hours=3)).replace(microsecond=0)
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Yield a client of a tower with the book that ships."""
    with Running(tmp_path_factory.mktemp("names") / "var") as tower, tower.client() as client:
        yield client


def alias(name: str, of: str, relation: str = "alias") -> list[dict[str, Any]]:
    return [{"from": name, "to": of, "relation": relation}]


def on_board(client: httpx.Client, text: str) -> list[str]:
    return [row["order_id"] for row in client.get("/v1/orders", params={"q": text}).json()["orders"]]


def test_the_shop_and_the_erp_speak_of_one_order(client: httpx.Client) -> None:
    """Each names it by its own number; the page is found by either, and looking back the two are still apart."""
    shop, erp = "commerce_order_id:shop/820982911946154508", "SO-4711"
    send(client, event("/commerce/shop", "n1", "order_captured", T0, order_id=shop, amount="100.00", currency="EUR"))
    assert on_board(client, "820982911946154508") == [shop]
    tied = alias(f"order:{shop}", f"order:{erp}")
    send(client, event("/erp/main", "n2", "order_accepted", T0 + HOUR, order_id=erp, links=tied))
    send(client, event("/wms/berlin", "n3", "shipment_confirmed", T0 + HOUR, order_id=shop, shipment_id="SH-4711"))
    assert on_board(client, "820982911946154508") == on_board(client, erp) == [erp]
    found = page(client, shop)
    assert (found["order_id"], found["names"], found["amount"]) == (erp, [shop], "100.00")
    reached = {(m["milestone"], m["object_id"]) for m in found["milestones"]}
    assert reached == {("order_captured", erp), ("order_accepted", erp), ("shipment_confirmed", "SH-4711")}
    said = next(link for link in found["links"] if link["relation"] == "alias")
    assert (said["child_id"], said["parent_id"], said["source"], said["event_id"]) == (shop, erp, "/erp/main", "n2")
    earlier = client.get("/v1/orders", params={"as_of": rfc3339(T0 + HOUR / 2), "q": "4711"}).json()["orders"]
    assert [o["order_id"] for o in earlier] == []
    assert page(client, shop, as_of=rfc3339(T0 + HOUR / 2))["order_id"] == shop


def test_a_purchase_order_number_of_two_orders_names_neither_until_an_operator_says_which(client: httpx.Client) -> None:
    number = "customer_po:C-42/PO 77"
    send(client, event("/edi/gateway", "w1", "order_captured", T0, order_id=number))
    tie = lambda order: alias(f"order:{number}", f"order:{order}", "weak_alias")  # noqa: E731
    send(client, event("/erp/main", "w2", "order_accepted", T0 + HOUR, order_id="SO-77", links=tie("SO-77")))
    assert page(client, number)["order_id"] == "SO-77"
    send(client, event("/erp/main", "w3", "order_accepted", T0 + HOUR, order_id="SO-78", links=tie("SO-78")))
    assert page(client, number)["order_id"] == number
    assert sorted(on_board(client, "77")) == ["SO-77", number]

    order = {"from": f"order:{number}", "to": "order:SO-78", "relation": "alias", "reason": "the buyer confirmed it"}
    said = client.post("/v1/links", json=order)
    assert said.status_code == 200, said.text
    assert page(client, number)["order_id"] == "SO-78"
    undone = client.post("/v1/links", json={**order, "retract": True})
    assert undone.status_code == 200, undone.text
    # What the ERP said of that pair stays taken back; of the other it still holds.
    assert page(client, number)["order_id"] == "SO-77"
    acts = [row["act"] for row in client.get("/v1/audit").json()["audit"]]
    assert acts[:2] == ["unlink", "link"]


def test_an_operator_s_word_holds_against_a_system_that_says_it_again(client: httpx.Client) -> None:
    shipment = {"order_id": "SO-90", "shipment_id": "SH-90"}
    send(client, event("/erp/main", "u1", "order_accepted", T0, order_id="SO-90"))
    send(client, event("/wms/berlin", "u2", "shipment_confirmed", T0, **shipment))
    undo = {"from": "shipment:SH-90", "to": "order:SO-90", "retract": True, "reason": "picked for another order"}
    assert client.post("/v1/links", json=undo).status_code == 200
    send(client, event("/wms/berlin", "u3", "packed", datetime.now(UTC), **shipment))
    assert [o["object_id"] for o in page(client, "SO-90")["objects"]] == ["SO-90"]


def test_what_makes_no_sense_is_refused_with_a_sentence(client: httpx.Client) -> None:
    wrong = {"from": "order:A", "to": "shipment:B", "relation": "alias", "reason": "a mistake"}
    answer = client.post("/v1/links", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_link")
    assert "both are of one type" in answer.json()["detail"]
    assert client.post("/v1/links", json={"from": "order:A", "to": "order:B"}).status_code in (400, 422)
    spoof = event("/tower/links", "s1", "order_accepted", T0, order_id="X")
    reply = client.post("/v1/events", json=spoof, headers={"Content-Type": "application/cloudevents+json"})
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden_connection")
