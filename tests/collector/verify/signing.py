"""Signatures as each vendor documents them, made with the standard library alone: what the proofs are tested against."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime

from collector.verify import Message, verify
from tower.model.connection import Verify
from tower.model.schemes import LISTS, SCHEMES

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRETS = ("the-new-secret", "the-old-secret")


def mac(secret: str, data: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), data, getattr(hashlib, algorithm)).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def rule(scheme: str, expect: Mapping[str, tuple[str, ...]] | None = None, **options: str | tuple[str, ...]) -> Verify:
    """Return a connection's rule, with the defaults that the connections file would give."""
    values: dict[str, tuple[str, ...]] = {}
    for name, default in SCHEMES[scheme].options.items():
        said = options.pop(name, default or "")
        said = said if name in LISTS or isinstance(said, tuple) else (said,)
        values[name] = tuple(s.removesuffix("s") for s in said) if name == "tolerance" else tuple(said)
    assert not options
    return Verify(scheme, (), values, expect or {})


def prove(
    made: Verify,
    headers: Mapping[str, str],
    body: bytes,
    secrets: tuple[str, ...] = SECRETS,
    *,
    query: Mapping[str, str] | None = None,
    now: datetime = NOW,
    peer: str = "",
) -> None:
    """Raise Unverified unless the message proves itself."""
    verify(made, secrets, Message({k.lower(): v for k, v in headers.items()}, query or {}, body, peer), now)


def shopify(secret: str, body: bytes, family: str = "X-Shopify") -> dict[str, str]:
    return {f"{family}-Hmac-Sha256": b64(mac(secret, body)), f"{family}-Shop-Domain": "eu.myshopify.example"}


def stripe(secret: str, body: bytes, at: datetime = NOW) -> dict[str, str]:
    t = str(int(at.timestamp()))
    return {"Stripe-Signature": f"t={t},v0=00,v1={mac(secret, f'{t}.'.encode() + body).hex()}"}


def zendesk(secret: str, body: bytes) -> dict[str, str]:
    stamp = "2026-03-01T11:59:58Z"
    return {
        "X-Zendesk-Webhook-Signature": b64(mac(secret, stamp.encode() + body)),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
    }


def aftership(secret: str, body: bytes) -> dict[str, str]:
    return {"aftership-hmac-sha256": b64(mac(secret, body))}


def easypost(secret: str, body: bytes) -> dict[str, str]:
    return {"X-Hmac-Signature": "hmac-sha256-hex=" + mac(unicodedata.normalize("NFKD", secret), body).hex()}


def generic(secret: str, body: bytes) -> dict[str, str]:
    stamp = str(int(NOW.timestamp()) - 20)
    return {"X-Sig": "v2=" + b64(mac(secret, f"{stamp}:".encode() + body + b"!", "sha512")), "X-Time": stamp}


GENERIC = {
    "header": "x-sig",
    "algorithm": "sha512",
    "encoding": "base64",
    "prefix": "v2=",
    "timestamp": "x-time",
    "signed": "{timestamp}:{body}!",
}
