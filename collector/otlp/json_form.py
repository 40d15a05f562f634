"""OTLP/JSON to the protobuf message it stands for.

It is protobuf's JSON with differences that its own reader does not know (OTLP specification, "JSON Protobuf Encoding"):
ids are hexadecimal, enumerations are numbers, and fields are named in lowerCamelCase only. What follows from the
messages' descriptors is worked out once for each kind of message.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

HEXADECIMAL = frozenset({"trace_id", "span_id", "parent_span_id"})
_WHOLE = frozenset(
    getattr(FieldDescriptor, f"TYPE_{name}")
    for name in (
        "INT32", "INT64", "UINT32", "UINT64", "SINT32", "SINT64", "FIXED32", "FIXED64", "SFIXED32", "SFIXED64", "ENUM",
    )
)  # fmt: skip
Read = Callable[[Any], Any]


def fields_of(value: Any, kind: Any) -> dict[str, Any]:
    """Return the fields of a JSON object by their protobuf names, as the message's constructor takes them.

    kind: the message's Descriptor. Unknown fields and nulls are left out. Raises ValueError or TypeError.
    """
    if type(value) is not dict:
        raise TypeError(f"{kind.name} must be an object, not {type(value).__name__}")
    known = _readers(kind)
    found = {}
    for name, given in value.items():
        if given is not None and (field := known.get(name)) is not None:
            found[field[0]] = field[1](given)
    return found


@cache
def _readers(kind: Any) -> dict[str, tuple[str, Read]]:
    """Return for each JSON name of a message's fields the protobuf name and how to read a value."""
    return {field.json_name: (field.name, _reader(field)) for field in kind.fields}


def _reader(field: FieldDescriptor) -> Read:
    read = _single(field)
    if not field.is_repeated:
        return read

    def read_all(value: Any) -> list[Any]:
        if type(value) is not list:
            raise TypeError(f"{field.json_name} must be a list, not {type(value).__name__}")
        return [read(item) for item in value]

    return read_all


def _single(field: FieldDescriptor) -> Read:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        kind = field.message_type
        return lambda value: fields_of(value, kind)
    if field.type in _WHOLE:
        return _whole
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return _number
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes.fromhex if field.name in HEXADECIMAL else _base64
    return lambda value: value


def _whole(value: Any) -> int:
    """Return a whole number, written as number or text."""
    if type(value) is int:
        return value
    if type(value) is str:
        return int(value)
    if type(value) is float and value.is_integer():
        return int(value)
    raise TypeError(f"{value!r} is no whole number")


def _number(value: Any) -> float:
    if type(value) is bool:
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _base64(value: Any) -> bytes:
    return base64.b64decode(value, validate=True)
