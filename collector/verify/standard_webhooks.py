"""Standard Webhooks: `webhook-id.webhook-timestamp.body`, signed with HMAC-SHA256 (v1) or Ed25519 (v1a).

The header may hold several signatures, one of which must fit under one of the secrets. Source: Standard Webhooks 1.0.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from collector.verify.digest import check_hmac
from collector.verify.message import Message
from collector.verify.moment import check_moment
from tower.model.connection import Verify

_PRIVATE, _PUBLIC = "whsec_", "whpk_"


def check(rule: Verify, secrets: Sequence[str], message: Message, now: datetime) -> None:
    """Raise Unverified unless one signature fits and the time is near."""
    timestamp = message.header("webhook-timestamp")
    head = f"{message.header('webhook-id')}.{timestamp}.".encode("latin-1")
    v1: list[bytes] = []
    v1a: list[bytes] = []
    for part in message.header("webhook-signature").split():
        version, _, text = part.partition(",")
        # A version we do not know, or one that is garbled, is another signature's business.
        with suppress(binascii.Error, ValueError):
            {"v1": v1, "v1a": v1a}.get(version, []).append(base64.b64decode(text, validate=True))
    public = [_public(s) for s in secrets if s.startswith(_PUBLIC)]
    signed = head + message.body if v1a and public else b""
    if not any(_fits(key, given, signed) for key in public for given in v1a):
        check_hmac((_key(s) for s in secrets if not s.startswith(_PUBLIC)), v1, [head, message.body])
    check_moment(timestamp, now, int(rule.option("tolerance")), "header webhook-timestamp")


def fault(secret: str) -> str:
    """Return what is wrong with a secret's form."""
    try:
        if secret.startswith(_PUBLIC):
            _public(secret)
        elif not _key(secret):
            return f"it is empty; write {_PRIVATE} and base64"
    except (binascii.Error, ValueError):
        return f"it is neither {_PRIVATE} and base64 nor {_PUBLIC} and base64 of an Ed25519 public key"
    return ""


@lru_cache(256)
def _key(secret: str) -> bytes:
    text = secret.removeprefix(_PRIVATE)
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


@lru_cache(256)
def _public(secret: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(secret.removeprefix(_PUBLIC), validate=True))


def _fits(key: Ed25519PublicKey, given: bytes, signed: bytes) -> bool:
    try:
        key.verify(given, signed)
    except InvalidSignature:
        return False
    return True
