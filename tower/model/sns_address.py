"""Which addresses are Amazon SNS's own: the only ones that a subscription's confirmation may lead to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_HOST = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\Z")
_LONGEST = 4096


def is_sns(url: str) -> bool:
    """Return whether an address is one of Amazon SNS, over TLS and without anything that could mislead."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = parts.scheme == "https" and port in (None, 443) and not (parts.username or parts.password)
    return plain and len(url) <= _LONGEST and bool(_HOST.match(parts.hostname or ""))
