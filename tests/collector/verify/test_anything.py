"""Whatever bytes, headers and addresses arrive, a proof either fails as unverified or holds; nothing else is raised."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.verify import Message, Unverified, verify
from collector.verify.message import headers_of
from tests.amount import SEEDS
from tests.collector.verify.signing import GENERIC, NOW, b64, rule
from tests.collector.verify.test_key_pairs import PEMS
from tower.model.schemes import KEY, SCHEMES

OPTIONS: dict[str, dict[str, object]] = {
    "hmac": dict(GENERIC),
    "header_secret": {"header": "x-sig"},
    "mtls_header": {"header": "x-sig", "subjects": ("CN=a",), "proxies": ("10.0.0.0/8",)},
    "zendesk": {"tolerance": "60s"},
    "adobe_io": {"client_id": "ours"},
    "shopify": {"shop": "eu"},
}
SECRETS = {"adobe_io": PEMS, "standard_webhooks": ("whsec_" + b64(b"0" * 24), "whpk_" + b64(bytes(32)))}
NAMES = [
    "x-shopify-hmac-sha256", "shopify-hmac-sha256", "x-shopify-shop-domain", "stripe-signature", "webhook-id",
    "webhook-timestamp", "webhook-signature", "x-adobe-digital-signature-1", "x-adobe-digital-signature-2",
    "x-adobe-public-key1-path", "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp",
    "aftership-hmac-sha256", "x-hmac-signature", "authorization", "x-sig", "x-time",
]  # fmt: skip
ODD = [
    b"t=1,v1=00", b"t=99999999999999999999,v1=aa", b"Basic YQ==", b"Bearer x", b"v1,AAAA v1a,AAAA", b"v1a," + b"A" * 88,
    b"hmac-sha256-hex=zz", b"v2=AAAA", b"9" * 400, b"-1", b"2026-13-01", b"0001-01-01T00:00:00+23:59", b"https://[",
    b"AAAA",
]  # fmt: skip
VALUES = st.binary(max_size=40) | st.sampled_from(ODD)


@pytest.mark.parametrize("scheme", sorted(set(SCHEMES) - {KEY}))
@settings(max_examples=50 * SEEDS, deadline=None)
@given(
    headers=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8),
    query=st.dictionaries(st.sampled_from(["code", "a"]), st.text(max_size=20), max_size=2),
    body=st.one_of(st.binary(max_size=80), st.sampled_from([b"<a>", b"{}", b"[" * 5000, b'{"a":{"b":"c"}}'])),
    peer=st.sampled_from(["", "10.0.0.1", "::1", "x"]),
)
def test_nothing_but_unverified_is_raised(
    scheme: str, headers: dict[str, bytes], query: dict[str, str], body: bytes, peer: str
) -> None:
    made = rule(scheme, {"body:a.b": ("c",), "query:a": ("c",)}, **OPTIONS.get(scheme, {}))
    arrived = headers_of((k.encode(), v) for k, v in headers.items())
    with suppress(Unverified):
        verify(made, SECRETS.get(scheme, ("secret", "user:password")), Message(arrived, query, body, peer), NOW)


def test_a_repeated_header_is_one_text() -> None:
    assert headers_of([(b"X-Sig", b"a"), (b"x-sig", b"\xe9")]) == {"x-sig": "a, é"}
