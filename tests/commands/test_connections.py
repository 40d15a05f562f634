"""`tower connections`: every mistake of a file is told before anything is served, and a door can be tried on a message."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.collector.verify import signing
from tests.commands.process import environment, here
from tests.commands.served import refused

SECRET = "shop-secret"
ORDER = json.dumps({"id": 1, "created_at": "2026-03-01T10:00:00Z", "total_price": "1.00", "currency": "EUR"}).encode()


def write(tmp_path: Path, text: str) -> str:
    file = tmp_path / "connections.yaml"
    file.write_text(text)
    return str(file)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path / "var", TOWER_SECRET_SHOP=SECRET, TOWER_SECRET_SHORT="short")


def test_each_connection_is_told_with_what_is_wrong_with_it(tmp_path: Path, env: dict[str, str]) -> None:
    file = write(
        tmp_path,
        """connections:
  - {name: good, kind: commerce, mapping: shopify, verify: {scheme: shopify, secrets: "env:TOWER_SECRET_SHOP"}}
  - {name: unset, kind: psp, verify: {scheme: stripe, secrets: "env:TOWER_SECRET_NOWHERE"}}
  - {name: form, kind: crm, verify: {scheme: basic, secrets: "env:TOWER_SECRET_SHORT"}}
  - {name: set, kind: erp, mapping: shopfy}
  - {name: folder, kind: erp, files: {folder: /nowhere/at/all}}
""",
    )
    done = here("connections", "check", file, env=env)
    assert done.returncode == 2
    said = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert said["good"].endswith(" ok")
    assert "TOWER_SECRET_NOWHERE is not set" in said["unset"]
    assert "write user:password" in said["form"]
    assert "there is no mapping set 'shopfy'. Hint: did you mean 'shopify'?" in said["set"]
    assert "there is no folder /nowhere/at/all" in said["folder"]
    assert "5 connections, 4 with problems" in done.stdout


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, env: dict[str, str]) -> None:
    done = here("connections", "check", write(tmp_path, "connections: [{name: a, kind: b, zone: Mars}]"), env=env)
    assert done.returncode == 2
    assert "connection a: zone: unknown time zone 'Mars'" in done.stderr


def test_a_tower_does_not_start_with_a_secret_that_leads_nowhere(tmp_path: Path) -> None:
    file = write(
        tmp_path, 'connections: [{name: pay, kind: psp, verify: {scheme: stripe, secrets: "env:TOWER_SECRET_X"}}]'
    )
    said = refused(environment(tmp_path / "var", TOWER_CONNECTIONS=file))
    assert "connection pay: env:TOWER_SECRET_X: the environment variable TOWER_SECRET_X is not set" in said


@pytest.fixture
def shop(tmp_path: Path) -> tuple[str, str]:
    file = write(
        tmp_path,
        'connections: [{name: shop, kind: commerce, mapping: shopify, verify: {scheme: shopify, secrets: "env:TOWER_SECRET_SHOP"}},'
        ' {name: pay, kind: psp, verify: {scheme: stripe, secrets: "env:TOWER_SECRET_SHOP"}}, {name: bare, kind: erp}]',
    )
    payload = tmp_path / "order.json"
    payload.write_bytes(ORDER)
    return file, str(payload)


def test_a_door_is_tried_on_a_message(env: dict[str, str], shop: tuple[str, str]) -> None:
    signature = signing.shopify(SECRET, ORDER)["X-Shopify-Hmac-Sha256"]
    headers = ("--header", f"X-Shopify-Hmac-Sha256: {signature}", "--header", "X-Shopify-Topic: orders/create")
    done = here("connections", "test", *shop, "--connection", "shop", *headers, env=env)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "proof: shopify fits" in done.stdout
    assert "orders/create" in done.stdout
    assert '"o2c.order_captured"' in done.stdout


def test_a_message_that_would_not_get_in_is_said_with_the_reason(env: dict[str, str], shop: tuple[str, str]) -> None:
    done = here("connections", "test", *shop, "--connection", "shop", "--header", "X-Shopify-Topic: x/y", env=env)
    assert done.returncode == 2
    assert "401 unverified: connection shop: header x-shopify-hmac-sha256 is missing" in done.stdout
    assert "unmapped_payload" in done.stdout, "and what it would become is still told"


def test_a_recorded_signature_is_tried_at_its_own_time(env: dict[str, str], shop: tuple[str, str]) -> None:
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    header = ("--header", "Stripe-Signature: " + signing.stripe(SECRET, ORDER, at)["Stripe-Signature"])
    late = here("connections", "test", *shop, "--connection", "pay", *header, env=env)
    assert "300 s from now" in late.stdout
    then = here(
        "connections", "test", *shop, "--connection", "pay", *header, "--at", "2026-03-01T13:01:00+01:00", env=env
    )
    assert "proof: stripe fits" in then.stdout
    assert "names no mapping" in then.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--connection", "shp"), "there is no connection 'shp'"),
        (("--connection", "bare", "--at", "noon"), "is no instant"),
        (("--connection", "bare", "--at", "2026-03-01T12:00:00"), "names no zone"),
    ],
)
def test_a_try_that_cannot_be_made_is_said(
    env: dict[str, str], shop: tuple[str, str], options: tuple[str, ...], said: str
) -> None:
    done = here("connections", "test", *shop, *options, env=env)
    assert done.returncode == 2
    assert said in done.stderr
