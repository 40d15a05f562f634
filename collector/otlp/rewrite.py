"""A request whose bytes cannot go to the store as they came: what is refused taken out, the rest in plain values."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf.message import EncodeError, Message

from collector.otlp.check import Verdict
from collector.otlp.decode import from_protobuf
from collector.otlp.signal import LOGS, Signal
from collector.otlp.speakers import SOURCE, Speakers
from collector.otlp.text import text_of

_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?\.?")


def needs_rewrite(request: Message, verdict: Verdict, changed: bool) -> bool:
    """Return whether the bytes of a checked request cannot go to the store as they are. changed: for other reasons."""
    return bool(verdict.drop) or verdict.undated or changed or not _complete(request)


def _complete(request: Message) -> bool:
    """Return request.IsInitialized(), in a third of the time: writing a message out asks the same."""
    try:
        request.SerializeToString()
    except EncodeError:
        return False
    return True


def rewrite(signal: Signal, body: bytes, request: Any, verdict: Verdict, speakers: Speakers, received_ns: int) -> Any:
    """Return the same request, official, without what the verdict drops. request: its checked Message.

    Lists and maps become JSON text; a log record without a time gets the one of its arrival; a resource whose source
    does not follow from its service is stamped with it. Raises Rejection.
    """
    clean: Any = from_protobuf(body, signal.request)
    for path in request.FindInitializationErrors():
        value = _at(clean, path.rsplit(".", 2)[0])
        value.string_value = text_of(value)
    for r, group in enumerate(getattr(clean, signal.resources)):
        if stamp := speakers.of(group.resource.attributes).stamp:
            group.resource.attributes.add(key=SOURCE).value.string_value = stamp
        for s, scope in enumerate(getattr(group, signal.scopes)):
            items = getattr(scope, signal.items)
            stay = [item for i, item in enumerate(items) if (r, s, i) not in verdict.drop]
            if signal is LOGS:
                for record in stay:
                    if not record.time_unix_nano and not record.observed_time_unix_nano:
                        record.observed_time_unix_nano = received_ns
            if len(stay) < len(items):
                copies = [type(item).FromString(item.SerializeToString()) for item in stay]
                del items[:]
                items.extend(copies)
    return clean


def _at(message: Any, path: str) -> Any:
    """Return what a path such as `resource_spans[0].resource.attributes[4].value` leads to."""
    for name, index in _STEP.findall(path):
        message = getattr(message, name)
        if index:
            message = message[int(index)]
    return message
