"""Who sent these bytes? One file per scheme; each looks at the message exactly as it arrived, before it is read.

A scheme has `check(rule, secrets, message, now)`, which returns or raises Unverified whatever the bytes are, and
`fault(secret)`, which says what is wrong with the form of a secret, '' if nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from collector.verify import (
    adobe_io,
    aftership,
    basic,
    bearer,
    easypost,
    header_secret,
    hmac_header,
    mtls_header,
    query_secret,
    shopify,
    standard_webhooks,
    stripe,
    zendesk,
)
from collector.verify.expect import check_expected
from collector.verify.message import Message, Unverified
from collector.verify.secret_form import any_text
from tower.model.connection import Verify

__all__ = ["Message", "Unverified", "secret_fault", "verify"]

_Check = Callable[[Verify, Sequence[str], Message, datetime], None]


class _Scheme(NamedTuple):
    check: _Check
    fault: Callable[[str], str] = any_text


_SCHEMES = {
    "shopify": _Scheme(shopify.check),
    "stripe": _Scheme(stripe.check),
    "adobe_io": _Scheme(adobe_io.check, adobe_io.fault),
    "zendesk": _Scheme(zendesk.check),
    "aftership": _Scheme(aftership.check),
    "easypost": _Scheme(easypost.check),
    "standard_webhooks": _Scheme(standard_webhooks.check, standard_webhooks.fault),
    "hmac": _Scheme(hmac_header.check),
    "basic": _Scheme(basic.check, basic.fault),
    "bearer": _Scheme(bearer.check),
    "header_secret": _Scheme(header_secret.check),
    "query_secret": _Scheme(query_secret.check),
    "mtls_header": _Scheme(mtls_header.check),
}


def verify(rule: Verify, secrets: Sequence[str], message: Message, now: datetime) -> None:
    """Return if the message proves that it is the connection's. Raises Unverified, whatever the bytes are.

    The scheme `key` is no proof inside the message; the door asks for the tower's own key instead.
    """
    if (scheme := _SCHEMES.get(rule.scheme)) is not None:
        scheme.check(rule, secrets, message, now)
    check_expected(rule.expect, message)


def secret_fault(scheme: str, secret: str) -> str:
    """Return what is wrong with the form of a secret, '' if nothing is; the secret itself is not repeated."""
    return _SCHEMES[scheme].fault(secret) if scheme in _SCHEMES else ""
