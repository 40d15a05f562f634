"""Signed links in notices: to confirm an address, and to end a subscription without a key.

A link holds what it is for, whose subscription and which address; nobody can make one or change one, and each ends by
itself. Keys come from those that seal raw bodies, so that all processes of a tower know them and they can be rotated.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CONFIRM, END = "confirm", "unsubscribe"
LASTS = {CONFIRM: timedelta(days=7), END: timedelta(days=366)}
_MOST = 2048  # characters of a token; ours have about 300
_INFO = b"o2c subscription links"


class LinkError(ValueError):
    """A link is not ours, was changed or is too old; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says. address_key: the address it was sent to, see Subscription."""

    purpose: str
    subscription_id: str
    address_key: str


class Links:
    """Makes and reads links. Thread-safe."""

    def __init__(self, keys: Sequence[bytes], public_url: str) -> None:
        """Take the keys, of which the first signs, and the address of the dashboards; '' where it is not known."""
        self._signers = [Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys]
        self._url = public_url.rstrip("/")

    @property
    def can(self) -> bool:
        """Whether links lead anywhere."""
        return bool(self._url)

    def make(self, link: Link, now: datetime) -> str:
        """Return the whole address of a link."""
        return f"{self._url}/link/{link.purpose}?token={self.token(link, now)}"

    def token(self, link: Link, now: datetime) -> str:
        """Return the part of a link that says everything."""
        says = msgspec.json.encode([link.purpose, link.subscription_id, link.address_key])
        return self._signers[0].encrypt_at_time(says, int(now.timestamp())).decode()

    def read(self, purpose: str, token: str, now: datetime) -> Link:
        """Return what a token says. Raises LinkError."""
        for signer in self._signers if len(token) <= _MOST else ():
            try:
                says = signer.decrypt_at_time(token, int(LASTS[purpose].total_seconds()), int(now.timestamp()))
            except (InvalidToken, ValueError):
                continue
            link = Link(*msgspec.json.decode(says, type=tuple[str, str, str]))
            if link.purpose == purpose:
                return link
        raise LinkError("the link is not whole, or it is too old")


def _derived(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(key)
