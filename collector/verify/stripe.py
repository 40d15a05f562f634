"""Stripe: `Stripe-Signature: t=...,v1=...[,v1=...]`, hex HMAC-SHA256 of `t.body`; v0 is ignored.

Source: Stripe, "Verify webhook signatures manually".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_hmac, from_hex
from collector.verify.message import Message, Unverified
from collector.verify.moment import check_moment
from tower.model.connection import Verify

_HEADER = "stripe-signature"


def check(rule: Verify, secrets: Sequence[str], message: Message, now: datetime) -> None:
    """Raise Unverified unless one v1 fits and the time is near."""
    pairs = [part.strip().partition("=") for part in message.header(_HEADER).split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    given = [from_hex(value, _HEADER) for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not given:
        raise Unverified(f"header {_HEADER} must hold one t= and at least one v1=")
    signed = times[0].encode("latin-1")
    check_hmac((s.encode() for s in secrets), given, [signed, b".", message.body])
    check_moment(times[0], now, int(rule.option("tolerance")), f"t= of {_HEADER}")
