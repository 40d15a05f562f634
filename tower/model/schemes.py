"""The ways a message can prove where it comes from, and what each needs in `verify:`. See collector.verify."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KEY = "key"


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme. options: name to default; None marks one that must be written. secrets: what each reference holds."""

    means: str
    secrets: str = ""
    options: Mapping[str, str | None] = field(default_factory=dict)


_TOLERANCE = {"tolerance": "300s"}

SCHEMES: dict[str, Scheme] = {
    KEY: Scheme("a key of the tower that may send for this connection, as Authorization: Bearer"),
    "shopify": Scheme(
        "base64 HMAC-SHA256 of the body in X-Shopify-Hmac-Sha256 or Shopify-Hmac-Sha256",
        "the app's client secret",
        {"shop": ""},
    ),
    "stripe": Scheme("Stripe-Signature with t= and v1=", "the endpoint's secret, whsec_...", _TOLERANCE),
    "adobe_io": Scheme(
        "RSA-SHA256 of the body in x-adobe-digital-signature-1 or -2",
        "a public key of Adobe in PEM form; the tower fetches none",
        {"client_id": ""},
    ),
    "zendesk": Scheme(
        "base64 HMAC-SHA256 of timestamp and body in X-Zendesk-Webhook-Signature",
        "the webhook's signing secret",
        {"tolerance": "0s"},
    ),
    "aftership": Scheme("base64 HMAC-SHA256 of the body in aftership-hmac-sha256", "the webhook secret"),
    "easypost": Scheme("hex HMAC-SHA256 of the body in X-Hmac-Signature", "the webhook secret"),
    "standard_webhooks": Scheme(
        "webhook-id, webhook-timestamp and webhook-signature (v1, v1a)",
        "whsec_ and base64 for v1, whpk_ and base64 of an Ed25519 public key for v1a",
        _TOLERANCE,
    ),
    "hmac": Scheme(
        "an HMAC in a header of your choice",
        "the shared secret",
        {
            "header": None,
            "algorithm": "sha256",
            "encoding": "hex",
            "prefix": "",
            "timestamp": "",
            "signed": "{body}",
            **_TOLERANCE,
        },
    ),
    "basic": Scheme("Authorization: Basic", "user:password"),
    "bearer": Scheme("Authorization: Bearer with a token of the sender's own", "the token"),
    "header_secret": Scheme("a secret in a header", "the secret", {"header": None}),
    "query_secret": Scheme("a secret in the address", "the secret", {"parameter": "code"}),
    "mtls_header": Scheme(
        "the subject of a client certificate that a proxy has checked",
        "",
        {"header": None, "subjects": None, "proxies": None},
    ),
}

# Options that hold a list of texts; every other holds one.
LISTS = ("subjects", "proxies")
CHOICES: dict[str, tuple[str, ...]] = {
    "algorithm": ("sha256", "sha1", "sha384", "sha512"),
    "encoding": ("hex", "base64"),
}
