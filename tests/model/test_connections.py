"""The connections file is read strictly: everything it may hold comes out, every mistake is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tower.model.connection import Connection, Files, Limits, Verify
from tower.model.connections import ConnectionsError, load_connections

WHOLE = """
connections:
  - name: shop-eu
    kind: commerce
    source: /commerce/shop-eu
    mapping: shopify
    verify: {scheme: shopify, secrets: ["env:TOWER_SECRET_SHOP", "file:old-shop"], shop: eu.example,
             expect: {"header:X-Region": [eu, uk], "body:app.id": "17"}}
    zone: Europe/Berlin
    currency: EUR
    codes: {partner: {0012345: ACME}}
    limits: {per_second: 50, per_day: 100000}
    contracts: {orders/create: shopify.order@2, orders/updated: [shopify.order@1, shopify.order@2]}
    files: {folder: /in/legacy, pattern: "*.csv", settle: 2m, done: "*.done"}
    event_id: "header:X-Shopify-Webhook-Id"
    headers: [X-Flow]
    origins: [eventgrid.azure.net]
    scope: eu
    company: C1
    warehouse: W1
    partner: P1
    attributes: [basket]
  - {name: plain, kind: erp}
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "connections.yaml"
    file.write_text(text)
    return file


def test_every_key_is_read(tmp_path: Path) -> None:
    shop, plain = load_connections(write(tmp_path, WHOLE)).entries
    assert shop == Connection(
        name="shop-eu",
        kind="commerce",
        source="/commerce/shop-eu",
        scope="eu",
        company="C1",
        warehouse="W1",
        partner="P1",
        attributes=frozenset({"basket"}),
        mapping="shopify",
        verify=Verify(
            "shopify",
            ("env:TOWER_SECRET_SHOP", "file:old-shop"),
            {"shop": ("eu.example",)},
            {"header:x-region": ("eu", "uk"), "body:app.id": ("17",)},
        ),
        zone="Europe/Berlin",
        currency="EUR",
        codes={"partner": {"0012345": "ACME"}},
        limits=Limits(50, 100_000),
        contracts={"orders/create": ("shopify.order@2",), "orders/updated": ("shopify.order@1", "shopify.order@2")},
        files=Files("/in/legacy", "*.csv", 120, "*.done"),
        event_id="header:x-shopify-webhook-id",
        headers=frozenset({"x-flow"}),
        origins=frozenset({"eventgrid.azure.net"}),
    )
    assert plain == Connection("plain", "erp", "/erp/plain")
    assert plain.verify.scheme == "key"


