"""Shopify: base64 HMAC-SHA256 of the body under the app's client secret; webhooks (X-Shopify-) and Events (Shopify-).

Only the body is signed, so the shop's header is never a choice: it must be the shop that the connection names.
Source: Shopify, "Verify the webhook's origin".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.verify.digest import check_hmac, from_base64
from collector.verify.message import Message, Unverified
from tower.model.connection import Verify

_SIGNATURE = ("x-shopify-hmac-sha256", "shopify-hmac-sha256")
_SHOP = ("x-shopify-shop-domain", "shopify-shop-domain")


def check(rule: Verify, secrets: Sequence[str], message: Message, _now: datetime) -> None:
    """Raise Unverified unless the signature fits and the shop is ours."""
    given = from_base64(message.header(*_SIGNATURE), _SIGNATURE[0])
    check_hmac((s.encode() for s in secrets), [given], [message.body])
    shop = rule.option("shop")
    if shop and message.header(*_SHOP).strip().lower() != shop.lower():
        raise Unverified(f"header {_SHOP[0]} names another shop than this connection")
