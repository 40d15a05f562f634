"""JSON with every digit kept: whole numbers of any length stay whole, numbers with a fraction stay as written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from collector.decoders.options import known
from collector.decoders.unit import Undecodable, Unit

_MAX_DEPTH = 128
_decode = msgspec.json.Decoder(float_hook=str).decode


def check(spec: Mapping[str, Any]) -> None:
    """Raise ValueError for a wrong block."""
    known(spec)


def decode(_spec: Mapping[str, Any], body: bytes) -> Iterator[Unit]:
    """Yield the object, or each object of a list. Raises Undecodable."""
    try:
        value = _decode(body)
    except UnicodeDecodeError:
        raise _not_utf8(body) from None
    except RecursionError:
        raise _too_deep() from None
    except msgspec.MsgspecError as error:
        fault = _malformed(body, str(error))
        fault.foreign = body.lstrip()[:1] not in (b"{", b"[")
        raise fault from None
    if body.count(b"[") + body.count(b"{") > _MAX_DEPTH and _deeper_than(value, _MAX_DEPTH):
        raise _too_deep()
    if isinstance(value, dict):
        yield Unit(value, "$")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                raise Undecodable(f"a list of objects is expected, this is {_kind(item)}", f"$[{index}]")
        for index, item in enumerate(value):
            yield Unit(item, f"$[{index}]")
    else:
        raise Undecodable(f"an object is expected, this is {_kind(value)}", "$")


def _malformed(body: bytes, message: str) -> Undecodable:
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return Undecodable("it starts with a byte order mark; JSON is sent as UTF-8 without one", "byte 0")
    text, _, place = message.partition(" (byte ")
    return Undecodable(f"this is no JSON: {text}", f"byte {place.rstrip(')')}" if place else f"of {len(body)} bytes")


def _not_utf8(body: bytes) -> Undecodable:
    try:
        body.decode()  # the decoder tells the place within one text only
    except UnicodeDecodeError as error:
        return Undecodable("the bytes are not valid UTF-8", f"byte {error.start}")
    return Undecodable("a text in it is not valid UTF-8", "$")


def _too_deep() -> Undecodable:
    return Undecodable(f"the JSON is nested deeper than {_MAX_DEPTH} levels", "$")


def _deeper_than(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return False
        level = below
    return any(isinstance(item, dict | list) for item in level)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {bool: "a boolean", int: "a number", str: "a text", list: "a list"}.get(type(value), "something else")
