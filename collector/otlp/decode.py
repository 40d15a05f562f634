"""A request's bytes, protobuf or JSON, to the bytes of the same request in protobuf and its checked message."""

from __future__ import annotations

import msgspec
from google.protobuf.message import DecodeError, EncodeError, Message

from collector.otlp.json_form import fields_of
from collector.rejection import Rejection

MAX_OBJECTS = 1_000_000  # some 40,000 spans in JSON; protobuf has no such bound


def from_protobuf(body: bytes, kind: type[Message]) -> Message:
    """Return the message, unknown fields ignored. Raises Rejection."""
    message = kind()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise Rejection("invalid_otlp", f"the body is no {kind.DESCRIPTOR.name}: {error}") from None
    return message


def from_json(body: bytes, kind: type[Message]) -> Message:
    """Return the message; ids are hexadecimal, enumerations numbers, unknown fields are ignored. Raises Rejection."""
    if body.count(b"{") > MAX_OBJECTS:
        raise Rejection("too_many_objects", f"the JSON holds over {MAX_OBJECTS:,} objects; send less at once")
    try:
        return kind(**fields_of(msgspec.json.decode(body), kind.DESCRIPTOR))
    except RecursionError:
        raise Rejection("too_deep", "the JSON is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Rejection("not_json", f"the body is no JSON: {error}") from None
    except (TypeError, ValueError) as error:
        raise Rejection("invalid_otlp", f"the body is no {kind.DESCRIPTOR.name}: {error}") from None


def as_protobuf(body: bytes, kind: type[Message]) -> bytes:
    """Return a JSON request in protobuf. Raises Rejection."""
    try:
        return from_json(body, kind).SerializeToString()
    except EncodeError as error:
        raise Rejection("too_deep", f"the JSON is nested too deeply: {error}") from None
