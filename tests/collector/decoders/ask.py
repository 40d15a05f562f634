"""Ask a decoder the way the doors do."""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from collector.decoders import Undecodable, Unit, check_spec, decode

SHARED = Path(__file__).parents[4] / "shared" / "data" / "payloads"


def units(body: bytes | str, **spec: Any) -> list[Unit]:
    """Return every unit of a body."""
    check_spec(spec)
    return list(decode(spec, body.encode() if isinstance(body, str) else body))


def document(body: bytes | str, **spec: Any) -> dict[str, Any]:
    """Return the one document of a body."""
    (unit,) = units(body, **spec)
    return unit.document


def refusal(body: bytes | str, **spec: Any) -> Undecodable:
    """Return why a body is refused."""
    with pytest.raises(Undecodable) as caught:
        units(body, **spec)
    return caught.value


def tolerant(body: bytes, **spec: Any) -> tuple[list[Unit], Undecodable | None]:
    """Return the units that come before any refusal, and the refusal. Anything else is a failure of the test."""
    found: list[Unit] = []
    check_spec(spec)
    try:
        for unit in decode(spec, body):
            found.append(unit)  # what came before the refusal is the point
    except Undecodable as error:
        return found, error
    return found, None


TOO_FAST = 24.0  # growth that is no longer in proportion, with room for caches and neighbours


def growth(body: bytes, **spec: Any) -> float:
    """Return how many times as long eight times as much of a hostile body takes: 8 in proportion, 64 by the square.

    Processor time, the least of three tries of each, fewer once it is near proportion; both sizes are measured on the
    same machine under the same load.
    """
    part = body[:240_000]
    eighth_s = max(min(_seconds(part[: len(part) // 8], spec) for _ in range(3)), 0.001)
    least = math.inf
    for _ in range(3):
        least = min(least, _seconds(part, spec) / eighth_s)
        if least < TOO_FAST / 2:
            break
    return least


def _seconds(part: bytes, spec: dict[str, Any]) -> float:
    began = time.process_time()
    with suppress(Undecodable):
        deque(decode(spec, part), maxlen=0)
    return time.process_time() - began


def payloads(folder: str) -> list[Path]:
    """Return the shared samples of a folder, none where they are not at hand."""
    return sorted((SHARED / folder).iterdir()) if SHARED.is_dir() else []