def test_an_option_that_is_not_written_has_its_default(tmp_path: Path) -> None:
    text = (
        'connections: [{name: a, kind: b, verify: {scheme: hmac, secrets: "file:s", header: X-Sig, tolerance: 1m}},'
        " {name: c, kind: b, verify: {scheme: mtls_header, header: X-Subject, subjects: [CN=a], proxies: [10.0.0.0/8]}}]"
    )
    first, second = (e.verify for e in load_connections(write(tmp_path, text)).entries)
    assert {name: first.option(name) for name in first.options} == {
        "header": "x-sig",
        "algorithm": "sha256",
        "encoding": "hex",
        "prefix": "",
        "timestamp": "",
        "signed": "{body}",
        "tolerance": "60",
    }
    assert second.options["subjects"] == ("CN=a",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("name: shop, kind: commerce, mappping: x", "connection 1: unknown key 'mappping'; did you mean 'mapping'?"),
        ("kind: commerce", "connection 1: name: it is missing; write name: some-text"),
        ("name: 12, kind: commerce", 'connection 1: name: 12 is no text; write name: "12"'),
        ("name: shop, kind: commerce, name: b", "the key 'name' is written twice"),
        ("name: shop, kind: commerce, zone: Europe/Berln", "connection shop: zone: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        ("name: shop, kind: commerce, currency: Euro", "connection shop: currency: 'Euro' is no currency; write three capital letters"),
        ("name: shop, kind: commerce, mapping: ../up", "connection shop: mapping: '../up' is no name of a folder"),
        ("name: shop, kind: commerce, attributes: {a: b}", "connection shop: attributes: {'a': 'b'} is no list of texts"),
        ("name: shop, kind: commerce, attributes: [a, a]", "connection shop: attributes: ['a', 'a'] says one thing twice"),
        ("name: shop, kind: commerce, codes: {partner: {a: 12}}", 'connection shop: codes: partner: \'a\' stands for 12; write a text, in quotes: "12"'),
        ("name: shop, kind: commerce, codes: {partner: ACME}", "connection shop: codes: partner: 'ACME' is no table"),
        ("name: shop, kind: commerce, codes: [a]", "connection shop: codes: ['a'] is no mapping; write a table of codes"),
        ("name: shop, kind: commerce, limits: {per_second: 0}", "connection shop: limits: per_second: 0 is no whole number from 1"),
        ("name: shop, kind: commerce, limits: {per_minute: 3}", "connection shop: limits: unknown key 'per_minute'"),
        ("name: shop, kind: commerce, limits: 3", "connection shop: limits: 3 is no mapping; write limits: {per_second: 50"),
        ("name: shop, kind: commerce, contracts: {orders/create: shopify.order}", "connection shop: contracts: orders/create: 'shopify.order' is no name@version"),
        ("name: shop, kind: commerce, files: {pattern: x}", "connection shop: files: folder: it is missing; write the folder to watch"),
        ("name: shop, kind: commerce, files: {folder: /in, settle: soon}", "connection shop: files: settle: 'soon' is no duration; write a number with a unit"),
        ("name: shop, kind: commerce, event_id: id", "connection shop: event_id: 'id' names no part of a message; write header:NAME"),
        ("name: shop, kind: commerce, headers: ['a b']", "connection shop: headers: 'a b' is no name of a header"),
        ("name: shop, kind: commerce, verify: shopify", "connection shop: verify: 'shopify' is no mapping; write verify: {scheme"),
        ("name: shop, kind: commerce, verify: {secrets: []}", "connection shop: verify: the scheme is missing"),
        ("name: shop, kind: commerce, verify: {scheme: shoppify}", "connection shop: verify: unknown scheme 'shoppify'; did you mean 'shopify'?"),
        ("name: shop, kind: commerce, verify: {scheme: stripe}", "connection shop: verify: secrets: stripe needs the endpoint's secret, whsec_...; write secrets: [...]"),
        ("name: shop, kind: commerce, verify: {scheme: stripe, secrets: whsec_verysecret}", "connection shop: verify: secrets: an entry is no reference; write env:TOWER_SECRET_NAME or file:NAME"),
        ("name: shop, kind: commerce, verify: {scheme: key, secrets: 'file:a'}", "connection shop: verify: unknown key 'secrets'"),
        ("name: shop, kind: commerce, verify: {scheme: hmac, secrets: 'file:a'}", "connection shop: verify: header: it is missing"),
        ("name: shop, kind: commerce, verify: {scheme: hmac, secrets: 'file:a', header: X, algorithm: md5}", "connection shop: verify: algorithm: 'md5' is not allowed"),
        ("name: shop, kind: commerce, verify: {scheme: hmac, secrets: 'file:a', header: X, signed: '{timestamp}{body}'}", "connection shop: verify: signed: signed with {timestamp} and timestamp: HEADER belong together"),
        ("name: shop, kind: commerce, verify: {scheme: hmac, secrets: 'file:a', header: X, signed: 'all'}", "connection shop: verify: signed: 'all' must hold {body} once"),
        ("name: shop, kind: commerce, verify: {scheme: mtls_header, header: X, subjects: [a], proxies: [here]}", "connection shop: verify: proxies: 'here' is no address or network"),
        ("name: shop, kind: commerce, verify: {scheme: mtls_header, header: X, subjects: [a]}", "connection shop: verify: proxies: it is missing; write proxies: [...]"),
        ("name: shop, kind: commerce, verify: {scheme: basic, secrets: 'file:a', expect: {shop: a}}", "connection shop: verify: expect: shop: 'a' cannot be used; write what a part must say"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_file_line_connection_and_key(tmp_path: Path, line: str, said: str) -> None:
    file = write(tmp_path, f"connections:\n  - {{{line}}}\n")
    with pytest.raises(ConnectionsError) as caught:
        load_connections(file)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{file}:2: ")
    assert "\n" not in str(caught.value)
    assert "verysecret" not in str(caught.value), "what may be a secret is not repeated"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("connection: []", "write one key `connections:` with a list of entries"),
        ("connections: {}", "write one key `connections:` with a list of entries"),
        ("connections: [a]", "connection 1: 'a' is no mapping; write name, kind and source"),
        ("connections: [", "is no YAML"),
        ("connections: [{name: a, kind: b}, {name: a, kind: c}]", "two connections have the name 'a'"),
        ("connections: [{name: a, kind: b, source: /x}, {name: c, kind: b, source: /x}]", "have the source '/x'"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConnectionsError) as caught:
        load_connections(write(tmp_path, text))
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConnectionsError, match=r"gone\.yaml: cannot be read"):
        load_connections(tmp_path / "gone.yaml")
