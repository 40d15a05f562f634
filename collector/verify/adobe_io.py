"""Adobe I/O Events: RSA-SHA256 of the body in two headers, of which one must fit.

Adobe names its public keys by a path on its own key domain. The tower fetches nothing at its doors: the keys are
among the connection's secrets, and a path that leads to any other host is refused. Source: Adobe I/O Events,
"Security considerations".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from collector.verify.digest import from_base64
from collector.verify.expect import check_expected
from collector.verify.message import Message, Unverified
from tower.model.connection import Verify

_SIGNATURES = ("x-adobe-digital-signature-1", "x-adobe-digital-signature-2")
_PATHS = ("x-adobe-public-key1-path", "x-adobe-public-key2-path")
_KEY_HOSTS = ("static.adobeioevents.com", "adobeioevents.com")


def check(rule: Verify, secrets: Sequence[str], message: Message, _now: datetime) -> None:
    """Raise Unverified unless a signature fits under one of the keys and the message is for our client id."""
    for name in _PATHS:
        _check_path(message.headers.get(name, ""), name)
    named = [name for name in _SIGNATURES if message.headers.get(name)]
    if not named:
        raise Unverified(f"header {_SIGNATURES[0]} is missing")
    given = [from_base64(message.headers[name], name) for name in named]
    if not any(_fits(_key(secret), signature, message.body) for secret in secrets for signature in given):
        raise Unverified("no signature fits the body under any of this connection's public keys")
    if client_id := rule.option("client_id"):
        check_expected({"body:recipient_client_id": (client_id,)}, message)


def fault(secret: str) -> str:
    """Return what is wrong with a public key's form."""
    try:
        _key(secret)
    except (ValueError, UnsupportedAlgorithm):
        return "it is no RSA public key in PEM form"
    return ""


def _check_path(path: str, name: str) -> None:
    try:
        parts = urlsplit(path.strip())
        elsewhere = parts.netloc and not (parts.scheme == "https" and parts.netloc in _KEY_HOSTS)
    except ValueError:
        elsewhere = True
    if elsewhere:
        raise Unverified(f"header {name} leads to another host than {_KEY_HOSTS[0]}")


@lru_cache(64)
def _key(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not RSA")
    return key


def _fits(key: RSAPublicKey, signature: bytes, body: bytes) -> bool:
    try:
        key.verify(signature, body, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
