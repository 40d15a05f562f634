"""HMACs compared in constant time, over the bytes as they came."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Sequence

from collector.verify.message import Unverified


def from_base64(text: str, name: str) -> bytes:
    """Return the bytes of a header in base64. Raises Unverified."""
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Unverified(f"header {name} is no base64") from None


def from_hex(text: str, name: str) -> bytes:
    """Return the bytes of a header in hexadecimal. Raises Unverified."""
    try:
        return binascii.unhexlify(text.strip())
    except (binascii.Error, ValueError):
        raise Unverified(f"header {name} is no hexadecimal") from None


def check_hmac(
    secrets: Iterable[bytes], given: Sequence[bytes], parts: Sequence[bytes], algorithm: str = "sha256"
) -> None:
    """Return if one of the given digests is the HMAC of the parts under one of the secrets. Raises Unverified.

    Every secret is tried with every digest, so that the time taken says nothing about which one fits.
    """
    found = False
    for secret in secrets:
        state = hmac.new(secret, digestmod=algorithm)
        for part in parts:
            state.update(part)
        right = state.digest()
        for digest in given:
            found |= hmac.compare_digest(right, digest)
    if not found:
        raise Unverified("the signature does not fit the body under any of this connection's secrets")


def check_secret(secrets: Iterable[str], given: bytes, what: str) -> None:
    """Return if the given bytes are one of the secrets, compared in constant time. Raises Unverified."""
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(secret.encode(), given)
    if not found:
        raise Unverified(f"{what} is none of this connection's secrets")
