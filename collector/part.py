"""One named part of a message: `header:NAME`, `query:NAME`, `body:path.to.field` of JSON or XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from lxml import etree

_json = msgspec.json.Decoder(float_hook=str)


def part_of(part: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> str | None:
    """Return the text at a part, None where there is none. Numbers as they are written; bytes that cannot be read
    have no parts.
    """
    where, _, name = part.partition(":")
    if where == "header":
        return headers.get(name)
    if where == "query":
        return query.get(name)
    steps = name.split(".")
    return _xml_text(body, steps) if body.lstrip()[:1] == b"<" else _json_text(body, steps)


def _json_text(body: bytes, steps: list[str]) -> str | None:
    try:
        value: Any = _json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and len(step) < 6 and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _xml_text(body: bytes, steps: list[str]) -> str | None:
    """Return the text of the first element on the path; steps are local names below the root, or from it on."""
    try:
        node = etree.fromstring(body, _xml_parser())
    except (etree.XMLSyntaxError, ValueError):
        return None
    if _local(node) == steps[0]:
        steps = steps[1:]
    for step in steps:
        found = next((child for child in node if _local(child) == step), None)
        if found is None:
            return None
        node = found
    return (node.text or "").strip() or None


def _xml_parser() -> etree.XMLParser[etree._Element]:
    """No entity is expanded, nothing is fetched, and depth and size stay within libxml2's safe limits."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _local(node: Any) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""
