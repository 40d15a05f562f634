"""A secret in a header of the connection's choice, for senders that cannot sign."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_secret
from collector.verify.message import Message
from tower.model.connection import Verify


def check(rule: Verify, secrets: Sequence[str], message: Message, _now: datetime) -> None:
    """Raise Unverified unless the header holds one of our secrets."""
    name = rule.option("header")
    check_secret(secrets, message.header(name).strip().encode("latin-1"), f"header {name}")
