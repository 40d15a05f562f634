"""JSON in which a value is not what it should be."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import msgspec

_ODD: list[Any] = [
    None, "", " ", 0, -1, 10**30, -(2**63) - 1, True, False, "x" * 300, "1e400", "-0", "0.0000001", "NaN", "\u0000",
    "9999-12-31", "2026-02-30", "/Date(99999999999999999)/", "2026-03-29T02:30:00", [], {}, [None], [[]], {"a": None},
    ["x", {"y": 1}], {"#text": "x", "@y": "z"}, "EURO", "ſ" * 90, "2026-03-01T10:00:00+25:00", 1.5e300, "\U0001f4a9",
    {"shipment_id": "x"}, "order:", ":", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "１２", "+1", "1_000",
]  # fmt: skip


def changed(sample: bytes, chance: random.Random) -> bytes:
    """Return a JSON sample with one to three of its values replaced by odd ones."""
    document = msgspec.json.decode(sample)
    for _ in range(chance.randint(1, 3)):
        place: Any = None
        at: Any = document
        while isinstance(at, dict | list) and at and (place is None or chance.random() < 0.85):
            key = chance.choice([*at]) if isinstance(at, dict) else chance.randrange(len(at))
            place = (at, key)
            at = at[key]
        if place is not None:
            place[0][place[1]] = deepcopy(chance.choice(_ODD))
    return msgspec.json.encode(document)
