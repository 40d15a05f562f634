"""A message that breaks its contract waits in quarantine with the place of the fault and no value of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from collector.contracts.contracts import Contracts
from collector.contracts.schemas import DRAFT, read_schemas
from collector.mapping import SHIPPED, MappingsError
from tests.collector.desk import Desk
from tests.collector.ingest.systems import SECRET, SECRETS, proof, system
from tower.model.connections import Connections

BEARER = {"Authorization": f"Bearer {SECRET}"}


def schema(folder: Path, name: str, **members: Any) -> Path:
    path = folder / "own" / f"{name}.schema.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"$schema": DRAFT, "type": "object", **members}))
    return path


def strict(**contracts: tuple[str, ...]) -> Connections:
    kinds = {kind.replace("__", "/"): names for kind, names in contracts.items()}
    return Connections((system("shop", proof("bearer"), mapping="shopify", contracts=kinds),), configured=True)


def send(door: Desk, topic: str = "orders/create", **body: Any) -> str:
    at = "2026-03-01T10:00:00Z"
    made = {"id": 1, "created_at": at, "updated_at": at, "total_price": "1.00", "currency": "EUR", **body}
    answer = door.ingest("shop", json.dumps(made).encode(), {**BEARER, "X-Shopify-Topic": topic}, wait=True)
    assert answer.status_code == 202
    raw_id: str = answer.json()["raw_id"]
    return raw_id


def test_a_message_that_breaks_its_contract_is_held_with_the_place(make_desk: Callable[..., Desk]) -> None:
    door = make_desk(connections=strict(orders__create=("shopify.order@1",)), secrets=SECRETS)
    send(door)
    bad = send(door, id=2, total_price=1.5, customer={"id": "someone@example.com"})
    ((reason, detail, raw_id),) = door.rows("reason, detail, raw_id", "quarantine FINAL")
    assert (reason, raw_id) == ("contract", bad)
    assert "shopify.order@1: " in detail
    assert "$.total_price" in detail
    assert "$.customer.id" in detail
    assert "someone" not in detail
    assert door.rows("count()", where="quarantine = ''") == [(1,)]
    assert door.collector.stats().connections["shop"].contract == 1


def test_a_kind_without_a_contract_is_not_held_to_one(make_desk: Callable[..., Desk]) -> None:
    door = make_desk(connections=strict(orders__create=("shopify.order@1",)), secrets=SECRETS)
    send(door, "orders/updated", total_price=1.5)
    assert door.rows("reason, detail", "quarantine") == []


def test_a_contract_may_be_named_by_the_mapping(make_desk: Callable[..., Desk]) -> None:
    connections = Connections(
        (system("shop", proof("bearer"), mapping="shopify", contracts={"shopify.order": ("shopify.order@1",)}),),
        configured=True,
    )
    door = make_desk(connections=connections, secrets=SECRETS)
    send(door, "orders/updated", total_price=1.5)
    assert door.rows("reason", "quarantine FINAL") == [("contract",)]


def test_any_of_several_accepted_versions_will_do(make_desk: Callable[..., Desk], tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    schema(tmp_path, "order@1", required=["old"])
    schema(tmp_path, "order@2", required=["new"], properties={"new": {"type": "number"}})
    connections = strict(orders__create=("order@1", "order@2"))
    door = make_desk(connections=connections, secrets=SECRETS, mappings=empty_set(tmp_path))
    send(door, old=1)
    send(door, id=2, new=1.5)
    send(door, id=3, new="x")
    ((detail,),) = door.rows("detail", "quarantine FINAL")
    assert 'order@1: $: "old" is a required property' in detail
    assert "order@2: $.new" in detail


def empty_set(folder: Path) -> Path:
    """Return the folder with the one mapping that every folder of sets needs."""
    (folder / "own" / "order.yaml").write_text(
        (SHIPPED / "wms" / "warehouse.yaml").read_text().replace("wms.warehouse", "own.order")
    )
    return folder


def test_a_contract_that_names_no_schema_ends_the_start(make_desk: Callable[..., Desk]) -> None:
    with pytest.raises(MappingsError) as caught:
        make_desk(connections=strict(orders__create=("shopify.order@9",)), secrets=SECRETS)
    assert "connection shop: contracts: orders/create: there is no schema 'shopify.order@9'" in str(caught.value)
    assert "did you mean 'shopify.order@1'?" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("order@1", "{", "order@1.schema.json:1"),
        ("order@1", "[]", "$schema is not"),
        ("order@1", '{"$schema": "http://json-schema.org/draft-07/schema#"}', "$schema is not"),
        ("order@1", json.dumps({"$schema": DRAFT, "type": "objekt"}), "order@1.schema.json:1"),
        ("order@1", json.dumps({"$schema": DRAFT, "$ref": "https://example.com/s"}), "example.com"),
        ("order@1", json.dumps({"$schema": DRAFT, "$ref": "file:///etc/passwd"}), "passwd"),
        ("order", json.dumps({"$schema": DRAFT}), "'order' is no name@version"),
    ],
)
def test_a_schema_that_cannot_be_used_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    schema(tmp_path, name).write_text(text)
    found, problems = read_schemas([tmp_path])
    assert not found
    (problem,) = problems
    assert said in str(problem)


def test_the_schemas_that_ship_are_of_the_draft_and_fit_another_validator() -> None:
    schemas, problems = read_schemas([SHIPPED])
    assert not problems
    assert {"shopify.order@1", "wms.event@1"} <= set(schemas)
    for name, shipped in schemas.items():
        document = json.loads(shipped.text)
        jsonschema.Draft202012Validator.check_schema(document)
        assert document["$id"] == f"urn:o2c:schema:{name}"
        for sample in (
            {},
            {"id": 1},
            {"id": "1", "type": "shipped", "occurred_at": "2026-03-01T10:00:00", "order_no": 5},
            [],
        ):
            theirs = jsonschema.Draft202012Validator(document).is_valid(sample)
            assert theirs == (shipped.fault(sample) == ""), (name, sample)


def test_schemas_are_served(make_desk: Callable[..., Desk]) -> None:
    door = make_desk(connections=strict(), secrets=SECRETS)
    listed = door.client.request("GET", "/v1/schemas")
    assert listed.headers["content-type"] == "application/schema+json"
    assert {"event", "shopify.order@1"} <= set(listed.json()["schemas"])
    jsonschema.Draft202012Validator.check_schema(listed.json())
    for name in listed.json()["schemas"]:
        one = door.client.request("GET", f"/v1/schemas/{name}")
        assert one.json()["$schema"] == DRAFT
    assert door.client.request("GET", "/v1/schemas/none@1").status_code == 404
    assert door.client.request("GET", "/v1/schemas/event", headers={"Authorization": ""}).status_code == 401


def test_contracts_of_nothing_find_nothing() -> None:
    assert Contracts((), {}).fault("a", "b", "c", {}) == ""
