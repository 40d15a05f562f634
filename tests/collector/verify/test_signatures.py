"""Each scheme takes what the vendor signs, under any of its secrets, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from collector.verify import Unverified, secret_fault
from tests.collector.verify import signing
from tests.collector.verify.signing import NOW, SECRETS, b64, prove, rule
from tower.model.connection import Verify
from tower.model.schemes import KEY, SCHEMES

BODY = '{"id": 820982911946154508, "name": "Žižkov ✓"}'.encode()
Sign = Callable[[str, bytes], dict[str, str]]
SIGNED: dict[str, tuple[Verify, Sign]] = {
    "shopify": (rule("shopify"), signing.shopify),
    "shopify events": (rule("shopify"), lambda s, b: signing.shopify(s, b, "Shopify")),
    "shopify of one shop": (rule("shopify", shop="EU.myshopify.example"), signing.shopify),
    "stripe": (rule("stripe"), signing.stripe),
    "zendesk": (rule("zendesk"), signing.zendesk),
    "zendesk within a minute": (rule("zendesk", tolerance="60s"), signing.zendesk),
    "aftership": (rule("aftership"), signing.aftership),
    "easypost": (rule("easypost"), signing.easypost),
    "hmac": (rule("hmac", **signing.GENERIC), signing.generic),
    "basic": (rule("basic"), lambda s, _: {"Authorization": "Basic " + b64(s.encode())}),
    "bearer": (rule("bearer"), lambda s, _: {"Authorization": f"Bearer {s}"}),
    "header_secret": (rule("header_secret", header="x-api-key"), lambda s, _: {"X-Api-Key": s}),
}


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_message_signed_with_the_new_or_the_old_secret_is_taken(name: str, secret: str) -> None:
    made, sign = SIGNED[name]
    prove(made, sign(secret, BODY), BODY)


@pytest.mark.parametrize("name", SIGNED)
def test_another_secret_is_refused_and_no_secret_is_told(name: str) -> None:
    made, sign = SIGNED[name]
    with pytest.raises(Unverified) as caught:
        prove(made, sign("not-ours", BODY), BODY)
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize(
    "name", [n for n in SIGNED if "shop" in n or n in ("stripe", "zendesk", "aftership", "easypost", "hmac")]
)
def test_another_body_is_refused(name: str) -> None:
    made, sign = SIGNED[name]
    headers = sign(SECRETS[0], BODY)
    for changed in (BODY + b" ", BODY[:-1], b""):
        with pytest.raises(Unverified):
            prove(made, headers, changed)


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize(
    "spoil", [lambda _: "", lambda v: v[:-3], lambda v: "é" + v, lambda v: v + "=", lambda _: "\x00"]
)
def test_a_header_that_is_missing_cut_or_garbled_is_refused(name: str, spoil: Callable[[str], str]) -> None:
    made, sign = SIGNED[name]
    headers = sign(SECRETS[0], BODY)
    first = next(iter(headers))
    with pytest.raises(Unverified):
        prove(made, headers | {first: spoil(headers[first])}, BODY)
    with pytest.raises(Unverified):
        prove(made, {}, BODY)


def test_the_shop_in_the_header_must_be_the_connections_own() -> None:
    """Shopify signs the body alone: a genuine body with another shop's header is not this connection's."""
    headers = signing.shopify(SECRETS[0], BODY) | {"X-Shopify-Shop-Domain": "us.myshopify.example"}
    prove(rule("shopify"), headers, BODY)
    with pytest.raises(Unverified, match="another shop"):
        prove(rule("shopify", shop="eu.myshopify.example"), headers, BODY)
    with pytest.raises(Unverified, match="missing"):
        prove(rule("shopify", shop="eu.myshopify.example"), {k: v for k, v in headers.items() if "Hmac" in k}, BODY)


def test_stripe_takes_several_signatures_and_only_near_times() -> None:
    good = signing.stripe(SECRETS[0], BODY)["Stripe-Signature"]
    t, _, v1 = good.split(",")
    prove(rule("stripe"), {"Stripe-Signature": f"{t},v1={'00' * 32},{v1}"}, BODY)
    for header in (v1, t, f"{t},{t},{v1}", f"{t},v1=xyz", f"t=soon,{v1}", f"{t},v0={v1[3:]}"):
        with pytest.raises(Unverified):
            prove(rule("stripe"), {"Stripe-Signature": header}, BODY)
    for seconds, fine in ((300, True), (-300, True), (301, False), (-301, False)):
        headers = signing.stripe(SECRETS[0], BODY, NOW + timedelta(seconds=seconds))
        if fine:
            prove(rule("stripe"), headers, BODY)
        else:
            with pytest.raises(Unverified, match="300 s from now"):
                prove(rule("stripe"), headers, BODY)


def test_a_signed_time_cannot_take_the_bodys_place() -> None:
    headers = signing.generic(SECRETS[0], BODY) | {"X-Time": "{body}"}
    with pytest.raises(Unverified):
        prove(rule("hmac", **signing.GENERIC), headers, BODY)


def test_a_secret_in_the_address() -> None:
    made = rule("query_secret")
    prove(made, {}, BODY, query={"code": SECRETS[1]})
    for query in ({}, {"code": ""}, {"code": "x"}, {"code": "\udcff"}, {"other": SECRETS[0]}):
        with pytest.raises(Unverified):
            prove(made, {}, BODY, query=query)


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"])
def test_a_certificates_subject_counts_from_a_known_proxy_only(peer: str) -> None:
    made = rule(
        "mtls_header", header="x-client-subject", subjects=("CN=erp,O=ACME",), proxies=("10.0.0.0/8", "fd00::/8")
    )
    prove(made, {"X-Client-Subject": "CN=erp,O=ACME"}, BODY, (), peer=peer)
    for elsewhere in ("11.1.2.3", "", "unix:", "testclient"):
        with pytest.raises(Unverified, match="proxies only"):
            prove(made, {"X-Client-Subject": "CN=erp,O=ACME"}, BODY, (), peer=elsewhere)
    for subject in ("CN=erp,O=Other", ""):
        with pytest.raises(Unverified):
            prove(made, {"X-Client-Subject": subject}, BODY, (), peer=peer)


@pytest.mark.parametrize(
    ("part", "fits"),
    [
        ("header:x-region", True),
        ("query:tenant", True),
        ("body:app.id", True),
        ("body:list.1.id", True),
        ("body:app", False),
        ("body:list.7.id", False),
        ("body:app.id.deeper", False),
        ("header:x-other", False),
    ],
)
def test_a_part_that_names_the_tenant_must_agree(part: str, fits: bool) -> None:
    body = b'{"app": {"id": 17}, "list": [{}, {"id": "17"}], "other": 17.0}'
    made = rule("bearer", {part: ("16", "17")})
    message = {"Authorization": f"Bearer {SECRETS[0]}", "X-Region": "17"}
    if fits:
        prove(made, message, body, query={"tenant": "17"})
    for spoiled in (b'{"app": {"id": 18}, "list": [{}, {"id": "18"}]}', b"", b"\xff", b"[" * 100_000):
        with pytest.raises(Unverified):
            prove(made, {"Authorization": message["Authorization"]}, spoiled, query={})


def test_a_part_of_xml_is_found_by_local_names_and_entities_are_not_read() -> None:
    made = rule("basic", {"body:Envelope.Body.notifications.OrganizationId": ("00D1",)})
    headers = {"Authorization": "Basic " + b64(b"user:password")}
    envelope = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        b'<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>%b</OrganizationId>'
        b"</notifications></s:Body></s:Envelope>"
    )
    prove(made, headers, envelope % b"00D1", ("user:password",))
    hostile = b'<!DOCTYPE x [<!ENTITY e "00D1">]>' + envelope % b"&e;"
    for body in (envelope % b"00D2", hostile, b"<a", b"<a><b/></a>"):
        with pytest.raises(Unverified):
            prove(made, headers, body, ("user:password",))


@pytest.mark.parametrize(
    ("scheme", "secret", "said"),
    [
        ("basic", "user", "write user:password"),
        ("basic", "user:password", ""),
        ("adobe_io", "no key", "no RSA public key in PEM form"),
        ("standard_webhooks", "whsec_!", "whsec_ and base64"),
        ("standard_webhooks", "whpk_" + b64(b"short"), "Ed25519 public key"),
        ("standard_webhooks", "whsec_" + b64(b"secret"), ""),
        ("stripe", " ", "it is empty"),
        ("stripe", "whsec_x", ""),
        (KEY, "anything", ""),
    ],
)
def test_the_form_of_a_secret_is_checked(scheme: str, secret: str, said: str) -> None:
    found = secret_fault(scheme, secret)
    assert said in found if said else found == ""


def test_every_scheme_that_can_be_written_can_be_proved() -> None:
    """A scheme that the connections file takes and the door does not know would let anybody in."""
    for scheme in set(SCHEMES) - {KEY}:
        needed = {"header": "x-sig", "subjects": ("a",), "proxies": ("10.0.0.0/8",)}
        options = {k: v for k, v in needed.items() if k in SCHEMES[scheme].options}
        with pytest.raises(Unverified):
            prove(rule(scheme, **options), {}, BODY)
