"""Bytes to text where the format does not fix how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.decoders.unit import Undecodable


def check_encoding(spec: Mapping[str, Any]) -> None:
    """Raise ValueError for an encoding that Python does not know or that is none of text."""
    name = spec.get("encoding", "utf-8")
    try:
        "x".encode(name)
    except (LookupError, TypeError):
        raise ValueError(f"decode: encoding {name!r} is not known; write one such as utf-8, cp1252 or cp037") from None


def text_of(body: bytes, encoding: str) -> str:
    """Return the text, without a byte order mark. Raises Undecodable."""
    try:
        return body.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Undecodable(f"the bytes are not {encoding}: {error.reason}", f"byte {error.start}") from None
    except UnicodeError as error:
        raise Undecodable(f"the bytes are not {encoding}: {error}", "byte 0") from None


def guessed(body: bytes, otherwise: str) -> str:
    """Return the text as UTF-8 where it is that, else in an encoding of one byte a character."""
    try:
        return body.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return body.decode(otherwise, errors="replace")
