"""Signatures with a private key, and Standard Webhooks against its own library."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks import Webhook, WebhookVerificationError

from collector.verify import Unverified, secret_fault
from tests.collector.verify.signing import NOW, b64, prove, rule

BODY = b'{"event_id": "e-1", "recipient_client_id": "ours"}'
OLD, NEW = (rsa.generate_private_key(65537, 2048) for _ in range(2))
PEMS = tuple(k.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode() for k in (NEW, OLD))


def adobe(*keys: rsa.RSAPrivateKey, body: bytes = BODY) -> dict[str, str]:
    signed = [b64(key.sign(body, PKCS1v15(), SHA256())) for key in keys]
    return {
        **{f"x-adobe-digital-signature-{i}": text for i, text in enumerate(signed, 1)},
        "x-adobe-public-key1-path": "/prod/keys/pub-key-a.pem",
        "x-adobe-public-key2-path": "/prod/keys/pub-key-b.pem",
    }


def test_one_of_adobes_two_signatures_must_fit_one_of_the_keys() -> None:
    other = rsa.generate_private_key(65537, 2048)
    prove(rule("adobe_io"), adobe(NEW, OLD), BODY, PEMS)
    prove(rule("adobe_io"), adobe(other, OLD), BODY, PEMS)
    prove(rule("adobe_io"), {k: v for k, v in adobe(OLD).items() if "path" not in k}, BODY, PEMS)
    for headers, body in ((adobe(other, other), BODY), (adobe(NEW), BODY + b" "), ({}, BODY)):
        with pytest.raises(Unverified):
            prove(rule("adobe_io"), headers, body, PEMS)


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/key.pem", "//evil.example/key.pem", "http://static.adobeioevents.com/k", "https://[::1"],
)
def test_a_key_path_that_leads_away_from_adobes_domain_is_refused(path: str) -> None:
    with pytest.raises(Unverified, match="another host"):
        prove(rule("adobe_io"), adobe(NEW) | {"x-adobe-public-key1-path": path}, BODY, PEMS)


def test_an_event_for_another_client_is_refused() -> None:
    prove(rule("adobe_io", client_id="ours"), adobe(NEW), BODY, PEMS)
    with pytest.raises(Unverified, match="recipient_client_id"):
        prove(rule("adobe_io", client_id="theirs"), adobe(NEW), BODY, PEMS)


def test_an_rsa_key_is_asked_for() -> None:
    pem = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert "RSA" in secret_fault("adobe_io", pem.decode())
    assert secret_fault("adobe_io", PEMS[0]) == ""


def webhook(secret: str, body: str, at: datetime = NOW) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body),
    }


SECRETS = ("whsec_" + b64(b"0" * 24), "whsec_" + b64(b"1" * 24))


@pytest.mark.parametrize("secret", SECRETS)
def test_what_the_standards_library_signs_is_taken(secret: str) -> None:
    body = '{"id": "ü"}'
    prove(rule("standard_webhooks"), webhook(secret, body), body.encode(), SECRETS)
    with pytest.raises(Unverified):
        prove(rule("standard_webhooks"), webhook(secret, body), body.encode() + b" ", SECRETS)


def test_this_door_and_the_standards_library_agree() -> None:
    """The library reads the clock itself, so the messages are of this moment."""
    now = datetime.now(UTC).replace(microsecond=0)
    body = '{"a": 1}'
    good = webhook(SECRETS[0], body, now)
    old = webhook(SECRETS[0], body, now - timedelta(seconds=400))
    cases = [
        good,
        old,
        good | {"webhook-id": "msg_2"},
        good | {"webhook-signature": "v1,AAAA " + good["webhook-signature"]},
    ]
    for headers in [*cases, good | {"webhook-signature": good["webhook-signature"].replace("v1", "v2")}]:
        theirs = ours = True
        try:
            Webhook(SECRETS[0]).verify(body, headers)
        except (WebhookVerificationError, ValueError):
            theirs = False
        try:
            prove(rule("standard_webhooks"), headers, body.encode(), SECRETS, now=now)
        except Unverified:
            ours = False
        assert ours == theirs, headers


def test_an_ed25519_signature_fits_beside_others() -> None:
    key = Ed25519PrivateKey.generate()
    public = "whpk_" + b64(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    stamp = str(int(NOW.timestamp()))
    signature = base64.b64encode(key.sign(f"msg_1.{stamp}.".encode() + BODY)).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,xx v1a,!! v1a,{signature}"}
    prove(rule("standard_webhooks"), headers, BODY, (SECRETS[0], public))
    assert secret_fault("standard_webhooks", public) == ""
    for changed in ({"webhook-id": "msg_2"}, {"webhook-signature": f"v1,{signature}"}, {"webhook-timestamp": "1"}):
        with pytest.raises(Unverified):
            prove(rule("standard_webhooks"), headers | changed, BODY, (SECRETS[0], public))
    late = NOW + timedelta(seconds=301)
    with pytest.raises(Unverified, match="from now"):
        prove(rule("standard_webhooks"), headers, BODY, (public,), now=late)
