"""Machines: one signed POST by the Standard Webhooks, only to the address of the book, never along a redirect."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook as Signer

from rules.model import Webhook
from tower.alerts.delivery import Outcome
from tower.model.secret import SecretError, Secrets
from tower.model.trust import trust

TIMEOUT_S = 15.0
_NOT_NOW = frozenset({408, 425, 429})


class Webhooks:
    """Sends to webhooks. Thread-safe; close it when done."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._client = httpx.Client(follow_redirects=False, trust_env=False, timeout=TIMEOUT_S, verify=trust())

    def send(self, webhook: Webhook, message_id: str, body: str, now: datetime) -> Outcome:
        """Send once; the id stays the same through every repeat, so that the far side can tell. Never raises for it."""
        try:
            headers = signed(webhook, message_id, body, now, self._secrets)
        except (SecretError, ValueError) as error:
            return Outcome("unknown", str(error) if isinstance(error, SecretError) else "a secret is no whsec_ text")
        try:
            response = self._client.post(webhook.url, content=body.encode(), headers=headers)
        except httpx.HTTPError as error:
            return Outcome("unknown", f"no answer: {type(error).__name__}")
        status = response.status_code
        if response.is_success:
            return Outcome("sent", f"{status}")
        if status == 410:
            return Outcome("gone", "410: the address wants no more notices; the receiver is switched off")
        if status >= 500 or status in _NOT_NOW:
            after = response.headers.get("Retry-After", "")
            return Outcome("unknown", f"{status}", min(int(after), 86_400) if after.isdecimal() else None)
        if response.is_redirect:
            return Outcome("unknown", f"{status}: a redirect, which is never followed; correct the address in the book")
        return Outcome("unknown", f"{status} {response.reason_phrase}")

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()


def signed(webhook: Webhook, message_id: str, body: str, now: datetime, secrets: Secrets) -> Mapping[str, str]:
    """Return the headers; one signature with each secret, so that the far side may change over in its own time."""
    at = now.astimezone(UTC)
    signatures = [signer(secrets.resolve(reference)).sign(message_id, at, body) for reference in webhook.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "o2c-control-tower",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def signer(secret: str) -> Signer:
    """Return what signs with a secret: `whsec_` and base64 by the standard; of any other text the bytes are the key."""
    return Signer(secret if secret.startswith("whsec_") else base64.b64encode(secret.encode()).decode())


def address_of(webhook: Webhook) -> str:
    """Return what an address is remembered by: another url or secret is another address."""
    return hashlib.sha256("\n".join((webhook.url, *webhook.secrets)).encode()).hexdigest()[:16]
