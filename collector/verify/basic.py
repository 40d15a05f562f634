"""HTTP Basic: each secret is `user:password`. Source: RFC 7617."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_secret, from_base64
from collector.verify.message import Message, Unverified
from tower.model.connection import Verify


def check(_rule: Verify, secrets: Sequence[str], message: Message, _now: datetime) -> None:
    """Raise Unverified unless user and password are ours."""
    scheme, _, text = message.header("authorization").partition(" ")
    if scheme.lower() != "basic":
        raise Unverified("header authorization must be Basic")
    given = from_base64(text, "authorization")
    check_secret(secrets, given, "this user with this password")


def fault(secret: str) -> str:
    """Return what is wrong with a secret's form."""
    user, colon, password = secret.partition(":")
    return "" if user and colon and password else "write user:password"
