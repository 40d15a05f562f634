"""The subject (or fingerprint) of a client certificate, told by a proxy in front of the tower that has checked it.

Such a header is worth what its sender is worth: it counts only from the proxies that the connection names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network

from collector.verify.digest import check_secret
from collector.verify.message import Message, Unverified
from tower.model.connection import Verify


def check(rule: Verify, _secrets: Sequence[str], message: Message, _now: datetime) -> None:
    """Raise Unverified unless a known proxy names a subject of ours."""
    if not _is_proxy(message.peer, rule.options["proxies"]):
        raise Unverified("this connection takes messages from its proxies only")
    name = rule.option("header")
    check_secret(rule.options["subjects"], message.header(name).strip().encode("latin-1"), f"header {name}")


def _is_proxy(peer: str, proxies: Sequence[str]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in ip_network(proxy) for proxy in proxies)
