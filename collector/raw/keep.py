"""Which headers and query parameters stay with a message: what mappings may need, and nothing that opens a door."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

from tower.model.connection import Verify

# Proofs and credentials by their names; addresses and paths of the network say nothing about the business.
_SECRET = re.compile(r"auth|cookie|secret|token|passw|signature|hmac|api-?key|access-?key|\bsig\b|\bcode\b|\bkey\b")
_NETWORK = re.compile(
    r"(?:host|connection|accept.*|content-length|transfer-encoding|te|expect|upgrade.*|via|forwarded|x-forwarded-.*|"
    r"x-real-ip|x-client-.*|cf-.*|sec-.*|dnt|origin|referer|keep-alive|pragma|cache-control)\Z"
)
_MOST, _LONGEST = 64, 1024


def kept_headers(headers: Mapping[str, str], rule: Verify, further: Set[str]) -> dict[str, str]:
    """Return the headers to keep, by lower-case name; `further` are those that the connection asks for by name.

    The header that holds the connection's secret or proof is never kept.
    """
    proof = rule.option("header")
    return _capped(
        {
            name: text
            for name, text in headers.items()
            if name != proof and (name in further or not (_SECRET.search(name) or _NETWORK.match(name)))
        }
    )


def kept_query(query: Mapping[str, str], rule: Verify) -> dict[str, str]:
    """Return the query parameters to keep."""
    proof = rule.option("parameter")
    return _capped({n: t for n, t in query.items() if n not in (proof, "wait") and not _SECRET.search(n.lower())})


def _capped(values: Mapping[str, str]) -> dict[str, str]:
    return {name[:_LONGEST]: text[:_LONGEST] for name, text in sorted(values.items())[:_MOST]}
