"""Any HMAC in a header: the connection says which header, algorithm, encoding, prefix and what exactly is signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_hmac, from_base64, from_hex
from collector.verify.message import Message, Unverified
from collector.verify.moment import check_moment
from tower.model.connection import Verify


def check(rule: Verify, secrets: Sequence[str], message: Message, now: datetime) -> None:
    """Raise Unverified unless the signature fits and a signed time is near."""
    name, prefix = rule.option("header"), rule.option("prefix")
    text = message.header(name).strip()
    if not text.startswith(prefix):
        raise Unverified(f"header {name} must begin with {prefix}")
    decode = from_hex if rule.option("encoding") == "hex" else from_base64
    given = decode(text.removeprefix(prefix), name)
    timed = rule.option("timestamp")
    timestamp = message.header(timed) if timed else ""
    before, after = (
        part.replace("{timestamp}", timestamp).encode("latin-1", "replace")
        for part in rule.option("signed").split("{body}", 1)
    )
    parts = [before, message.body, after]
    check_hmac((s.encode() for s in secrets), [given], parts, rule.option("algorithm"))
    if timed:
        check_moment(timestamp, now, int(rule.option("tolerance")), f"header {timed}")
