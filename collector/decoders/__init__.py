"""Bytes of a native door to uniform documents, for the mappings to read.

Each format is a file with `check` and `decode`. What a document looks like is told in docs/connections/decoders.md.
A decoder gives units or raises Undecodable, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from collector.decoders import delimited, edifact, fixed, json_text, x12, xml_tree
from collector.decoders.unit import ControlTotal, Undecodable, Unit


class _Format(Protocol):
    def check(self, spec: Mapping[str, Any], /) -> None: ...

    def decode(self, spec: Mapping[str, Any], body: bytes, /) -> Iterator[Unit]: ...


_FORMATS: dict[str, _Format] = {
    "json": json_text,
    "xml": xml_tree,
    "x12": x12,
    "edifact": edifact,
    "csv": delimited,
    "fixed": fixed,
}

__all__ = ["ControlTotal", "Undecodable", "Unit", "check_spec", "decode"]


def check_spec(spec: Mapping[str, Any]) -> None:
    """Raise ValueError, with a sentence for the mapping's author, for a `decode:` block that cannot be used."""
    name = spec.get("format") if isinstance(spec, Mapping) else None
    if not isinstance(name, str) or name not in _FORMATS:
        raise ValueError(f"decode: format is {name!r}; write one of {', '.join(_FORMATS)}")
    _FORMATS[name].check(spec)


def decode(spec: Mapping[str, Any], body: bytes) -> Iterator[Unit]:
    """Yield the documents of a body, in order. spec has passed check_spec.

    Raises Undecodable when the body, or its rest, is not of the format: JSON, XML, CSV and fixed width before the first
    unit, so that they are taken whole or not at all; X12 and EDIFACT after every unit that stands before the fault and
    after it.
    """
    return _FORMATS[spec["format"]].decode(spec, body)
