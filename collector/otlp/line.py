"""One accepted request as a line of the journal, and the lines of a block as what the store reads."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Line(msgspec.Struct, gc=False, omit_defaults=True):
    """The body in protobuf, and the latest instant heard of each connection in it, Unix ms.

    refused: what the store said of a body that it does not take; such a line goes to quarantine instead.
    """

    body: bytes
    heard: dict[str, int] = {}
    refused: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def to_line(line: Line) -> bytes:
    """Return the journal line."""
    return _encode(line) + b"\n"


def from_lines(lines: bytes) -> list[Line]:
    """Return what whole lines hold. Raises msgspec.MsgspecError."""
    return [_decode(line) for line in lines.splitlines()]


def refused_line(line: bytes, error: str) -> bytes:
    """Return the line that takes the place of one which the store refuses, or which is none."""
    try:
        body = _decode(line).body
    except msgspec.MsgspecError:
        body = line
    return to_line(Line(body, refused=error or "no reason given"))


def joined(lines: Iterable[Line]) -> bytes:
    """Return one request with the content of all: protobuf messages of one kind can be put behind each other."""
    return b"".join(line.body for line in lines)
