"""A bearer token of the sender's own. Source: RFC 6750."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_secret
from collector.verify.message import Message, Unverified
from tower.model.connection import Verify


def check(_rule: Verify, secrets: Sequence[str], message: Message, _now: datetime) -> None:
    """Raise Unverified unless the token is ours."""
    scheme, _, token = message.header("authorization").partition(" ")
    if scheme.lower() != "bearer":
        raise Unverified("header authorization must be Bearer")
    check_secret(secrets, token.strip().encode("latin-1"), "the token")
