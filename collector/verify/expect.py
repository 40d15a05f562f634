"""Parts of a message that must say what the connection says: a tenant is checked, never chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector.part import part_of
from collector.verify.message import Message, Unverified


def check_expected(expected: Mapping[str, Sequence[str]], message: Message) -> None:
    """Raise Unverified unless each part holds one of its values."""
    for part, values in expected.items():
        found = part_of(part, message.headers, message.query, message.body)
        if found is None:
            raise Unverified(f"{part} is missing, and this connection expects it")
        if found not in values:
            raise Unverified(f"{part} names another sender than this connection")
