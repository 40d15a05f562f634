"""A secret in the address, for senders that can neither sign nor set a header (Azure Event Grid's own schema)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_secret
from collector.verify.message import Message, Unverified
from tower.model.connection import Verify


def check(rule: Verify, secrets: Sequence[str], message: Message, _now: datetime) -> None:
    """Raise Unverified unless the parameter holds one of our secrets."""
    name = rule.option("parameter")
    if not (given := message.query.get(name)):
        raise Unverified(f"query parameter {name} is missing")
    check_secret(secrets, given.encode(errors="replace"), f"query parameter {name}")
