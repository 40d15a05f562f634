"""The four forms of a CloudEvents request, each to the JSON text of its events.

Source: CloudEvents 1.0.2, HTTP protocol binding and JSON event format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import msgspec

from collector.decode import is_json
from collector.limits import MAX_EVENTS
from tower.model.problem import Problem

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_HEADER = "ce-"
_NAME = re.compile(r"[a-z0-9]{1,20}\Z")
_RESERVED = {"data", "datacontenttype"}
_raws = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Request:
    """The events of one request. lone: it can only hold one, so a bad one refuses the request."""

    raws: Sequence[bytes | msgspec.Raw]
    lone: bool
    lines: bool = False


def split(content_type: str, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Request:
    """Return the events of a request. Raises Problem: 415 for a form we do not speak, 400 for a broken batch."""
    essence, _, parameters = content_type.partition(";")
    essence = essence.strip().lower()
    _check_charset(parameters)
    if essence == STRUCTURED:
        return Request([body], lone=True)
    if essence == BATCH:
        return Request(_split_batch(body), lone=False)
    if essence in LINES:
        return Request(_split_lines(body), lone=False, lines=True)
    attributes = [(k, v) for k, v in headers if k.startswith(b"ce-")]
    if attributes:
        return Request([_from_binary(attributes, content_type, body)], lone=True)
    if essence == "application/json":
        if body.lstrip()[:1] == b"[":
            return Request(_split_batch(body), lone=False)
        return Request([body], lone=True)
    raise Problem(
        415,
        "unsupported_media_type",
        f"Content-Type is {content_type!r}; send {STRUCTURED}, {BATCH}, {LINES[0]}, application/json"
        " or one event in ce- headers",
        headers={"Accept": f"{STRUCTURED}, {BATCH}, {LINES[0]}, application/json"},
    )


def _check_charset(parameters: str) -> None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8", "us-ascii"):
            raise Problem(415, "unsupported_charset", f"the charset is {value.strip()}; send UTF-8")


def _split_batch(body: bytes) -> list[msgspec.Raw]:
    try:
        raws = _raws.decode(body)
    except RecursionError:
        raise Problem(400, "too_deep", "the JSON is nested too deeply; an event is flat") from None
    except UnicodeDecodeError:
        raise Problem(400, "invalid_utf8", "the body is not valid UTF-8") from None
    except msgspec.MsgspecError as error:
        raise Problem(400, "not_json", f"the body is no JSON list of events: {error}") from None
    _check_count(len(raws))
    return raws


def _split_lines(body: bytes) -> list[bytes]:
    lines = [line for line in body.split(b"\n") if line and not line.isspace()]
    _check_count(len(lines))
    return lines


def _check_count(count: int) -> None:
    if count > MAX_EVENTS:
        raise Problem(413, "too_many_events", f"the request holds {count} events; send at most {MAX_EVENTS} at once")


def _from_binary(attributes: Iterable[tuple[bytes, bytes]], content_type: str, body: bytes) -> bytes:
    """Return the structured spelling of a binary event, which is what its raw shows."""
    event: dict[str, object] = {}
    for header, value in attributes:
        name = header[len(_HEADER) :].decode("latin-1")
        if _NAME.match(name) and name not in _RESERVED:
            event[name] = _header_text(name, value)
    if content_type:
        event["datacontenttype"] = content_type
    if body.strip():
        if content_type and not is_json(content_type):
            raise Problem(400, "data_not_json", f"Content-Type is {content_type!r}; data must be application/json")
        try:
            msgspec.json.decode(body, type=msgspec.Raw)
        except RecursionError:
            raise Problem(400, "too_deep", "the JSON is nested too deeply; an event is flat") from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Problem(400, "not_json", f"the body is no JSON: {error}") from None
        event["data"] = msgspec.Raw(body)
    return msgspec.json.encode(event)


def _header_text(name: str, value: bytes) -> str:
    """Return a header's value: outer quotes removed, then percent-decoded as UTF-8."""
    if len(value) >= 2 and value[:1] == value[-1:] == b'"':
        value = re.sub(rb"\\(.)", rb"\1", value[1:-1])
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise Problem(400, "invalid_utf8", f"header ce-{name} is not percent-encoded UTF-8") from None


def header_map(headers: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Return the headers by lower-case name, the last of each."""
    return {k.decode("latin-1"): v.decode("latin-1") for k, v in headers}
