"""A system's own messages in a whole tower: to the order's page, into quarantine and out of it, and away for a person."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands.process import Running, here

SECRET = "native-secret"
CONNECTIONS = """
connections:
  - {name: shop, kind: commerce, mapping: shopify, currency: EUR, verify: {scheme: shopify, secrets: "env:TOWER_SECRET_SHOP"}}
  - {name: own, kind: erp, mapping: own, verify: {scheme: bearer, secrets: "env:TOWER_SECRET_SHOP"}}
"""
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
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("native")
    (made / "connections.yaml").write_text(CONNECTIONS)
    (made / "mappings" / "own").mkdir(parents=True)
    mend(made, 1, "body.at")
    return made


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Running]:
    with Running(
        folder / "var",
        TOWER_CONNECTIONS=str(folder / "connections.yaml"),
        TOWER_MAPPINGS=str(folder / "mappings"),
        TOWER_SECRET_SHOP=SECRET,
    ) as made:
        yield made


def mend(folder: Path, version: int, time: str) -> None:
    (folder / "mappings" / "own" / "order.yaml").write_text(MAPPING.format(version=version, time=time))


def shopify(url: str, body: dict[str, Any], topic: str = "orders/create") -> httpx.Response:
    raw = json.dumps(body).encode()
    signature = base64.b64encode(hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()).decode()
    headers = {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": topic}
    return httpx.post(f"{url}/v1/ingest/shop", params={"wait": "stored"}, content=raw, headers=headers, timeout=60)


def own(url: str, **body: Any) -> str:
    headers = {"Authorization": f"Bearer {SECRET}"}
    reply = httpx.post(f"{url}/v1/ingest/own", params={"wait": "stored"}, json=body, headers=headers, timeout=60)
    assert reply.status_code == 202, reply.text
    raw_id: str = reply.json()["raw_id"]
    return raw_id


def acts(client: httpx.Client) -> list[tuple[str, str]]:
    rows = client.get("/v1/audit").json()["audit"]
    return [(row["act"], row["subject"].split("@")[0]) for row in rows]


def held(client: httpx.Client, raw_id: str) -> dict[str, Any]:
    (row,) = [q for q in client.get("/v1/quarantine").json()["quarantine"] if q["raw_id"] == raw_id]
    found: dict[str, Any] = row
    return found


def test_a_signed_webhook_is_on_the_orders_page_when_it_is_answered(running: Running) -> None:
    order = {
        "id": 820982911946154508,
        "created_at": "2026-03-01T10:00:00+01:00",
        "total_price": "540.10",
        "currency": "EUR",
    }
    reply = shopify(running.url, order)
    assert reply.status_code == 202, reply.text
    with running.client() as client:
        page = client.get("/v1/orders/commerce_order_id:shop/820982911946154508").json()
        assert page["milestones"][0]["milestone"] == "order_captured"
        assert page["amount"] == "540.10"
        raw_id = reply.json()["raw_id"]
        assert [(e["raw_id"], e["mapping"].split("@")[0]) for e in page["events"]] == [(raw_id, "shopify.order")]
        why = client.get("/v1/orders/commerce_order_id:shop/820982911946154508/why").json()
        assert {e["raw_id"] for e in why["events"]} == {raw_id}
        (row,) = client.get("/v1/raw", params={"connection": "shop"}).json()["raw"]
    assert (row["raw_id"], row["outcome"], row["events"], row["has_body"]) == (
        reply.json()["raw_id"],
        "mapped",
        1,
        True,
    )


def test_a_held_message_is_looked_at_mended_and_counts(running: Running, folder: Path) -> None:
    raw_id = own(running.url, order="SO-1", made="2026-03-01T09:00:00Z", api_token="very-secret")
    with running.client() as client:
        row = held(client, raw_id)
        assert (row["reason"], row["raw"]) == ("mapping_failed", "")
        shown = client.get(f"/v1/raw/{raw_id}").json()
        assert '"order":"SO-1"' in shown["body"].replace(" ", "")
        assert "very-secret" not in json.dumps(shown)
        assert ("read_raw", f"raw/{raw_id}") in acts(client)
        mend(folder, 2, "body.at || body.made")
        looked = client.post(f"/v1/quarantine/{row['id']}/dry-run").json()["documents"]
        assert [d["events"][0]["time"] for d in looked] == ["2026-03-01T09:00:00.000Z"]
        assert client.get("/v1/orders/SO-1").status_code == 404, "looking changes nothing"
        done = client.post(f"/v1/quarantine/{row['id']}/replay").json()
        assert done == {"accepted": 1, "duplicate": 0, "quarantined": 0, "rejected": []}
        client.post("/v1/events", params={"wait": "stored"}, json=[])
        assert client.post(f"/v1/quarantine/{row['id']}/replay").json()["code"] == "not_open"
        assert {("dry_run", f"quarantine/{row['id']}"), ("replay", f"quarantine/{row['id']}")} <= set(acts(client))
        assert client.get("/v1/audit").json().get("broken") is None


def test_a_held_message_is_let_go_with_a_reason(running: Running) -> None:
    raw_id = own(running.url, order="SO-9")
    with running.client() as client:
        row = held(client, raw_id)
        assert client.post(f"/v1/quarantine/{row['id']}/discard", json={"reason": "a test"}).status_code == 204
        gone = client.get("/v1/quarantine", params={"state": "discarded"}).json()["quarantine"]
        assert [(q["raw_id"], q["note"]) for q in gone] == [(raw_id, "a test")]


def test_all_messages_of_a_connection_are_read_again_under_a_mended_mapping(running: Running, folder: Path) -> None:
    own(running.url, order="SO-2", at="2026-03-01T10:00:00Z", made="2026-03-01T08:00:00Z")
    mend(folder, 3, "body.made")
    done = here("replay", "--raw", "--connection", "own", "--why", "wrong time", "--url", running.url, env=running.env)
    assert done.returncode == 2, "one of them can still not be used"
    assert "1 changed" in done.stdout
    with running.client() as client:
        client.post("/v1/events", params={"wait": "stored"}, json=[])
        page = client.get("/v1/orders/SO-2").json()
        assert [m["occurred_at"] for m in page["milestones"]] == ["2026-03-01T08:00:00.000Z"]
        assert ("replay_raw", "connection/own") in acts(client)
        reasons = {q["reason"] for q in client.get("/v1/quarantine").json()["quarantine"]}
        assert "conflict" not in reasons, "what is superseded is nobody's mistake"


def test_reading_a_body_needs_an_operator(running: Running) -> None:
    with running.client() as client:
        token = client.post("/v1/keys", json={"name": "looker", "roles": ["viewer"]}).json()["token"]
        (first, *_) = client.get("/v1/raw").json()["raw"]
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/v1/raw", headers=headers).status_code == 200
        assert client.get(f"/v1/raw/{first['raw_id']}", headers=headers).status_code == 403
        for path in (f"/v1/raw/{first['raw_id']}/dry-run", "/v1/raw/replay"):
            assert client.post(path, headers=headers, json={"raw_ids": ["x"]}).status_code == 403
        assert client.get("/v1/raw/nothing").status_code == 404
        assert client.post("/v1/raw/replay", json={}).status_code == 400
        order = next(o["order_id"] for o in client.get("/v1/orders?limit=5").json()["orders"])
        again = client.post("/v1/raw/replay", json={"order_id": order, "reason": "the mapping was mended"})
        assert again.status_code == 200, again.text
        assert again.json()["unchanged"] >= 1 and not again.json()["new"]
        assert client.post("/v1/raw/replay", json={"order_id": "never heard of"}).status_code == 404


def test_a_person_is_removed_from_what_was_kept(folder: Path) -> None:
    """Runs on a tower of its own, which is stopped for it."""
    settings = {
        "TOWER_CONNECTIONS": str(folder / "connections.yaml"),
        "TOWER_MAPPINGS": str(folder / "mappings"),
        "TOWER_SECRET_SHOP": SECRET,
    }
    mend(folder, 4, "body.at")
    with Running(folder / "other", **settings) as tower:
        own(tower.url, order="SO-1", at="2026-03-01T10:00:00Z", customer="C-17", mail="someone@example.com")
        own(tower.url, order="SO-2", at="2026-03-01T10:00:00Z", customer="C-18")
        own(tower.url, order="SO-3", customer="C-17")
        env = tower.env
    done = here("purge", "--customer", "C-17", env=env)
    assert done.returncode == 0, done.stderr
    with Running(folder / "other", **settings) as tower, tower.client() as client:
        rows = client.get("/v1/raw").json()["raw"]
        assert [row["has_body"] for row in rows] == [False, True, False]
        assert client.get(f"/v1/raw/{rows[0]['raw_id']}").json()["code"] == "body_gone"
        assert client.get("/v1/orders/SO-1").json()["customer_id"] == "C-17", "the facts stay"
