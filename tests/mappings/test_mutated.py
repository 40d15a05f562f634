"""Messages that are nearly right: whatever is changed in them, they end as events the door takes or with a reason."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from collector.mapping import System, load_mappings
from collector.mapping.check import context_of, invalid
from collector.mapping.model import Example

MAPPINGS = load_mappings()
JSON = [
    pytest.param(system, mapping.name, example, id=f"{mapping.name}: {example.name}")
    for system in MAPPINGS.systems.values()
    for mapping in system.mappings
    if mapping.decode["format"] == "json"
    for example in mapping.examples
]
TEXTS = [
    pytest.param(system, mapping.name, example, id=f"{mapping.name}: {example.name}")
    for system in MAPPINGS.systems.values()
    for mapping in system.mappings
    if mapping.decode["format"] != "json"
    for example in mapping.examples
]
ODD: list[Any] = [
    None, "", " ", 0, -1, 10**30, True, False, "x" * 300, "1e400", "-0", "0.0000001", "NaN", "\u0000", "9999-12-31",
    "2026-02-30", "/Date(99999999999999999)/", "2026-03-29T02:30:00", [], {}, [None], [[]], {"a": None}, ["x", {"y": 1}],
    {"#text": "x", "@y": "z"}, "EURO", "ſ" * 90, "2026-03-01T10:00:00+25:00",
]  # fmt: skip
ROUNDS = 20


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += _paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _paths(item, (*path, index))
    return found


def _changed(value: Any, path: tuple[Any, ...], put: Any) -> Any:
    if not path:
        return put
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = _changed(copied[path[0]], path[1:], put)
    return copied


def _sound(system: System, example: Example, body: bytes) -> None:
    for outcome in system.outcomes(body, context_of(example, system.name)):
        assert outcome.reason or outcome.ignored or outcome.mapping
        assert not (outcome.reason and outcome.events)
        assert outcome.detail or not outcome.reason
        told = [t for mapped in outcome.events if (t := invalid(mapped))]
        assert [t for t in told if not t.startswith(("no_object", "time_out_of_range"))] == []


@pytest.mark.parametrize(("system", "name", "example"), JSON)
def test_a_changed_document_is_mapped_or_refused(system: System, name: str, example: Example) -> None:
    chance = random.Random(f"{name} {example.name}")
    document = msgspec.json.decode(example.body)
    paths = _paths(document)
    for _ in range(ROUNDS):
        changed = document
        for _ in range(chance.randint(1, 3)):
            path = chance.choice(paths)
            try:
                changed = _changed(changed, path, chance.choice(ODD))
            except (KeyError, IndexError, TypeError):  # an earlier change took this part away
                continue
        _sound(system, example, msgspec.json.encode(changed))


@pytest.mark.parametrize(("system", "name", "example"), TEXTS)
def test_a_changed_text_is_mapped_or_refused(system: System, name: str, example: Example) -> None:
    chance = random.Random(f"{name} {example.name}")
    for _ in range(ROUNDS):
        body = bytearray(example.body)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(body))
            end = min(len(body), at + chance.randint(0, 12))
            body[at:end] = chance.choice(
                [b"", b"0", b"x", b"<A/>", b"~", b"*", b"'", b"\xff", b"20261399", b"999999999999"]
            )
        _sound(system, example, bytes(body))
