"""EasyPost: `X-Hmac-Signature: hmac-sha256-hex=...` of the body; the secret is taken in Unicode's form NFKD.

Source: EasyPost, "Webhook validation" in its client libraries.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_hmac, from_hex
from collector.verify.message import Message, Unverified
from tower.model.connection import Verify

_HEADER = "x-hmac-signature"
_PREFIX = "hmac-sha256-hex="


def check(_rule: Verify, secrets: Sequence[str], message: Message, _now: datetime) -> None:
    """Raise Unverified unless the signature fits."""
    text = message.header(_HEADER).strip()
    if not text.startswith(_PREFIX):
        raise Unverified(f"header {_HEADER} must begin with {_PREFIX}")
    given = from_hex(text.removeprefix(_PREFIX), _HEADER)
    check_hmac((unicodedata.normalize("NFKD", s).encode() for s in secrets), [given], [message.body])
