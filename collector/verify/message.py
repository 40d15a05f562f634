"""A message as the proofs see it, and the one way in which a proof fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


class Unverified(Exception):
    """The message does not prove where it comes from. The detail says what is missing or wrong, never what is right."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request. headers by lower-case name, a repeated one joined by ", "; peer is the address that connected."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    peer: str = ""

    def header(self, *names: str) -> str:
        """Return the first of these headers that is there. Raises Unverified."""
        for name in names:
            if value := self.headers.get(name):
                return value
        raise Unverified(f"header {names[0]} is missing")


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of an ASGI scope, read as Latin-1, so that encoding them again gives the same bytes."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found
