"""A system's own messages: to the order's page, into quarantine and out of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from tests.acceptance.events import page
from tests.acceptance.telling import SECRET, Story, World
from tests.commands.process import here

MAPPING = """
mapping: own.order
version: {version}
status: confirmed
source: "a test"
decode: {{format: json}}
match: body.order
event_key: body.order
emit:
  - milestone: order_accepted
    occurred_at: {time}
    objects: [{{type: order, key: erp_order_no, expr: body.order}}]
    attributes: {{customer_id: body.customer}}
tests:
  - name: an order
    input: {{order: SO-1, at: "2026-03-01T10:00:00Z", made: "2026-03-01T10:00:00Z"}}
    expect: [{{milestone: order_accepted}}]
"""
SHOPIFY = "commerce_order_id:shop/820982911946154508"


def mend(folder: Path, version: int, time: str) -> None:
    """Write the mapping of connection `own`; time is the expression for when it happened."""
    file = folder / "mappings" / "own" / "order.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(MAPPING.format(version=version, time=time))


def shopify(world: World, body: dict[str, Any]) -> str:
    """Send an order as Shopify signs it and return the id of the message."""
    raw = json.dumps(body).encode()
    signature = base64.b64encode(hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()).decode()
    headers = {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": "orders/create"}
    return posted(world, "shop", raw, headers)


def own(world: World, **body: str) -> str:
    """Send a message of connection `own` and return its id."""
    return posted(world, "own", json.dumps(body).encode(), {"Authorization": f"Bearer {SECRET}"})


def posted(world: World, connection: str, body: bytes, headers: dict[str, str]) -> str:
    reply = world.client.post(f"/v1/ingest/{connection}", content=body, headers=headers)
    assert reply.status_code == 202, reply.text
    return str(reply.json()["raw_id"])


def acts(world: World) -> set[tuple[str, str]]:
    rows = world.client.get("/v1/audit").json()["audit"]
    return {(row["act"], row["subject"].split("@")[0]) for row in rows}


def held(world: World, raw_id: str) -> dict[str, Any]:
    (row,) = [q for q in world.client.get("/v1/quarantine").json()["quarantine"] if q["raw_id"] == raw_id]
    found: dict[str, Any] = row
    return found


def a_signed_webhook_is_on_the_orders_page(world: World) -> Story:
    order = {
        "id": 820982911946154508,
        "created_at": "2026-03-01T10:00:00+01:00",
        "total_price": "540.10",
        "currency": "EUR",
    }
    sent: list[str] = []
    yield [lambda: sent.append(shopify(world, order))]
    (raw_id,) = sent
    found = page(world.client, SHOPIFY)
    assert found["milestones"][0]["milestone"] == "order_captured"
    assert found["amount"] == "540.10"
    assert [(e["raw_id"], e["mapping"].split("@")[0]) for e in found["events"]] == [(raw_id, "shopify.order")]
    (row,) = world.client.get("/v1/raw", params={"connection": "shop"}).json()["raw"]
    assert (row["raw_id"], row["outcome"], row["events"], row["has_body"]) == (raw_id, "mapped", 1, True)
    reading_a_body_needs_an_operator(world, raw_id)


def reading_a_body_needs_an_operator(world: World, raw_id: str) -> None:
    token = world.client.post("/v1/keys", json={"name": "looker", "roles": ["viewer"]}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert world.client.get("/v1/raw", headers=headers).status_code == 200
    assert world.client.get(f"/v1/raw/{raw_id}", headers=headers).status_code == 403
    for path in (f"/v1/raw/{raw_id}/dry-run", "/v1/raw/replay"):
        assert world.client.post(path, headers=headers, json={"raw_ids": ["x"]}).status_code == 403
    assert world.client.get("/v1/raw/nothing").status_code == 404
    assert world.client.post("/v1/raw/replay", json={}).status_code == 400
    again = world.client.post("/v1/raw/replay", json={"order_id": SHOPIFY, "reason": "the mapping was mended"})
    assert again.status_code == 200, again.text
    assert again.json()["unchanged"] >= 1 and not again.json()["new"]
    assert world.client.post("/v1/raw/replay", json={"order_id": "never heard of"}).status_code == 404


def held_messages_are_looked_at_mended_let_go_and_read_again(world: World) -> Story:
    """SO-1 cannot be used until the mapping is mended, SO-9 never, and SO-2 is used with the wrong time at first."""
    ids = world.raw_ids

    def arrive() -> None:
        ids["SO-1"] = own(world, order="SO-1", made="2026-03-01T09:00:00Z", api_token="very-secret")
        ids["SO-9"] = own(world, order="SO-9", customer="C-17")
        times = {"at": "2026-03-01T10:00:00Z", "made": "2026-03-01T08:00:00Z"}
        ids["SO-2"] = own(world, order="SO-2", customer="C-17", mail="someone@example.com", **times)

    yield [arrive]
    row, never = held(world, ids["SO-1"]), held(world, ids["SO-9"])
    assert (row["reason"], row["raw"]) == ("mapping_failed", "")
    shown = world.client.get(f"/v1/raw/{ids['SO-1']}").json()
    assert '"order":"SO-1"' in shown["body"].replace(" ", "")
    assert "very-secret" not in json.dumps(shown)
    assert ("read_raw", f"raw/{ids['SO-1']}") in acts(world)

    let_go = world.client.post(f"/v1/quarantine/{never['id']}/discard", json={"reason": "a test"})
    assert let_go.status_code == 204
    gone = world.client.get("/v1/quarantine", params={"state": "discarded"}).json()["quarantine"]
    assert [(q["raw_id"], q["note"]) for q in gone] == [(ids["SO-9"], "a test")]

    mend(world.folder, 2, "body.at || body.made")
    looked = world.client.post(f"/v1/quarantine/{row['id']}/dry-run").json()["documents"]
    assert [d["events"][0]["time"] for d in looked] == ["2026-03-01T09:00:00.000Z"]
    assert world.client.get("/v1/orders/SO-1").status_code == 404, "looking changes nothing"
    done = world.client.post(f"/v1/quarantine/{row['id']}/replay").json()
    assert done == {"accepted": 1, "duplicate": 0, "quarantined": 0, "rejected": []}
    yield []
    why = world.client.get("/v1/orders/SO-1/why").json()
    assert {e["raw_id"] for e in why["events"]} == {ids["SO-1"]}
    assert world.client.post(f"/v1/quarantine/{row['id']}/replay").json()["code"] == "not_open"
    assert {("dry_run", f"quarantine/{row['id']}"), ("replay", f"quarantine/{row['id']}")} <= acts(world)
    assert world.client.get("/v1/audit").json().get("broken") is None

    mend(world.folder, 3, "body.made")
    replay = ("replay", "--raw", "--connection", "own", "--why", "wrong time", "--url", world.url)
    read = here(*replay, env=world.env)
    assert read.returncode == 2, "one of them can still not be used"
    assert "1 changed" in read.stdout
    yield []
    assert [m["occurred_at"] for m in page(world.client, "SO-2")["milestones"]] == ["2026-03-01T08:00:00.000Z"]
    assert ("replay_raw", "connection/own") in acts(world)
    reasons = {q["reason"] for q in world.client.get("/v1/quarantine").json()["quarantine"]}
    assert "conflict" not in reasons, "what is superseded is nobody's mistake"
