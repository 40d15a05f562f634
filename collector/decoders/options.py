"""The `decode:` block of a mapping, read strictly: a wrong key or value is one sentence, never a surprise at night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def known(spec: Mapping[str, Any], *keys: str) -> None:
    """Raise ValueError for a key the format does not have."""
    if wrong := sorted(str(key) for key in spec.keys() - {"format", *keys}):
        allowed = ", ".join(("format", *keys))
        raise ValueError(f"decode: {spec['format']} has no key {wrong[0]!r}; it has {allowed}")


def one_of(spec: Mapping[str, Any], key: str, choices: Sequence[str]) -> str:
    """Return the value of a key that has few, the first where it is not given. Raises ValueError."""
    value = spec.get(key, choices[0])
    if value not in choices:
        raise ValueError(f"decode: {key} is {value!r}; write {' or '.join(choices)}")
    return str(value)


def names(spec: Mapping[str, Any], key: str) -> list[str]:
    """Return a list of names, empty where the key is not given. Raises ValueError."""
    value = spec.get(key, [])
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValueError(f"decode: {key} must be a list of names, such as [Line, Charge]")
    return list(value)
