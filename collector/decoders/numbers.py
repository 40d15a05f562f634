"""The control numbers of a decoded document: which numbering of its sender it belongs to, and its place there.

An interchange counts between two partners (ISA13, UNB 0020), a group within its kind of message (GS06). A number that
is not of digits alone (EDIFACT allows any text) is no place in anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_MOST_DIGITS = 18


class Number(NamedTuple):
    """A place in a numbering."""

    sequence_of: str
    sequence: int


def numbers_of(document: Mapping[str, Any]) -> tuple[Number, ...]:
    """Return the numbers of a document, none for one without an envelope."""
    envelope = document.get("envelope")
    if not isinstance(envelope, Mapping):
        return ()
    return tuple(_numbers(document, envelope))


def _numbers(document: Mapping[str, Any], envelope: Mapping[str, Any]) -> Iterator[Number]:
    partners = f"{envelope.get('sender', '')}/{envelope.get('receiver', '')}"
    interchange, group = _digits(envelope.get("interchange")), _digits(envelope.get("group"))
    if interchange is not None:
        yield Number(f"{'unb' if 'unb' in document else 'isa'}:{partners}", interchange)
    opened = document.get("gs")
    if group is not None and isinstance(opened, Mapping):
        yield Number(f"gs:{partners}/{opened.get('01', '')}", group)


def _digits(text: object) -> int | None:
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
        return int(text)
    return None
