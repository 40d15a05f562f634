"""AfterShip: base64 HMAC-SHA256 of the body. Source: AfterShip, "Webhook signature"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_hmac, from_base64
from collector.verify.message import Message
from tower.model.connection import Verify

_HEADER = "aftership-hmac-sha256"


def check(_rule: Verify, secrets: Sequence[str], message: Message, _now: datetime) -> None:
    """Raise Unverified unless the signature fits."""
    given = from_base64(message.header(_HEADER), _HEADER)
    check_hmac((s.encode() for s in secrets), [given], [message.body])
