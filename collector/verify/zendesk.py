"""Zendesk: base64 HMAC-SHA256 of the timestamp header followed by the body.

Source: Zendesk, "Verifying webhook authenticity".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_hmac, from_base64
from collector.verify.message import Message
from collector.verify.moment import check_moment
from tower.model.connection import Verify

_SIGNATURE = "x-zendesk-webhook-signature"
_TIMESTAMP = "x-zendesk-webhook-signature-timestamp"


def check(rule: Verify, secrets: Sequence[str], message: Message, now: datetime) -> None:
    """Raise Unverified unless the signature fits."""
    given = from_base64(message.header(_SIGNATURE), _SIGNATURE)
    timestamp = message.header(_TIMESTAMP)
    check_hmac((s.encode() for s in secrets), [given], [timestamp.encode("latin-1"), message.body])
    check_moment(timestamp, now, int(rule.option("tolerance")), f"header {_TIMESTAMP}")
